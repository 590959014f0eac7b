variables {
  region     = "eu-central-1"
  owner      = "platform"
  repository = "example/guestbook"
  image      = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/menagerie/application@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

  collector_image = "registry.example/collector:0.140.0"

  domain = {
    name            = "www.example.com"
    zone_id         = "Z0123456789ABCDEFGHIJ"
    certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
  }
}

run "plans" {
  command = plan

  assert {
    condition     = output.url == "https://www.example.com"
    error_message = "Production answers over HTTPS."
  }
}

run "image_by_its_tag" {
  command = plan

  variables {
    image = "registry.example/app:1.4.2"
  }

  expect_failures = [var.image]
}

run "one_replica" {
  command = plan

  variables {
    desired_count = 1
  }

  expect_failures = [var.desired_count]
}

run "small_database" {
  command = plan

  variables {
    database_size = "small"
  }

  expect_failures = [var.database_size]
}

run "logs_for_a_week" {
  command = plan

  variables {
    log_retention_days = 7
  }

  expect_failures = [var.log_retention_days]
}

run "host_name_that_is_a_url" {
  command = plan

  variables {
    domain = {
      name            = "https://www.example.com"
      zone_id         = "Z0123456789ABCDEFGHIJ"
      certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
    }
  }

  expect_failures = [var.domain]
}

run "for_nobody" {
  command = plan

  variables {
    ingress_cidrs = []
  }

  expect_failures = [var.ingress_cidrs]
}
