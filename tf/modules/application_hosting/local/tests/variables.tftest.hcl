variables {
  name          = "calm-otter"
  image         = "/usr/bin/env"
  size          = { cpu = 256, memory = 512 }
  network       = null
  ingress_cidrs = ["127.0.0.0/8"]
}

run "defaults" {
  command = plan

  assert {
    condition     = menagerie_service.this.replicas == 1 && menagerie_service.this.health_check_path == "/healthz"
    error_message = "One replica runs, and is asked for /healthz."
  }

  assert {
    condition     = menagerie_service.this.command == tolist(["/usr/bin/env"])
    error_message = "The image is what runs."
  }

  assert {
    condition     = output.security_group_id == null && output.alarm_dimensions == null
    error_message = "This machine has neither security groups nor CloudWatch."
  }
}

run "values_reach_the_service" {
  command = plan

  variables {
    port              = 18080
    desired_count     = 0
    environment       = { LOG_LEVEL = "debug" }
    secrets           = { DATABASE_URL = "file:///etc/hostname" }
    health_check_path = "/readyz"
  }

  assert {
    condition     = menagerie_service.this.port == 18080 && output.url == "http://127.0.0.1:18080"
    error_message = "A port that is given is the port."
  }

  assert {
    condition     = menagerie_service.this.replicas == 0 && menagerie_service.this.health_check_path == "/readyz"
    error_message = "Replicas and path are as given."
  }

  assert {
    condition     = menagerie_service.this.environment == tomap({ LOG_LEVEL = "debug" })
    error_message = "Variables are as given."
  }

  assert {
    condition     = menagerie_service.this.secrets == tomap({ DATABASE_URL = "file:///etc/hostname" })
    error_message = "Secrets are as given."
  }
}

run "name_with_capitals" {
  command = plan

  variables {
    name = "Calm_Otter"
  }

  expect_failures = [var.name]
}

run "name_too_long" {
  command = plan

  variables {
    name = "abcdefghijklmnopqrstuvwxy"
  }

  expect_failures = [var.name]
}

run "no_image" {
  command = plan

  variables {
    image = ""
  }

  expect_failures = [var.image]
}

run "port_of_root" {
  command = plan

  variables {
    port = 80
  }

  expect_failures = [var.port]
}

run "nothing_of_the_machine" {
  command = plan

  variables {
    size = { cpu = 0, memory = 512 }
  }

  expect_failures = [var.size]
}

run "too_many_replicas" {
  command = plan

  variables {
    desired_count = 21
  }

  expect_failures = [var.desired_count]
}

run "half_a_replica" {
  command = plan

  variables {
    desired_count = 0.5
  }

  expect_failures = [var.desired_count]
}

run "relative_health_check_path" {
  command = plan

  variables {
    health_check_path = "readyz"
  }

  expect_failures = [var.health_check_path]
}

run "no_network_in_ingress_cidrs" {
  command = plan

  variables {
    ingress_cidrs = ["127.0.0.1"]
  }

  expect_failures = [var.ingress_cidrs]
}

run "logs_for_no_time" {
  command = plan

  variables {
    log_retention_days = 0
  }

  expect_failures = [var.log_retention_days]
}

run "reachable_from_outside" {
  command = plan

  variables {
    ingress_cidrs = ["127.0.0.0/8", "10.0.0.0/8"]
  }

  expect_failures = [menagerie_service.this]
}

run "everyone_without_public" {
  command = plan

  variables {
    ingress_cidrs = ["0.0.0.0/0"]
  }

  expect_failures = [var.ingress_cidrs]
}

run "everyone" {
  command = plan

  variables {
    ingress_cidrs = ["::/0"]
    public        = true
  }

  expect_failures = [menagerie_service.this]
}

run "host_name" {
  command = plan

  variables {
    domain = { name = "calm-otter.example.com", zone_id = "Z1", certificate_arn = "arn:aws:acm:eu-central-1:111122223333:certificate/c" }
  }

  expect_failures = [menagerie_service.this]
}

run "boundary_of_roles" {
  command = plan

  variables {
    permissions_boundary_arn = "arn:aws:iam::111122223333:policy/boundary"
  }

  expect_failures = [menagerie_service.this]
}

run "protected_from_deletion" {
  command = plan

  variables {
    disposable = false
  }

  expect_failures = [menagerie_service.this]
}

run "network_of_a_cloud" {
  command = plan

  variables {
    network = { vpc_id = "vpc-1", public_subnet_ids = [], private_subnet_ids = [] }
  }

  expect_failures = [menagerie_service.this]
}

run "collector_beside_the_replicas" {
  command = plan

  variables {
    collector = { image = "otel", config = "" }
  }

  expect_failures = [menagerie_service.this]
}

run "collector_that_is_nowhere" {
  command = plan

  variables {
    collector = {}
  }

  expect_failures = [var.collector]
}

run "collector_elsewhere" {
  command = plan

  variables {
    collector   = { endpoint = "http://127.0.0.1:4318" }
    environment = { OTEL_SERVICE_NAME = "mine" }
  }

  assert {
    condition = menagerie_service.this.environment == tomap({
      OTEL_EXPORTER_OTLP_ENDPOINT = "http://127.0.0.1:4318"
      OTEL_RESOURCE_ATTRIBUTES    = "deployment.environment.name=calm-otter"
      OTEL_SERVICE_NAME           = "mine"
    })
    error_message = "The application is told where the collector is, and may say more itself."
  }
}
