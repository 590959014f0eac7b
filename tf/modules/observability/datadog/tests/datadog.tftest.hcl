provider "aws" {
  region = "eu-central-1"
}

provider "datadog" {
  api_key  = "none"
  app_key  = "none"
  validate = false
}

variables {
  name             = "calm-otter"
  secret           = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:menagerie/observability/datadog-AbCdEf"
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

run "site_without_a_scheme" {
  command = plan

  variables {
    endpoint = "datadoghq.eu"
  }

  expect_failures = [output.collector]
}

run "all" {
  assert {
    condition     = yamldecode(output.collector.config).exporters.datadog.api == { site = "datadoghq.com", key = "$${env:DD_API_KEY}" } && output.collector.secrets.DD_API_KEY == var.secret
    error_message = "The configuration names the key, and the hosting sets it."
  }

  assert {
    condition     = alltrue([for pipeline in values(yamldecode(output.collector.config).service.pipelines) : contains(pipeline.exporters, "datadog")])
    error_message = "All three signals go to the backend."
  }

  assert {
    condition     = yamldecode(output.collector.config).service.pipelines.metrics.receivers == ["otlp", "datadog/connector"]
    error_message = "Requests are counted of traces."
  }

  assert {
    condition     = alltrue([for monitor in datadog_monitor.this : endswith(monitor.message, " @sns-alarms") && strcontains(monitor.query, "env:calm-otter")])
    error_message = "Each monitor watches this environment, and tells the topic."
  }

  assert {
    condition     = length(jsondecode(datadog_dashboard_json.this.dashboard).widgets) == 4
    error_message = "The dashboard has three graphs and the errors."
  }

  assert {
    condition     = startswith(output.location, "https://app.datadoghq.com")
    error_message = "The first sites have their pages at `app.`."
  }

  assert {
    condition     = length(module.alarms.alarm_names) == 6
    error_message = "What AWS measures is watched, too."
  }
}

run "alone_at_a_later_site" {
  variables {
    alarm_dimensions = null
    database_id      = null
    alarm_topic_arn  = null
    endpoint         = "https://api.us3.datadoghq.com"
  }

  assert {
    condition     = yamldecode(output.collector.config).exporters.datadog.api.site == "us3.datadoghq.com" && startswith(output.location, "https://us3.datadoghq.com")
    error_message = "Where the data goes is where it is shown."
  }

  assert {
    condition     = length(module.alarms.alarm_names) == 0 && alltrue([for monitor in datadog_monitor.this : !strcontains(monitor.message, "@")])
    error_message = "Without a topic, nobody is told."
  }
}

run "key_of_a_secret" {
  command = plan

  variables {
    secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:keys-AbCdEf:datadog::"
  }

  assert {
    condition     = endswith(output.collector.secrets.DD_API_KEY, ":datadog::")
    error_message = "A secret may hold more than one key."
  }
}
