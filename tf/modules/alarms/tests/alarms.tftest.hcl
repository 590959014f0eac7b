provider "aws" {
  region = "eu-central-1"
}

variables {
  name             = "calm-otter"
  alarm_dimensions = { LoadBalancer = "app/calm-otter/1", TargetGroup = "targetgroup/calm-otter/1" }
  database_id      = "calm-otter"
  alarm_topic_arn  = "arn:aws:sns:eu-central-1:123456789012:alarms"
}

run "nothing_to_watch" {
  command = plan

  variables {
    alarm_dimensions = null
    database_id      = null
  }

  assert {
    condition     = length(output.alarm_names) == 0
    error_message = "What is not there has no alarms."
  }
}

run "dimensions_that_nobody_measures" {
  command = plan

  variables {
    alarm_dimensions = { Deployment = "calm-otter" }
    database_id      = null
  }

  assert {
    condition     = length(output.alarm_names) == 0
    error_message = "Only a load balancer of AWS has metrics in CloudWatch."
  }
}

run "only_a_database" {
  command = plan

  variables {
    alarm_dimensions = null
  }

  assert {
    condition     = toset(output.alarm_names) == toset(["calm-otter-database-cpu", "calm-otter-database-storage", "calm-otter-database-connections"])
    error_message = "A database alone is watched."
  }
}

run "all" {
  assert {
    condition = toset(output.alarm_names) == toset([
      "calm-otter-slow", "calm-otter-unhealthy", "calm-otter-server-errors",
      "calm-otter-database-cpu", "calm-otter-database-storage", "calm-otter-database-connections",
    ])
    error_message = "All of it is watched."
  }

  assert {
    condition = alltrue([
      for alarm in concat(values(aws_cloudwatch_metric_alarm.this), aws_cloudwatch_metric_alarm.server_errors) :
      alarm.alarm_actions == toset([var.alarm_topic_arn]) && alarm.ok_actions == toset([var.alarm_topic_arn])
    ])
    error_message = "An alarm is sent, and so is its end."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["slow"].extended_statistic == "p99" && aws_cloudwatch_metric_alarm.this["slow"].statistic == null
    error_message = "AWS takes a percentile as an extended statistic, and then no other."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["unhealthy"].dimensions == tomap({ LoadBalancer = "app/calm-otter/1", TargetGroup = "targetgroup/calm-otter/1" })
    error_message = "Replicas are counted by target group."
  }

  assert {
    condition     = toset([for query in aws_cloudwatch_metric_alarm.server_errors[0].metric_query : query.id if query.return_data]) == toset(["share"])
    error_message = "The share of failures is what is compared."
  }
}

run "nobody_to_tell" {
  variables {
    alarm_topic_arn = null
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : length(alarm.alarm_actions) == 0])
    error_message = "Without a topic, alarms are only shown."
  }
}
