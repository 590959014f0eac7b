data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  arn         = "arn:${data.aws_partition.current.partition}"
  bucket_arn  = "${local.arn}:s3:::${var.name}-${data.aws_caller_identity.current.account_id}-${data.aws_region.current.region}"
  own_account = { StringEquals = { "aws:ResourceAccount" = data.aws_caller_identity.current.account_id } }
}

# What the pods may do: use the environment's own bucket (`tf/modules/storage/s3`), and have telemetry taken.
resource "aws_iam_role" "pod" {
  name                 = "${var.name}-pod"
  path                 = "/menagerie/environment/" # where the roles of tf/common let CI make any
  description          = "Replicas of ${var.name}"
  permissions_boundary = var.permissions_boundary_arn

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Principal = { Service = "pods.eks.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "pod" {
  name = "run"
  role = aws_iam_role.pod.id

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
          Resource = ["${local.arn}:logs:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:log-group:/menagerie/${var.name}/*"]
        },
      ] : statement if try(var.collector.image, null) != null],
    )
  })
}

resource "aws_eks_pod_identity_association" "this" {
  cluster_name    = var.network.cluster_name
  namespace       = kubernetes_namespace_v1.this.metadata[0].name
  service_account = "app"
  role_arn        = aws_iam_role.pod.arn
}
