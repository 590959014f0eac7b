data "aws_region" "current" {}

locals {
  region = data.aws_region.current.region

  # How many days CloudWatch can keep logs for.
  retentions = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]

  # CloudWatch takes OTLP itself, each signal at the service that keeps it, over HTTP and signed. The service is part of the
  # signature, so that each has an authenticator of its own.
  services = { traces = "xray", metrics = "monitoring", logs = "logs" }
}

module "collector" {
  source = "../../collector"

  name  = var.name
  image = var.collector_image

  exporters = {
    for signal, service in local.services : "otlp_http/${signal}" => merge(
      {
        "${signal}_endpoint" = "https://${service}.${local.region}.amazonaws.com/v1/${signal}"
        compression          = "gzip"
        auth                 = { authenticator = "sigv4auth/${signal}" }
      },
      signal != "logs" ? {} : {
        headers = {
          x-aws-log-group  = aws_cloudwatch_log_group.telemetry.name
          x-aws-log-stream = aws_cloudwatch_log_stream.telemetry.name
        }
      },
    )
  }

  extensions = {
    for signal, service in local.services : "sigv4auth/${signal}" => {
      region  = local.region
      service = service
    }
  }

  pipelines = { for signal, _ in local.services : signal => ["otlp_http/${signal}"] }
}

# The endpoint of logs makes neither the group nor the stream.
resource "aws_cloudwatch_log_group" "telemetry" {
  name              = "/menagerie/${var.name}/telemetry"
  retention_in_days = var.log_retention_days

  lifecycle {
    precondition {
      condition     = contains(local.retentions, var.log_retention_days)
      error_message = "CloudWatch keeps logs for ${join(", ", slice(local.retentions, 0, 8))} or more days, so `log_retention_days` can't be ${var.log_retention_days}."
    }
  }
}

resource "aws_cloudwatch_log_stream" "telemetry" {
  name           = "otlp"
  log_group_name = aws_cloudwatch_log_group.telemetry.name
}

# The traces of this environment among those of all: services are called after the environment.
resource "aws_xray_group" "this" {
  group_name        = var.name
  filter_expression = "service(\"${var.name}\")"
}

module "alarms" {
  source = "../../alarms"

  name             = var.name
  alarm_dimensions = var.alarm_dimensions
  database_id      = var.database_id
  alarm_topic_arn  = var.alarm_topic_arn
}

# From 17 on, OpenTelemetry's numbers of severity are errors.
resource "aws_cloudwatch_log_metric_filter" "errors" {
  name           = "${var.name}-errors"
  log_group_name = aws_cloudwatch_log_group.telemetry.name
  pattern        = "{ $.severityNumber >= 17 }"

  metric_transformation {
    namespace     = "Menagerie/${var.name}"
    name          = "ErrorsLogged"
    value         = "1"
    default_value = "0"
    unit          = "Count"
  }
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "${var.name}-errors-logged"
  alarm_description   = "The application logs more than 10 errors in 5 minutes."
  namespace           = aws_cloudwatch_log_metric_filter.errors.metric_transformation[0].namespace
  metric_name         = aws_cloudwatch_log_metric_filter.errors.metric_transformation[0].name
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 10
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arn == null ? [] : [var.alarm_topic_arn]
  ok_actions          = var.alarm_topic_arn == null ? [] : [var.alarm_topic_arn]
}

locals {
  dimensions = var.alarm_dimensions == null ? {} : var.alarm_dimensions
  balancer   = contains(keys(local.dimensions), "LoadBalancer") ? ["LoadBalancer", local.dimensions["LoadBalancer"]] : null

  # What a graph shows: each metric with its statistic, the dimensions behind it.
  graphs = concat(
    local.balancer == null ? [] : [
      { title = "Requests and server errors", metrics = [
        concat(["AWS/ApplicationELB", "RequestCount"], local.balancer, [{ stat = "Sum" }]),
        concat(["AWS/ApplicationELB", "HTTPCode_Target_5XX_Count"], local.balancer, [{ stat = "Sum" }]),
        concat(["AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count"], local.balancer, [{ stat = "Sum" }]),
      ] },
      { title = "Response time in seconds", metrics = [
        for statistic in ["p50", "p95", "p99"] : concat(["AWS/ApplicationELB", "TargetResponseTime"], local.balancer, [{ stat = statistic, label = statistic }])
      ] },
    ],
    var.database_id == null ? [] : [
      { title = "Database: processors in percent", metrics = [["AWS/RDS", "CPUUtilization", "DBInstanceIdentifier", var.database_id, { stat = "Average" }]] },
      { title = "Database: connections", metrics = [["AWS/RDS", "DatabaseConnections", "DBInstanceIdentifier", var.database_id, { stat = "Maximum" }]] },
      { title = "Database: free storage in bytes", metrics = [["AWS/RDS", "FreeStorageSpace", "DBInstanceIdentifier", var.database_id, { stat = "Minimum" }]] },
    ],
    [
      { title = "Errors logged", metrics = [[aws_cloudwatch_metric_alarm.errors.namespace, aws_cloudwatch_metric_alarm.errors.metric_name, { stat = "Sum" }]] },
    ],
  )
}

# Two graphs a row on the 24 columns of a dashboard; below them the alarms and the last errors.
resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name

  dashboard_body = jsonencode({
    widgets = concat(
      [
        for index, graph in local.graphs : {
          type   = "metric"
          x      = index % 2 * 12
          y      = floor(index / 2) * 6
          width  = 12
          height = 6
          properties = {
            title   = graph.title
            region  = local.region
            view    = "timeSeries"
            period  = 60
            metrics = graph.metrics
          }
        }
      ],
      [
        {
          type       = "alarm"
          x          = 0
          y          = ceil(length(local.graphs) / 2) * 6
          width      = 24
          height     = 3
          properties = { title = "Alarms", alarms = concat(module.alarms.alarm_arns, [aws_cloudwatch_metric_alarm.errors.arn]) }
        },
        {
          type   = "log"
          x      = 0
          y      = ceil(length(local.graphs) / 2) * 6 + 3
          width  = 24
          height = 6
          properties = {
            title  = "Errors of the application"
            region = local.region
            view   = "table"
            query  = "SOURCE '${aws_cloudwatch_log_group.telemetry.name}' | filter severityNumber >= 17 | sort @timestamp desc | limit 50"
          }
        },
      ],
    )
  })
}
