provider "aws" {
  region = "eu-central-1"
}

variables {
  name             = "calm-otter"
  endpoint         = "http://telegraf.internal:4317"
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

run "secret_that_nobody_asks_for" {
  command = plan

  variables {
    secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:key"
  }

  expect_failures = [output.collector]
}

run "no_endpoint" {
  command = plan

  variables {
    endpoint = null
  }

  expect_failures = [output.collector]
}

run "endpoint_without_port" {
  command = plan

  variables {
    endpoint = "http://telegraf.internal"
  }

  expect_failures = [output.collector]
}

run "all" {
  assert {
    condition     = yamldecode(output.collector.config).exporters.otlp_grpc.endpoint == "http://telegraf.internal:4317" && yamldecode(output.collector.config).exporters.otlp_grpc.tls.insecure && length(output.collector.secrets) == 0
    error_message = "Telegraf is sent to as its URL says."
  }

  assert {
    condition     = alltrue([for pipeline in values(yamldecode(output.collector.config).service.pipelines) : contains(pipeline.exporters, "otlp_grpc")])
    error_message = "All three signals go to the backend."
  }

  assert {
    condition     = output.location == null
    error_message = "Where Chronograf is, is not known here."
  }

  assert {
    condition     = length(module.alarms.alarm_names) == 6
    error_message = "What AWS measures is watched, too."
  }
}

run "alone_with_tls" {
  variables {
    alarm_dimensions = null
    database_id      = null
    alarm_topic_arn  = null
    endpoint         = "https://telegraf.internal:4317"
  }

  assert {
    condition     = !yamldecode(output.collector.config).exporters.otlp_grpc.tls.insecure
    error_message = "A URL with TLS is sent to with TLS."
  }

  assert {
    condition     = length(module.alarms.alarm_names) == 0
    error_message = "What is not there has no alarms."
  }
}
