provider "aws" {
  region = "eu-central-1"
}

provider "newrelic" {
  account_id = 1
  api_key    = "none"
}

variables {
  name             = "calm-otter"
  secret           = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:menagerie/observability/newrelic-AbCdEf"
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

run "endpoint_without_tls" {
  command = plan

  variables {
    endpoint = "http://otlp.example.com"
  }

  expect_failures = [output.collector]
}

run "all" {
  assert {
    condition     = yamldecode(output.collector.config).exporters.otlp_http.endpoint == "https://otlp.nr-data.net" && yamldecode(output.collector.config).exporters.otlp_http.headers.api-key == "$${env:NEW_RELIC_LICENSE_KEY}" && output.collector.secrets.NEW_RELIC_LICENSE_KEY == var.secret
    error_message = "The configuration names the key, and the hosting sets it."
  }

  assert {
    condition     = alltrue([for pipeline in values(yamldecode(output.collector.config).service.pipelines) : contains(pipeline.exporters, "otlp_http")])
    error_message = "All three signals go to the backend."
  }

  assert {
    condition     = contains(yamldecode(output.collector.config).service.pipelines.metrics.processors, "cumulativetodelta") && !contains(yamldecode(output.collector.config).service.pipelines.traces.processors, "cumulativetodelta")
    error_message = "Sums are sent as differences."
  }

  assert {
    condition     = alltrue([for condition in newrelic_nrql_alert_condition.this : strcontains(condition.nrql[0].query, "deployment.environment.name = 'calm-otter'")])
    error_message = "Each condition watches this environment."
  }

  assert {
    condition     = length(jsondecode(newrelic_one_dashboard_json.this.json).pages[0].widgets) == 4
    error_message = "The dashboard has three graphs and the errors."
  }

  assert {
    condition     = length(module.alarms.alarm_names) == 6
    error_message = "What AWS measures is watched, too."
  }
}

run "alone_in_europe" {
  variables {
    alarm_dimensions = null
    database_id      = null
    alarm_topic_arn  = null
    endpoint         = "https://otlp.eu01.nr-data.net"
  }

  assert {
    condition     = yamldecode(output.collector.config).exporters.otlp_http.endpoint == var.endpoint
    error_message = "Telemetry stays in Europe."
  }

  assert {
    condition     = length(module.alarms.alarm_names) == 0
    error_message = "What is not there has no alarms."
  }
}
