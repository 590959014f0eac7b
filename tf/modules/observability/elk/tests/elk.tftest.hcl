provider "aws" {
  region = "eu-central-1"
}

variables {
  name             = "calm-otter"
  secret           = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:menagerie/observability/elk-AbCdEf"
  endpoint         = "https://apm.example.com:8200"
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

run "secret_given_as_a_value" {
  command = plan

  variables {
    secret = "0123456789abcdef"
  }

  expect_failures = [output.collector]
}

run "no_secret" {
  command = plan

  variables {
    secret = null
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

run "endpoint_without_tls" {
  command = plan

  variables {
    endpoint = "http://apm.example.com:8200"
  }

  expect_failures = [output.collector]
}

run "all" {
  assert {
    condition     = yamldecode(output.collector.config).exporters.otlp_http.endpoint == "https://apm.example.com:8200" && yamldecode(output.collector.config).exporters.otlp_http.headers.Authorization == "ApiKey $${env:ELASTIC_API_KEY}" && output.collector.secrets.ELASTIC_API_KEY == var.secret
    error_message = "The configuration names the key, and the hosting sets it."
  }

  assert {
    condition     = alltrue([for pipeline in values(yamldecode(output.collector.config).service.pipelines) : contains(pipeline.exporters, "otlp_http")])
    error_message = "All three signals go to the backend."
  }

  assert {
    condition     = output.location == null
    error_message = "Where Kibana is, is not known here."
  }

  assert {
    condition     = length(module.alarms.alarm_names) == 6
    error_message = "What AWS measures is watched, too."
  }
}

run "alone" {
  variables {
    alarm_dimensions = null
    database_id      = null
    alarm_topic_arn  = null
  }

  assert {
    condition     = length(module.alarms.alarm_names) == 0
    error_message = "What is not there has no alarms."
  }
}
