variables {
  name      = "calm-otter"
  exporters = { debug = {} }
  pipelines = { traces = ["debug"], metrics = ["debug"], logs = ["debug"] }
}

run "floating_image" {
  command = plan

  variables {
    image = "otel/opentelemetry-collector-contrib:latest"
  }

  expect_failures = [var.image]
}

run "image_without_tag" {
  command = plan

  variables {
    image = "registry.example:5000/otel/opentelemetry-collector-contrib"
  }

  expect_failures = [var.image]
}

run "image_that_is_too_old" {
  command = plan

  variables {
    image = "otel/opentelemetry-collector-contrib:0.119.0"
  }

  expect_failures = [var.image]
}

run "image_that_is_just_new_enough" {
  command = plan

  variables {
    image = "registry.example/otel/opentelemetry-collector-contrib:0.144.0"
  }
}

run "signal_that_goes_nowhere" {
  command = plan

  variables {
    pipelines = { traces = ["debug"], metrics = ["debug"], logs = [] }
  }

  expect_failures = [var.pipelines]
}

run "pinned_image" {
  command = plan

  assert {
    condition     = can(regex(":[0-9.]+@sha256:[0-9a-f]{64}$", output.collector.image))
    error_message = "The collector's own image has a version to read and a digest."
  }
}

run "least" {
  command = plan

  assert {
    condition     = yamldecode(output.collector.config).service.extensions == ["health_check"] && length(output.collector.secrets) == 0
    error_message = "Without more, there is a health check and no secret."
  }

  assert {
    condition = alltrue([
      for pipeline in values(yamldecode(output.collector.config).service.pipelines) :
      pipeline.receivers == ["otlp"] && pipeline.processors == ["memory_limiter", "resource", "batch"] && pipeline.exporters == ["debug"]
    ])
    error_message = "The three pipelines are alike."
  }

  assert {
    condition     = yamldecode(output.collector.config).processors.resource.attributes[0].value == "calm-otter"
    error_message = "What is sent says which environment it is of."
  }
}

run "most" {
  command = plan

  variables {
    image             = "registry.example:5000/collector:1.0"
    exporters         = { debug = {}, otlp_http = { endpoint = "https://example.com", headers = { authorization = "$${env:KEY}" } } }
    pipelines         = { traces = ["otlp_http"], metrics = ["debug", "otlp_http"], logs = ["debug"] }
    extensions        = { basicauth = {} }
    connectors        = { "datadog/connector" = {} }
    metric_processors = { cumulativetodelta = {} }
    secrets           = { KEY = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:key" }
  }

  assert {
    condition     = yamldecode(output.collector.config).service.pipelines.metrics.processors == ["memory_limiter", "resource", "cumulativetodelta", "batch"]
    error_message = "Metrics pass their own processors before they are batched."
  }

  assert {
    condition     = yamldecode(output.collector.config).service.pipelines.traces.processors == ["memory_limiter", "resource", "batch"]
    error_message = "Other signals do not."
  }

  assert {
    condition     = yamldecode(output.collector.config).service.pipelines.metrics.receivers == ["otlp", "datadog/connector"] && yamldecode(output.collector.config).service.pipelines.traces.exporters == ["otlp_http", "datadog/connector"]
    error_message = "A connector takes traces and gives metrics."
  }

  assert {
    condition     = yamldecode(output.collector.config).service.extensions == ["health_check", "basicauth"]
    error_message = "Extensions are begun with, the health check first."
  }

  assert {
    condition     = yamldecode(output.collector.config).exporters.otlp_http.headers.authorization == "$${env:KEY}" && output.collector.secrets.KEY != null
    error_message = "The configuration names the secret, and the hosting sets it."
  }
}
