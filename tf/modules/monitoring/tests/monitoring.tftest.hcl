provider "aws" {
  region = "eu-central-1"
}

run "unknown_backend" {
  command = plan

  variables {
    backends = { prometheus = {} }
  }

  expect_failures = [var.backends]
}

run "elk_without_endpoint" {
  command = plan

  variables {
    backends = { elk = {} }
  }

  expect_failures = [var.backends]
}

run "endpoint_without_a_scheme" {
  command = plan

  variables {
    backends = { datadog = { endpoint = "datadoghq.eu" } }
  }

  expect_failures = [var.backends]
}

run "secret_that_nobody_asks_for" {
  command = plan

  variables {
    backends = { tick = { endpoint = "http://telegraf.internal:4317", secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:key-AbCdEf" } }
  }

  expect_failures = [var.backends]
}

run "secret_that_is_there" {
  variables {
    backends = { datadog = { secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:key-AbCdEf" } }
  }

  assert {
    condition     = length(output.secret_names) == 0 && endswith(output.observability.datadog.secret, ":secret:key-AbCdEf")
    error_message = "A secret that is there is used."
  }
}

run "cloudwatch_elsewhere" {
  command = plan

  variables {
    backends = { cloudwatch = { endpoint = "https://example.com" } }
  }

  expect_failures = [var.backends]
}

run "more_than_all_traces" {
  command = plan

  variables {
    indexed_percentage = 101
  }

  expect_failures = [var.indexed_percentage]
}

run "name_with_capitals" {
  command = plan

  variables {
    name = "Menagerie"
  }

  expect_failures = [var.name]
}

run "default" {
  assert {
    condition     = keys(output.observability) == ["cloudwatch"] && output.observability.cloudwatch.endpoint == null && output.observability.cloudwatch.secret == null && length(output.secret_names) == 0
    error_message = "CloudWatch needs neither endpoint nor secret."
  }

  assert {
    condition     = aws_xray_trace_segment_destination.this[0].destination == "CloudWatchLogs"
    error_message = "Traces go where the endpoint for OTLP wants them."
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_log_resource_policy.spans[0].policy_document).Statement[0].Condition.StringEquals["aws:SourceAccount"] == data.aws_caller_identity.current.account_id
    error_message = "Only this account's X-Ray may write its spans."
  }
}

run "all" {
  variables {
    backends = {
      cloudwatch = {}
      datadog    = { endpoint = "https://api.datadoghq.eu" }
      newrelic   = {}
      elk        = { endpoint = "https://apm.example.com:8200" }
      tick       = { endpoint = "http://telegraf.internal:4317" }
    }
  }

  assert {
    condition     = output.secret_names == { datadog = "menagerie/observability/datadog", newrelic = "menagerie/observability/newrelic", elk = "menagerie/observability/elk" }
    error_message = "What is written to with a key has a secret."
  }

  assert {
    condition     = output.observability.datadog.endpoint == "https://api.datadoghq.eu" && output.observability.elk.secret != null && output.observability.tick.secret == null
    error_message = "Environments are told of each."
  }
}

run "none" {
  variables {
    backends = {}
  }

  assert {
    condition     = length(output.observability) == 0 && length(aws_xray_trace_segment_destination.this) == 0 && length(aws_secretsmanager_secret.key) == 0
    error_message = "Where no backend is wanted, nothing of the account is changed."
  }
}
