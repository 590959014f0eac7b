provider "aws" {
  region = "eu-central-1"

  default_tags {
    tags = { environment = "calm-otter" }
  }
}

variables {
  name          = "calm-otter"
  image         = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/team/app@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  size          = { cpu = 256, memory = 512 }
  network       = { vpc_id = "vpc-1", public_subnet_ids = ["subnet-1", "subnet-2"], private_subnet_ids = ["subnet-3", "subnet-4"] }
  ingress_cidrs = ["10.0.0.0/8"]
}

run "defaults" {
  assert {
    condition     = startswith(output.url, "http://") && output.log_group == "/menagerie/calm-otter/application"
    error_message = "It answers over HTTP at the load balancer's name, and its logs have a group of their own."
  }

  assert {
    condition     = output.fault_targets == { kind = "aws:ecs:task", selector = { cluster = aws_ecs_cluster.this.arn, service = "calm-otter" } }
    error_message = "The replicas are the tasks of a service."
  }

  assert {
    condition     = output.alarm_dimensions == module.load_balancer.alarm_dimensions && output.security_group_id == aws_security_group.this.id
    error_message = "Alarms and rules find it."
  }

  assert {
    condition     = aws_ecs_service.this.desired_count == 1 && aws_ecs_service.this.wait_for_steady_state && aws_ecs_service.this.deployment_circuit_breaker[0].rollback
    error_message = "One replica runs; an apply waits for it, and a deployment that fails is taken back."
  }

  assert {
    condition     = aws_ecs_service.this.propagate_tags == "SERVICE" && aws_ecs_service.this.availability_zone_rebalancing == "ENABLED"
    error_message = "Tasks have the tags of the service, and stay spread over zones."
  }

  assert {
    condition     = !aws_ecs_service.this.network_configuration[0].assign_public_ip && aws_ecs_service.this.network_configuration[0].subnets == toset(["subnet-3", "subnet-4"])
    error_message = "Replicas have no public addresses."
  }

  assert {
    condition     = [for container in jsondecode(aws_ecs_task_definition.this.container_definitions) : container.name] == ["application"]
    error_message = "Without a collector the application is alone."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment == [{ name = "PORT", value = "8080" }]
    error_message = "The application is told where to listen, and no more."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].readonlyRootFilesystem
    error_message = "A replica can't change its own files."
  }

  assert {
    condition     = one([for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement : statement if statement.Sid == "PullImages"]).Resource == ["arn:aws:ecr:eu-central-1:123456789012:repository/team/app"]
    error_message = "It may pull its own image, and no other."
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement : statement.Sid] == ["WriteLogs", "SignIn", "PullImages"]
    error_message = "Without secrets it may read none."
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.task.policy).Statement : statement.Sid] == ["ListBucket", "UseObjects"]
    error_message = "Without a collector the application may use its bucket, and no more."
  }

  assert {
    condition     = aws_iam_role.task.permissions_boundary == null && aws_ecs_service.this.tags_all.environment == "calm-otter"
    error_message = "Without a boundary there is none, and the tags that everything has are there."
  }
}

