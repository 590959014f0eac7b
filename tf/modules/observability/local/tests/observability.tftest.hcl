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
