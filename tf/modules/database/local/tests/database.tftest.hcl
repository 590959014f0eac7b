variables {
  name    = "calm-otter"
  network = null
}

run "unknown_engine" {
  command = plan

  variables {
    engine = "oracle"
  }

  expect_failures = [var.engine]
}

run "name_with_capitals" {
  command = plan

  variables {
    name = "Calm_Otter"
  }

  expect_failures = [var.name]
}

run "network_of_a_cloud" {
  command = plan

  variables {
    network = { vpc_id = "vpc-1", cidr_block = "10.0.0.0/16", database_subnet_ids = [] }
  }

  expect_failures = [menagerie_database.this]
}

run "size_that_is_none" {
  command = plan

  variables {
    size = "huge"
  }

  expect_failures = [var.size]
}

run "protected_from_deletion" {
  command = plan

  variables {
    disposable = false
  }

  expect_failures = [menagerie_database.this]
}

run "sqlite" {
  variables {
    engine = "sqlite"
  }

  assert {
    condition     = output.endpoint == null && output.security_group_id == null
    error_message = "A file listens nowhere."
  }

  assert {
    condition     = startswith(output.connection_secret, "file:///")
    error_message = "The URL of the database is in a file."
  }

  assert {
    condition     = output.environment == {} && output.secrets == { DATABASE_URL = output.connection_secret }
    error_message = "The application is told where that file is."
  }
}

run "engine_of_the_platform" {
  variables {
    name = "brave-otter"
  }

  assert {
    condition     = contains(["postgres", "sqlite"], menagerie_database.this.engine)
    error_message = "The platform chooses an engine."
  }

  assert {
    condition     = (output.endpoint != null) == (menagerie_database.this.engine == "postgres")
    error_message = "A server listens somewhere."
  }
}
