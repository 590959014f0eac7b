locals {
  actions = var.alarm_topic_arn == null ? [] : [var.alarm_topic_arn]

  # Keys of what a hosting says: an Application Load Balancer gives both, what has none of them is not measured by CloudWatch.
  dimensions   = var.alarm_dimensions == null ? {} : var.alarm_dimensions
  balancer     = contains(keys(local.dimensions), "LoadBalancer") ? { LoadBalancer = local.dimensions["LoadBalancer"] } : null
  target_group = local.balancer != null && contains(keys(local.dimensions), "TargetGroup") ? { LoadBalancer = local.dimensions["LoadBalancer"], TargetGroup = local.dimensions["TargetGroup"] } : null
  database     = var.database_id == null ? null : { DBInstanceIdentifier = var.database_id }

  alarms = merge(
    local.balancer == null ? {} : {
      slow = {
        description = "One request in a hundred takes longer than 2 s."
        namespace   = "AWS/ApplicationELB"
        metric      = "TargetResponseTime"
        dimensions  = local.balancer
        statistic   = "p99"
        comparison  = "GreaterThanThreshold"
        threshold   = 2
        minutes     = 5
      }
    },
    local.target_group == null ? {} : {
      unhealthy = {
        description = "A replica does not pass its health check."
        namespace   = "AWS/ApplicationELB"
        metric      = "UnHealthyHostCount"
        dimensions  = local.target_group
        statistic   = "Maximum"
        comparison  = "GreaterThanThreshold"
        threshold   = 0
        minutes     = 5
      }
    },
    local.database == null ? {} : {
      database-cpu = {
        description = "The database uses more than 90 % of its processors."
        namespace   = "AWS/RDS"
        metric      = "CPUUtilization"
        dimensions  = local.database
        statistic   = "Average"
        comparison  = "GreaterThanThreshold"
        threshold   = 90
        minutes     = 15
      }
      database-storage = {
        description = "The database has less than 2 GiB of free storage."
        namespace   = "AWS/RDS"
        metric      = "FreeStorageSpace"
        dimensions  = local.database
        statistic   = "Minimum"
        comparison  = "LessThanThreshold"
        threshold   = 2147483648
        minutes     = 5
      }
      # The smallest class, with 1 GiB of memory, takes about 110.
      database-connections = {
        description = "The database has more than 80 connections."
        namespace   = "AWS/RDS"
        metric      = "DatabaseConnections"
        dimensions  = local.database
        statistic   = "Maximum"
        comparison  = "GreaterThanThreshold"
        threshold   = 80
        minutes     = 5
      }
    },
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic  = startswith(each.value.statistic, "p") ? each.value.statistic : null
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = each.value.minutes
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.actions
  ok_actions          = local.actions

  # A percentile of a handful of requests says nothing.
  evaluate_low_sample_count_percentiles = startswith(each.value.statistic, "p") ? "ignore" : null
}

# A share of the requests, so that one failure in the night is no alarm. What the balancer answers itself, because no replica
# does, is in none of the target group's metrics, and not in its count of requests either.
resource "aws_cloudwatch_metric_alarm" "server_errors" {
  count = local.balancer == null ? 0 : 1

  alarm_name          = "${var.name}-server-errors"
  alarm_description   = "More than 5 % of the requests end in a server error."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 5
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.actions
  ok_actions          = local.actions

  metric_query {
    id          = "share"
    expression  = "100 * (FILL(replicas, 0) + FILL(balancer, 0)) / (FILL(requests, 0) + FILL(balancer, 0))"
    label       = "Server errors in percent of the requests"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = {
      replicas = "HTTPCode_Target_5XX_Count"
      balancer = "HTTPCode_ELB_5XX_Count"
      requests = "RequestCount"
    }

    content {
      id          = metric_query.key
      return_data = false

      metric {
        namespace   = "AWS/ApplicationELB"
        metric_name = metric_query.value
        dimensions  = local.balancer
        stat        = "Sum"
        period      = 60
      }
    }
  }
}
