# What one replica is on AWS, wherever it runs: its containers, what they may do, and what of its description is refused. It
# makes nothing: a hosting runs the containers, puts the statements into policies and the refusals into preconditions.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  port = coalesce(var.port, 8080)

  # OpenTelemetry's own variables, which any application's SDK reads.
  telemetry = var.collector == null ? {} : {
    OTEL_EXPORTER_OTLP_ENDPOINT = coalesce(var.collector.endpoint, "http://localhost:4318")
    OTEL_RESOURCE_ATTRIBUTES    = "deployment.environment.name=${var.name}"
    OTEL_SERVICE_NAME           = var.name
  }

  # OTLP over gRPC and HTTP, and its health (`tf/modules/collector`). It has the network of the application.
  collector_ports  = [4317, 4318, 13133]
  collector_memory = max(128, min(256, floor(var.size.memory / 4)))

  containers = merge(
    {
      application = {
        image       = var.image
        command     = tolist([])
        cpu         = var.size.cpu
        memory      = var.size.memory
        environment = tomap(merge(local.telemetry, var.environment, { PORT = tostring(local.port) }))
        secrets     = var.secrets
      }
    },
    {
      for image in compact([try(var.collector.image, null)]) : "collector" => {
        image   = image
        command = tolist(["--config=env:OTEL_CONFIG"])
        cpu     = 256
        memory  = local.collector_memory
        environment = tomap({
          GOMEMLIMIT  = "${floor(local.collector_memory * 0.8)}MiB"
          OTEL_CONFIG = var.collector.config
        })
        secrets = var.collector.secrets
      }
    },
  )

  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.region

  # The bucket that `tf/modules/storage/s3` makes.
  bucket_arn  = "arn:${local.partition}:s3:::${var.name}-${local.account}-${local.region}"
  own_account = { StringEquals = { "aws:ResourceAccount" = local.account } }

  # The parts of a reference are those of an ARN, 7, and up to three that name a part of the secret. It takes any text, so
  # that no error can show one.
  secrets     = flatten([for container in values(local.containers) : values(container.secrets)])
  secret_arns = distinct([for reference in local.secrets : join(":", slice(split(":", reference), 0, min(7, length(split(":", reference)))))])

  # ACCOUNT.dkr.ecr.REGION.DOMAIN/REPOSITORY, with a tag or a digest.
  repository   = "^(([0-9]{12})\\.dkr\\.ecr\\.([a-z0-9-]+)\\.amazonaws\\.com(?:\\.cn)?)/([^:@]+)"
  repositories = [for container in values(local.containers) : regex(local.repository, container.image) if can(regex(local.repository, container.image))]

  pinned_image  = "^[A-Za-z0-9][A-Za-z0-9._:/-]*@sha256:[0-9a-f]{64}$|^([A-Za-z0-9][A-Za-z0-9._:-]*/)?([A-Za-z0-9._-]+/)*[A-Za-z0-9][A-Za-z0-9._-]*:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$"
  secret        = "^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^:\\s]+-[A-Za-z0-9]{6}(:[^:]*:[^:]*:[^:]*)?$"
  variable_name = "^[A-Za-z_][A-Za-z0-9_]*$"

  # What CloudWatch takes, in days.
  retentions = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]

  write_logs = {
    Sid      = "WriteLogs"
    Effect   = "Allow"
    Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    Resource = ["${var.log_group_arn}:*"]
  }

  pull_images = [
    { Sid = "SignIn", Effect = "Allow", Action = ["ecr:GetAuthorizationToken"], Resource = ["*"] },
    {
      Sid      = "PullImages"
      Effect   = "Allow"
      Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      Resource = [for parts in local.repositories : "arn:${local.partition}:ecr:${parts[2]}:${parts[1]}:repository/${parts[3]}"]
    },
  ]

  read_secrets = [
    { Sid = "ReadSecrets", Effect = "Allow", Action = ["secretsmanager:GetSecretValue"], Resource = local.secret_arns },
    {
      Sid       = "DecryptSecrets"
      Effect    = "Allow"
      Action    = ["kms:Decrypt"]
      Resource  = ["arn:${local.partition}:kms:*:${local.account}:key/*"]
      Condition = { StringEquals = { "kms:EncryptionContext:SecretARN" = local.secret_arns } }
    },
  ]

  use_bucket = [
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
  ]

  write_telemetry = [
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
      Resource = ["arn:${local.partition}:logs:${local.region}:${local.account}:log-group:/menagerie/${var.name}/*"]
    },
  ]
}
