variables {
  name = "calm-otter"
}

run "name_with_capitals" {
  command = plan

  variables {
    name = "Calm_Otter"
  }

  expect_failures = [var.name]
}

run "telemetry_for_no_time" {
  command = plan

  variables {
    log_retention_days = 0
  }

  expect_failures = [var.log_retention_days]
}

run "image_of_a_collector" {
  command = plan

  variables {
    collector_image = "otel@sha256:0"
  }

  expect_failures = [menagerie_collector.this]
}

run "backend_elsewhere" {
  command = plan

  variables {
    endpoint = "https://otlp.example.com"
  }

  expect_failures = [menagerie_collector.this]
}

run "alarms" {
  command = plan

  variables {
    alarm_dimensions = { LoadBalancer = "app/calm-otter/1" }
  }

  expect_failures = [menagerie_collector.this]
}

run "receives" {
  assert {
    condition     = can(regex("^http://127\\.0\\.0\\.1:[0-9]+$", output.collector.endpoint))
    error_message = "The collector listens on this machine's loopback."
  }

  assert {
    condition     = startswith(output.location, "/") && menagerie_collector.this.status == "running"
    error_message = "The collector runs once it is applied, and keeps what it gets in a directory."
  }
}

run "keeps_its_port" {
  assert {
    condition     = output.collector == run.receives.collector
    error_message = "A second apply leaves the collector where it is."
  }
}