run "everything" {
  variables {
    name          = "abcdefghijklmnopqrstuvwx"
    port          = 3000
    desired_count = 3
    environment   = { LOG_LEVEL = "debug", QUOTES = "a \"b\" 'c' $HOME $${x} %%{y}\nsecond line" }
    secrets = {
      PGPASSWORD = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-1-AbCdEf:password::"
      PGUSER     = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-1-AbCdEf:username::"
    }
    collector = {
      image   = "public.ecr.aws/otel/collector@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
      config  = "receivers: {}\n"
      secrets = { API_KEY = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:backend-AbCdEf" }
    }
    domain                   = { name = "otter.example.com", zone_id = "Z1", certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/1" }
    ingress_cidrs            = ["0.0.0.0/0"]
    public                   = true
    permissions_boundary_arn = "arn:aws:iam::123456789012:policy/boundary"
    log_retention_days       = 30
  }

  assert {
    condition     = output.url == "https://otter.example.com" && aws_cloudwatch_log_group.this.retention_in_days == 30
    error_message = "It answers at the domain."
  }

  assert {
    condition     = [for container in jsondecode(aws_ecs_task_definition.this.container_definitions) : "${container.name} ${container.essential}"] == ["application true", "collector false"]
    error_message = "The collector is beside the application, which lives without it."
  }

  assert {
    condition = { for variable in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment : variable.name => variable.value } == {
      LOG_LEVEL                   = "debug"
      OTEL_EXPORTER_OTLP_ENDPOINT = "http://localhost:4318"
      OTEL_RESOURCE_ATTRIBUTES    = "deployment.environment.name=abcdefghijklmnopqrstuvwx"
      OTEL_SERVICE_NAME           = "abcdefghijklmnopqrstuvwx"
      PORT                        = "3000"
      QUOTES                      = "a \"b\" 'c' $HOME $${x} %%{y}\nsecond line"
    }
    error_message = "Values are as given, and the application is told where the collector is."
  }

  assert {
    condition     = [for secret in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].secrets : secret.name] == ["PGPASSWORD", "PGUSER"]
    error_message = "The application gets its own secrets, not the collector's."
  }

  assert {
    condition     = [for secret in jsondecode(aws_ecs_task_definition.this.container_definitions)[1].secrets : secret.name] == ["API_KEY"]
    error_message = "The collector gets its own secrets, not the application's."
  }

  assert {
    condition = toset(one([for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement : statement if statement.Sid == "ReadSecrets"]).Resource) == toset([
      "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-1-AbCdEf",
      "arn:aws:secretsmanager:eu-central-1:123456789012:secret:backend-AbCdEf",
    ])
    error_message = "It may read exactly the secrets that it is given."
  }

  assert {
    condition     = aws_iam_role.task.permissions_boundary == "arn:aws:iam::123456789012:policy/boundary" && aws_iam_role.execution.permissions_boundary == "arn:aws:iam::123456789012:policy/boundary"
    error_message = "Every role has the boundary."
  }

  assert {
    condition     = contains([for statement in jsondecode(aws_iam_role_policy.task.policy).Statement : statement.Sid], "WriteTraces")
    error_message = "The collector beside a replica may write telemetry."
  }
}

run "collector_elsewhere" {
  command = plan

  variables {
    collector   = { endpoint = "http://telegraf.internal:4318" }
    environment = { OTEL_SERVICE_NAME = "mine", PORT = "1" }
  }

  assert {
    condition = { for variable in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment : variable.name => variable.value } == {
      OTEL_EXPORTER_OTLP_ENDPOINT = "http://telegraf.internal:4318"
      OTEL_RESOURCE_ATTRIBUTES    = "deployment.environment.name=calm-otter"
      OTEL_SERVICE_NAME           = "mine"
      PORT                        = "8080"
    }
    error_message = "The application is told where the collector is and may say more itself, but not where it listens."
  }

  assert {
    condition     = length(jsondecode(aws_ecs_task_definition.this.container_definitions)) == 1
    error_message = "A collector that runs elsewhere is not beside the application."
  }
}

run "medium" {
  command = plan

  variables {
    size = { cpu = 512, memory = 1024 }
  }

  assert {
    condition     = aws_ecs_task_definition.this.cpu == "512" && aws_ecs_task_definition.this.memory == "1024"
    error_message = "A task has the size of a replica."
  }
}

run "large" {
  command = plan

  variables {
    size          = { cpu = 1024, memory = 2048 }
    desired_count = 20
  }

  assert {
    condition     = aws_ecs_task_definition.this.cpu == "1024" && aws_ecs_service.this.desired_count == 20
    error_message = "A task has the size of a replica."
  }
}

run "nothing_runs" {
  command = plan

  variables {
    desired_count = 0
    image         = "registry.example.com:5000/app:1.2.3"
  }

  assert {
    condition     = aws_ecs_service.this.desired_count == 0
    error_message = "An environment may sleep; a tag other than `latest` pins an image, also behind a port."
  }
}

run "image_without_tag" {
  command = plan

  variables {
    image = "registry.example.com:5000/app"
  }

  expect_failures = [aws_ecs_task_definition.this]
}

run "image_of_the_day" {
  command = plan

  variables {
    image = "app:latest"
  }

  expect_failures = [aws_ecs_task_definition.this]
}

run "image_by_half_a_digest" {
  command = plan

  variables {
    image = "app@sha256:abc"
  }

  expect_failures = [aws_ecs_task_definition.this]
}

run "size_that_fargate_has_not" {
  command = plan

  variables {
    size = { cpu = 256, memory = 768 }
  }

  expect_failures = [aws_ecs_task_definition.this]
}

run "cpu_that_fargate_has_not" {
  command = plan

  variables {
    size = { cpu = 300, memory = 512 }
  }

  expect_failures = [aws_ecs_task_definition.this]
}

run "name_that_no_variable_has" {
  command = plan

  variables {
    environment = { "A-B" = "c" }
  }

  expect_failures = [aws_ecs_task_definition.this]
}

run "too_much_for_a_task_definition" {
  command = plan

  variables {
    environment = { LONG = join("", [for number in range(1000) : format("%064d", number)]) }
  }

  expect_failures = [aws_ecs_task_definition.this]
}

run "secret_that_is_a_value" {
  command = plan

  variables {
    secrets = { PGPASSWORD = "hunter2" }
  }

  expect_failures = [aws_iam_role_policy.execution]
}

run "secret_of_another_store" {
  command = plan

  variables {
    collector = {
      image   = "otel:1"
      config  = ""
      secrets = { API_KEY = "arn:aws:ssm:eu-central-1:123456789012:parameter/key" }
    }
  }

  expect_failures = [aws_iam_role_policy.execution]
}

run "port_of_the_collector" {
  command = plan

  variables {
    port      = 4317
    collector = { image = "otel:1", config = "" }
  }

  expect_failures = [aws_cloudwatch_log_group.this]
}

run "logs_for_two_days" {
  command = plan

  variables {
    log_retention_days = 2
  }

  expect_failures = [aws_cloudwatch_log_group.this]
}

run "no_network" {
  command = plan

  variables {
    network = null
  }

  expect_failures = [aws_security_group.this]
}

run "everyone_without_saying_so" {
  command = plan

  variables {
    ingress_cidrs = ["0.0.0.0/0"]
  }

  expect_failures = [var.ingress_cidrs]
}
