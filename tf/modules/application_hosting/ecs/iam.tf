locals {
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })

  # `arn:…:secret:NAME:json-key:version-stage:version-id` without what names a part of the secret. It takes any text, so that
  # no error can show one.
  secret_arns = distinct([for reference in values(local.secrets) : join(":", slice(split(":", reference), 0, min(7, length(split(":", reference)))))])

  # ACCOUNT.dkr.ecr.REGION.DOMAIN/REPOSITORY, with a tag or a digest.
  repositories = [
    for image in compact([var.image, local.collector_image]) :
    regex("^([0-9]{12})\\.dkr\\.ecr\\.([a-z0-9-]+)\\.amazonaws\\.com(?:\\.cn)?/([^:@]+)", image)
    if can(regex("^[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com(?:\\.cn)?/[^:@]+", image))
  ]
}

# What ECS itself does for a task: it pulls the images, resolves the secrets, writes the logs.
resource "aws_iam_role" "execution" {
  name                 = "${var.name}-execution"
  description          = "Starts replicas of ${var.name}"
  assume_role_policy   = local.assume_role_policy
  permissions_boundary = var.permissions_boundary_arn
}

resource "aws_iam_role_policy" "execution" {
  name = "start-replicas"
  role = aws_iam_role.execution.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "WriteLogs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.this.arn}:*"]
      }],
      [for statement in [
        { Sid = "SignIn", Effect = "Allow", Action = ["ecr:GetAuthorizationToken"], Resource = ["*"] },
        {
          Sid      = "PullImages"
          Effect   = "Allow"
          Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
          Resource = [for parts in local.repositories : "arn:${data.aws_partition.current.partition}:ecr:${parts[1]}:${parts[0]}:repository/${parts[2]}"]
        },
      ] : statement if length(local.repositories) > 0],
      [for statement in [
        { Sid = "ReadSecrets", Effect = "Allow", Action = ["secretsmanager:GetSecretValue"], Resource = local.secret_arns },
        {
          Sid       = "DecryptSecrets"
          Effect    = "Allow"
          Action    = ["kms:Decrypt"]
          Resource  = ["arn:${data.aws_partition.current.partition}:kms:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:key/*"]
          Condition = { StringEquals = { "kms:EncryptionContext:SecretARN" = local.secret_arns } }
        },
      ] : statement if length(local.secret_arns) > 0],
    )
  })

  lifecycle {
    precondition {
      condition     = alltrue([for reference in values(local.secrets) : can(regex("^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^:\\s]+(:[^:]*:[^:]*:[^:]*)?$", reference))])
      error_message = "Something in `secrets` is a value, not a reference: a secret is given as the ARN of a secret in Secrets Manager, which may be followed by `:json-key::`."
    }
  }
}

# What the application may do: use the environment's own bucket (`tf/modules/storage/s3`), and have telemetry taken.
resource "aws_iam_role" "task" {
  name                 = "${var.name}-task"
  description          = "Replicas of ${var.name}"
  assume_role_policy   = local.assume_role_policy
  permissions_boundary = var.permissions_boundary_arn
}

resource "aws_iam_role_policy" "task" {
  name = "run"
  role = aws_iam_role.task.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid       = "ListBucket"
          Effect    = "Allow"
          Action    = ["s3:ListBucket", "s3:GetBucketLocation"]
          Resource  = [local.bucket_arn]
          Condition = local.own_account
        },
        {
          Sid       = "UseObjects"
          Effect    = "Allow"
          Action    = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
          Resource  = ["${local.bucket_arn}/*"]
          Condition = local.own_account
        },
      ],
      [for statement in [
        {
          Sid      = "WriteTraces"
          Effect   = "Allow"
          Action   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:PutSpans", "xray:PutSpansForIndexing", "xray:GetSamplingRules", "xray:GetSamplingTargets"]
          Resource = ["*"] # X-Ray knows no resources for these
        },
        {
          Sid      = "WriteMetrics"
          Effect   = "Allow"
          Action   = ["cloudwatch:PutMetricData"]
          Resource = ["*"] # nor does CloudWatch
        },
        {
          Sid      = "WriteTelemetryLogs"
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
          Resource = ["arn:${data.aws_partition.current.partition}:logs:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:log-group:/menagerie/${var.name}/*"]
        },
      ] : statement if local.collector_image != null],
    )
  })
}

locals {
  bucket_arn  = "arn:${data.aws_partition.current.partition}:s3:::${var.name}-${data.aws_caller_identity.current.account_id}-${data.aws_region.current.region}"
  own_account = { StringEquals = { "aws:ResourceAccount" = data.aws_caller_identity.current.account_id } }
}
