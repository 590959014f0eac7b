variables {
  name            = "calm-otter"
  database_engine = "sqlite"
}

run "outputs" {
  assert {
    condition     = output.environment == { MENAGERIE_ENVIRONMENT = "calm-otter" }
    error_message = "The application is told the name of its environment."
  }

  assert {
    condition     = keys(output.secrets) == ["DATABASE_URL"] && startswith(output.secrets.DATABASE_URL, "file:///")
    error_message = "The application is told where the URL of its database is."
  }

  assert {
    condition     = output.network == null && startswith(output.collector.endpoint, "http://127.0.0.1:")
    error_message = "This machine has no network of its own, and a collector on its loopback."
  }
}

run "unknown_engine" {
  command = plan

  variables {
    database_engine = "oracle"
  }

  expect_failures = [var.database_engine]
}

run "name_with_two_hyphens" {
  command = plan

  variables {
    name = "calm--otter"
  }

  expect_failures = [var.name]
}
