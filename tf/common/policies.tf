# The policies of GitHub's roles (github.tf). Terraform reads a resource after it made it, so who may change may read.
locals {
  boundary_name     = "${var.name}-environment"
  boundary_arn      = "${local.arn}:iam::${local.account_id}:policy${local.role_path}${local.boundary_name}"
  environment_roles = "${local.arn}:iam::${local.account_id}:role/menagerie/environment/*"

  # Who applies what: the folder of the states, names that are not theirs, and tags of what they must leave alone.
  appliers = {
    apply = {
      states = "envs/*"
      others = ["common", var.production_name]
      bucket = "*-${local.account_id}-${var.region}"
    }
    production = {
      states = "production/*"
      others = ["common"]
      bucket = "${var.production_name}-${local.account_id}-${var.region}"
    }
  }

  policies = merge(
    { "plan-read" = concat(local.read, local.read_states) },
    { for role, applier in local.appliers : "${role}-read" => local.read },
    { for role, applier in local.appliers : "${role}-state" => local.write_states[role] },
    { for role, applier in local.appliers : "${role}-resources" => local.write_resources[role] },
    { for role, applier in local.appliers : "${role}-roles" => local.write_roles },
  )

  read = [
    {
      Sid    = "ReadWhatThereIs"
      Effect = "Allow"
      Action = [
        "acm:Describe*", "acm:List*",
        "application-autoscaling:Describe*", "application-autoscaling:List*",
        "autoscaling:Describe*",
        "cloudwatch:Describe*", "cloudwatch:GetDashboard", "cloudwatch:List*",
        "ec2:Describe*", "ec2:GetSecurityGroupsForVpc",
        "ecr:Describe*", "ecr:List*", "ecr:GetAuthorizationToken", "ecr:GetLifecyclePolicy", "ecr:GetRepositoryPolicy",
        "ecs:Describe*", "ecs:List*",
        "eks:Describe*", "eks:List*",
        "elasticloadbalancing:Describe*",
        "iam:Get*", "iam:List*",
        "kms:Describe*", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:List*",
        "logs:Describe*", "logs:List*",
        "rds:Describe*", "rds:List*",
        "route53:Get*", "route53:List*",
        "s3:GetAccelerateConfiguration", "s3:GetBucket*", "s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration", "s3:GetReplicationConfiguration", "s3:ListAllMyBuckets", "s3:ListTagsForResource",
        "secretsmanager:DescribeSecret", "secretsmanager:GetResourcePolicy",
        "sns:GetSubscriptionAttributes", "sns:GetTopicAttributes", "sns:List*",
        "ssm:DescribeParameters", "ssm:ListTagsForResource",
        "tag:GetResources",
        "xray:GetGroup*", "xray:GetSamplingRules", "xray:ListTagsForResource",
      ]
      Resource = ["*"]
    },
    {
      Sid      = "ReadParameters"
      Effect   = "Allow"
      Action   = ["ssm:GetParameter", "ssm:GetParameters"]
      Resource = ["${local.arn}:ssm:${var.region}:${local.account_id}:parameter/menagerie/*", "${local.arn}:ssm:${var.region}::parameter/aws/service/*"]
    },
  ]

  # It takes no lock, so it plans with `-lock=false`. The state of production may hold what a pull request must not read.
  read_states = [
    {
      Sid       = "ListStates"
      Effect    = "Allow"
      Action    = ["s3:ListBucket"]
      Resource  = ["${local.arn}:s3:::${local.state_bucket}"]
      Condition = { StringLike = { "s3:prefix" = ["envs/*"] } }
    },
    {
      Sid      = "ReadStates"
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = ["${local.arn}:s3:::${local.state_bucket}/envs/*"]
    },
    {
      Sid       = "DecryptStates"
      Effect    = "Allow"
      Action    = ["kms:Decrypt"]
      Resource  = [aws_kms_key.this.arn]
      Condition = { StringEquals = { "kms:ViaService" = "s3.${var.region}.amazonaws.com" } }
    },
  ]

  write_states = { for role, applier in local.appliers : role => [
    {
      Sid       = "ListStates"
      Effect    = "Allow"
      Action    = ["s3:ListBucket"]
      Resource  = ["${local.arn}:s3:::${local.state_bucket}"]
      Condition = { StringLike = { "s3:prefix" = [applier.states] } }
    },
    {
      Sid      = "WriteStates"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
      Resource = ["${local.arn}:s3:::${local.state_bucket}/${applier.states}"]
    },
    {
      Sid       = "EncryptStates"
      Effect    = "Allow"
      Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource  = [aws_kms_key.this.arn]
      Condition = { StringEquals = { "kms:ViaService" = "s3.${var.region}.amazonaws.com" } }
    },
  ] }

  # By name, so that a plan shows the policies: Secrets Manager puts six characters of its own behind the name of a secret.
  backend_secrets = concat(
    compact([for backend in values(var.observability) : try(join(":", slice(split(":", backend.secret), 0, 7)), "")]),
    [for backend, settings in var.observability : "${local.arn}:secretsmanager:${var.region}:${local.account_id}:secret:${var.name}/observability/${backend}-??????" if settings.secret == null && contains(["datadog", "newrelic", "elk"], backend)],
  )

  write_resources = { for role, applier in local.appliers : role => concat([
    {
      Sid    = "ChangeWhatEnvironmentsAreMadeOf"
      Effect = "Allow"
      Action = [
        "application-autoscaling:DeleteScalingPolicy", "application-autoscaling:DeregisterScalableTarget", "application-autoscaling:PutScalingPolicy", "application-autoscaling:RegisterScalableTarget", "application-autoscaling:TagResource", "application-autoscaling:UntagResource",
        "autoscaling:Attach*", "autoscaling:CancelInstanceRefresh", "autoscaling:Create*", "autoscaling:Delete*", "autoscaling:Detach*", "autoscaling:DisableMetricsCollection", "autoscaling:EnableMetricsCollection", "autoscaling:Put*", "autoscaling:ResumeProcesses", "autoscaling:RollbackInstanceRefresh", "autoscaling:Set*", "autoscaling:StartInstanceRefresh", "autoscaling:SuspendProcesses", "autoscaling:TerminateInstanceInAutoScalingGroup", "autoscaling:Update*",
        "cloudwatch:DeleteAlarms", "cloudwatch:DeleteDashboards", "cloudwatch:PutDashboard", "cloudwatch:PutMetricAlarm", "cloudwatch:TagResource", "cloudwatch:UntagResource",
        "ec2:AuthorizeSecurityGroup*", "ec2:CreateLaunchTemplate*", "ec2:CreateSecurityGroup", "ec2:CreateTags", "ec2:DeleteLaunchTemplate*", "ec2:DeleteSecurityGroup", "ec2:DeleteTags", "ec2:ModifyLaunchTemplate", "ec2:ModifySecurityGroupRules", "ec2:RevokeSecurityGroup*", "ec2:RunInstances", "ec2:TerminateInstances", "ec2:UpdateSecurityGroupRuleDescriptions*",
        "ecs:Create*", "ecs:Delete*", "ecs:DeregisterTaskDefinition", "ecs:Put*", "ecs:RegisterTaskDefinition", "ecs:StopTask", "ecs:TagResource", "ecs:UntagResource", "ecs:Update*",
        "eks:CreatePodIdentityAssociation", "eks:DeletePodIdentityAssociation", "eks:TagResource", "eks:UntagResource", "eks:UpdatePodIdentityAssociation",
        "elasticloadbalancing:Add*", "elasticloadbalancing:Create*", "elasticloadbalancing:Delete*", "elasticloadbalancing:Deregister*", "elasticloadbalancing:Modify*", "elasticloadbalancing:Register*", "elasticloadbalancing:Remove*", "elasticloadbalancing:Set*",
        "logs:CreateLogGroup", "logs:CreateLogStream", "logs:DeleteLogGroup", "logs:DeleteLogStream", "logs:DeleteMetricFilter", "logs:DeleteRetentionPolicy", "logs:PutMetricFilter", "logs:PutRetentionPolicy", "logs:TagResource", "logs:UntagResource",
        "rds:AddTagsToResource", "rds:Create*", "rds:Delete*", "rds:Modify*", "rds:RebootDBInstance", "rds:RemoveTagsFromResource", "rds:ResetDBParameterGroup",
        "ssm:AddTagsToResource", "ssm:DeleteParameter", "ssm:PutParameter", "ssm:RemoveTagsFromResource",
        "xray:CreateGroup", "xray:DeleteGroup", "xray:TagResource", "xray:UntagResource", "xray:UpdateGroup",
      ]
      Resource = ["*"]
    },
    {
      Sid    = "ChangeBuckets"
      Effect = "Allow"
      Action = [
        "s3:CreateBucket", "s3:DeleteBucket*", "s3:DeleteObject*", "s3:GetObject*", "s3:ListBucket*", "s3:PutBucket*", "s3:PutEncryptionConfiguration", "s3:PutLifecycleConfiguration", "s3:TagResource", "s3:UntagResource",
      ]
      Resource = ["${local.arn}:s3:::${applier.bucket}", "${local.arn}:s3:::${applier.bucket}/*"]
    },
    {
      Sid      = "PushImages"
      Effect   = "Allow"
      Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:GetDownloadUrlForLayer", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"]
      Resource = ["${local.arn}:ecr:${var.region}:${local.account_id}:repository/${local.repository}"]
    },
    # RDS makes the secret of a database's password on behalf of the caller. Who has a cluster that can't fetch a secret
    # itself, fetches it.
    {
      Sid      = "KeepPasswords"
      Effect   = "Allow"
      Action   = concat(["secretsmanager:CreateSecret", "secretsmanager:TagResource", "secretsmanager:RotateSecret", "secretsmanager:CancelRotateSecret"], var.eks == null && var.nomad_address == null ? [] : ["secretsmanager:GetSecretValue"])
      Resource = ["${local.arn}:secretsmanager:${var.region}:${local.account_id}:secret:rds!*"]
    },
    {
      Sid       = "LeaveOthersAlone"
      Effect    = "Deny"
      Action    = ["application-autoscaling:*", "autoscaling:*", "cloudwatch:*", "ec2:AuthorizeSecurityGroup*", "ec2:CreateTags", "ec2:Delete*", "ec2:Modify*", "ec2:RevokeSecurityGroup*", "ec2:TerminateInstances", "ecs:*", "elasticloadbalancing:*", "logs:Delete*", "logs:Put*", "logs:TagResource", "logs:UntagResource", "rds:*", "secretsmanager:*", "ssm:DeleteParameter", "ssm:PutParameter", "ssm:*Tags*"]
      Resource  = ["*"]
      Condition = { StringEquals = { "aws:ResourceTag/environment" = applier.others } }
    },
    {
      Sid       = "StayInTheRegion"
      Effect    = "Deny"
      NotAction = ["iam:*", "kms:*", "route53:*", "s3:*", "sts:*", "tag:*"]
      Resource  = ["*"]
      Condition = { StringNotEquals = { "aws:RequestedRegion" = [var.region] } }
    },
    ],
    [for statement in [{
      Sid      = "ReadKeysOfBackends"
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = local.backend_secrets
    }] : statement if length(local.backend_secrets) > 0 && (var.eks != null || var.nomad_address != null)],
    [for statement in [{
      Sid      = "ChangeRecords"
      Effect   = "Allow"
      Action   = ["route53:ChangeResourceRecordSets"]
      Resource = [for id in var.zone_ids : "${local.arn}:route53:::hostedzone/${id}"]
    }] : statement if length(var.zone_ids) > 0],
    # What bears the name of production, where no tag tells.
    [for statement in [
      {
        Sid      = "LeaveProductionsBucketAlone"
        Effect   = "Deny"
        Action   = ["s3:*"]
        Resource = ["${local.arn}:s3:::${local.appliers.production.bucket}", "${local.arn}:s3:::${local.appliers.production.bucket}/*"]
      },
      {
        Sid       = "LeaveProductionsPasswordsAlone"
        Effect    = "Deny"
        Action    = ["secretsmanager:*"]
        Resource  = ["*"]
        Condition = { StringLike = { "aws:ResourceTag/aws:rds:primaryDBInstanceArn" = "${local.arn}:rds:*:*:db:${var.production_name}*" } }
      },
    ] : statement if role != "production"],
  ) }

  write_roles = [
    {
      Sid       = "MakeRolesWithTheBoundary"
      Effect    = "Allow"
      Action    = ["iam:AttachRolePolicy", "iam:CreateRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"]
      Resource  = [local.environment_roles]
      Condition = { StringEquals = { "iam:PermissionsBoundary" = local.boundary_arn } }
    },
    {
      Sid      = "KeepRoles"
      Effect   = "Allow"
      Action   = ["iam:DeleteRole", "iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "iam:UpdateRoleDescription"]
      Resource = [local.environment_roles]
    },
    {
      Sid       = "GiveRolesToServices"
      Effect    = "Allow"
      Action    = ["iam:PassRole"]
      Resource  = [local.environment_roles]
      Condition = { StringEquals = { "iam:PassedToService" = ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com", "pods.eks.amazonaws.com"] } }
    },
    {
      Sid      = "KeepInstanceProfiles"
      Effect   = "Allow"
      Action   = ["iam:AddRoleToInstanceProfile", "iam:CreateInstanceProfile", "iam:DeleteInstanceProfile", "iam:RemoveRoleFromInstanceProfile", "iam:TagInstanceProfile", "iam:UntagInstanceProfile"]
      Resource = ["${local.arn}:iam::${local.account_id}:instance-profile/menagerie/environment/*"]
    },
    {
      Sid       = "LetServicesMakeTheirRoles"
      Effect    = "Allow"
      Action    = ["iam:CreateServiceLinkedRole"]
      Resource  = ["${local.arn}:iam::${local.account_id}:role/aws-service-role/*"]
      Condition = { StringEquals = { "iam:AWSServiceName" = ["autoscaling.amazonaws.com", "ecs.amazonaws.com", "ecs.application-autoscaling.amazonaws.com", "elasticloadbalancing.amazonaws.com", "rds.amazonaws.com"] } }
    },
    {
      Sid      = "NeverRemoveTheBoundary"
      Effect   = "Deny"
      Action   = ["iam:DeleteRolePermissionsBoundary"]
      Resource = ["*"]
    },
    {
      Sid      = "NeverChangeTheBoundary"
      Effect   = "Deny"
      Action   = ["iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion", "iam:SetDefaultPolicyVersion"]
      Resource = [local.boundary_arn]
    },
  ]
}
