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
    condition = alltrue([
      for output in [output.network, output.database_id, output.alarm_topic_arn, output.permissions_boundary_arn] : output == null
    ])
    error_message = "This machine has no network of its own, no alarms and no roles."
  }
}

run "unknown_engine" {
  command = plan

  variables {
    database_engine = "oracle"
  }

  expect_failures = [var.database_engine]
}

run "size_that_is_none" {
  command = plan

  variables {
    size = "huge"
  }

  expect_failures = [var.size]
}

run "name_with_two_hyphens" {
  command = plan

  variables {
    name = "calm--otter"
  }

  expect_failures = [var.name]
}
