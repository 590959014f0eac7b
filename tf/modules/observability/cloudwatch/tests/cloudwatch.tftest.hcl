provider "aws" {
  region = "eu-central-1"
}

variables {
  name             = "calm-otter"
  alarm_dimensions = { LoadBalancer = "app/calm-otter/1", TargetGroup = "targetgroup/calm-otter/1" }
  database_id      = "calm-otter"
  alarm_topic_arn  = "arn:aws:sns:eu-central-1:123456789012:alarms"
}

run "name_with_capitals" {
  command = plan

  variables {
    name = "Calm_Otter"
  }

  expect_failures = [var.name]
}

run "half_a_day" {
  command = plan

  variables {
    log_retention_days = 0.5
  }

  expect_failures = [var.log_retention_days]
}

run "endpoint_of_another" {
  command = plan

  variables {
    endpoint = "https://otlp.example.com"
  }

  expect_failures = [output.collector]
}

run "secret_that_nobody_asks_for" {
  command = plan

  variables {
    secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:key"
  }

  expect_failures = [output.collector]
}

run "alone" {
  variables {
    alarm_dimensions = null
    database_id      = null
    alarm_topic_arn  = null
  }

  assert {
    condition     = length(module.alarms.alarm_names) == 0 && length(aws_cloudwatch_metric_alarm.errors.alarm_actions) == 0
    error_message = "What the application says is watched also where there is nothing else."
  }

  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets) == 3
    error_message = "The dashboard shows what there is."
  }
}

run "all" {
  assert {
    condition     = toset(keys(yamldecode(output.collector.config).exporters)) == toset(["otlp_http/traces", "otlp_http/metrics", "otlp_http/logs"])
    error_message = "Each signal has an endpoint of its own."
  }

  assert {
    condition     = yamldecode(output.collector.config).exporters["otlp_http/logs"].headers.x-aws-log-group == "/menagerie/calm-otter/telemetry"
    error_message = "Logs go to the group of the environment."
  }

  assert {
    condition     = length(output.collector.secrets) == 0
    error_message = "CloudWatch is written to by the role of the replicas."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.errors.alarm_actions == toset([var.alarm_topic_arn]) && length(module.alarms.alarm_names) == 6
    error_message = "All alarms are there, and are sent."
  }

  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets) == 8
    error_message = "The dashboard has six graphs, the alarms and the errors."
  }

  assert {
    condition     = strcontains(output.location, "dashboards/dashboard/calm-otter")
    error_message = "A person finds the dashboard."
  }
}

run "retention_that_cloudwatch_has_not" {
  command = plan

  variables {
    log_retention_days = 8
  }

  expect_failures = [aws_cloudwatch_log_group.telemetry]
}

run "longest_retention" {
  command = plan

  variables {
    log_retention_days = 3653
  }

  assert {
    condition     = aws_cloudwatch_log_group.telemetry.retention_in_days == 3653
    error_message = "Ten years are the most."
  }
}
