# The most that a role which an environment makes can ever do, whatever policies the environment gives it: what a replica, its
# collector and its instance need, and nothing of IAM. The roles that apply can make no role without it (policies.tf).
resource "aws_iam_policy" "boundary" {
  name        = local.boundary_name
  path        = local.role_path
  description = "Permissions boundary of every role that an environment makes"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "WhatReplicasNeed"
        Effect = "Allow"
        Action = [
          "cloudwatch:PutMetricData",
          "ec2:DescribeInstances", "ec2:DescribeTags", "ec2:DescribeVolumes",
          "ec2messages:AcknowledgeMessage", "ec2messages:DeleteMessage", "ec2messages:FailMessage", "ec2messages:GetEndpoint", "ec2messages:GetMessages", "ec2messages:SendReply",
          "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetAuthorizationToken", "ecr:GetDownloadUrlForLayer",
          "es:ESHttp*",
          "kms:Decrypt", "kms:GenerateDataKey",
          "logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:PutLogEvents",
          "rds-db:connect",
          "s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket", "s3:PutObject",
          "secretsmanager:GetSecretValue",
          "ssm:Describe*", "ssm:Get*", "ssm:List*", "ssm:PutComplianceItems", "ssm:PutConfigurePackageResult", "ssm:PutInventory", "ssm:UpdateAssociationStatus", "ssm:UpdateInstance*",
          "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
          "xray:GetSampling*", "xray:PutSpans*", "xray:PutTelemetryRecords", "xray:PutTraceSegments",
        ]
        Resource = "*"
      },
      {
        Sid      = "NoStates"
        Effect   = "Deny"
        Action   = "s3:*"
        Resource = ["${local.arn}:s3:::${local.state_bucket}", "${local.arn}:s3:::${local.state_bucket}/*"]
      },
      {
        Sid      = "NoCommandsToOthers"
        Effect   = "Deny"
        Action   = ["ssm:CreateDocument", "ssm:DeleteParameter*", "ssm:PutParameter", "ssm:SendCommand", "ssm:StartAutomationExecution", "ssm:StartSession"]
        Resource = "*"
      },
    ]
  })
}
