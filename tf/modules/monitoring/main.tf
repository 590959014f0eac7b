data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.region

  has_cloudwatch = contains(keys(var.backends), "cloudwatch")

  # What is written to with a key, and what the key is called there.
  keys = {
    datadog  = "API key of Datadog"
    newrelic = "License key of New Relic"
    elk      = "API key of Elastic"
  }
}

# The endpoint for OTLP takes traces only where they go to CloudWatch's logs, which X-Ray needs to be allowed to write to. Both
# are settings of the whole account in this region: whoever has them already imports them.
resource "aws_cloudwatch_log_resource_policy" "spans" {
  count = local.has_cloudwatch ? 1 : 0

  policy_name = "${var.name}-spans"

  policy_document = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "WriteSpans"
      Effect    = "Allow"
      Principal = { Service = "xray.amazonaws.com" }
      Action    = "logs:PutLogEvents"
      Resource = [
        for group in ["aws/spans", "/aws/application-signals/data"] : "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:${group}:*"
      ]
      Condition = {
        ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:xray:${local.region}:${local.account}:*" }
        StringEquals = { "aws:SourceAccount" = local.account }
      }
    }]
  })
}

resource "aws_xray_trace_segment_destination" "this" {
  count = local.has_cloudwatch ? 1 : 0

  destination = "CloudWatchLogs"

  depends_on = [aws_cloudwatch_log_resource_policy.spans]
}

# There is one rule in every account, and this is its name.
resource "aws_xray_indexing_rule" "this" {
  count = local.has_cloudwatch ? 1 : 0

  name = "Default"

  rule {
    probabilistic {
      desired_sampling_percentage = var.indexed_percentage
    }
  }

  depends_on = [aws_xray_trace_segment_destination.this]
}

# Without a value: a person puts it there, so that it is in no plan, no state and no file of this repository.
resource "aws_secretsmanager_secret" "key" {
  for_each = { for backend, what in local.keys : backend => what if try(var.backends[backend].secret, "none") == null }

  name                    = "${var.name}/observability/${each.key}"
  description             = "${each.value}, for the collectors of all environments"
  recovery_window_in_days = 7
}
