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
    condition     = output.fault_targets == { kind = "aws:ec2:instance", selector = { autoscaling_group = "calm-otter" } }
    error_message = "The replicas are the instances of a group."
  }

  assert {
    condition     = output.alarm_dimensions == module.fleet.alarm_dimensions && output.security_group_id == module.fleet.security_group_id && output.service_id == module.fleet.id
    error_message = "Alarms and rules find it."
  }

  assert {
    condition     = keys(local.project.services) == ["application"] && local.project.services.application.environment == { PORT = "8080" }
    error_message = "The application is alone, and is told where to listen."
  }

  assert {
    condition     = !contains(keys(local.project.services.application), "command")
    error_message = "An empty list of arguments would replace those of the image."
  }

  assert {
    condition     = local.project.services.application.cpus == 0.25 && local.project.services.application.mem_limit == "512m" && local.project.services.application.read_only
    error_message = "A replica has its size, and can't change its own files."
  }

  assert {
    condition     = !strcontains(local.start_script, "fetch_secret")
    error_message = "Without secrets none is fetched."
  }
}

run "values_stay_values" {
  variables {
    environment = { HOSTILE = "it's \"$HOME\" `id` $(id)\n'; reboot; ' $${x} %%{y}" }
    secrets = {
      PGPASSWORD = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-1-AbCdEf:password::"
    }
    collector = {
      image   = "public.ecr.aws/otel/collector@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
      config  = "key: $${env:API_KEY}\n"
      secrets = { API_KEY = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:backend-AbCdEf" }
    }
  }

  assert {
    condition     = yamldecode(yamlencode(local.project)).services.application.environment.HOSTILE == join("", ["it's \"$$HOME\" `id` $$(id)\n'; reboot; ' $", "$${x} %%{y}"])
    error_message = "A value is a literal of Compose's."
  }

  assert {
    condition     = strcontains(local.start_script, "'${replace(yamlencode(local.project), "'", "'\\''")}' >/etc/menagerie/compose.yaml") && !strcontains(yamlencode(local.project), "arn:")
    error_message = "The file is a literal of the shell's, and no secret is in it."
  }

  assert {
    condition     = strcontains(local.start_script, "value=$(fetch_secret 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-1-AbCdEf' 'eu-central-1' 'password' '' '')\nsecrets=$(value=$value jq --arg service application --arg variable 'PGPASSWORD' ")
    error_message = "A secret is fetched on the instance, not written into its user data."
  }

  assert {
    condition     = strcontains(local.start_script, "'arn:aws:secretsmanager:eu-west-1:123456789012:secret:backend-AbCdEf' 'eu-west-1' '' '' '')\nsecrets=$(value=$value jq --arg service collector --arg variable 'API_KEY' ")
    error_message = "The collector gets its own secret, from the region where it is."
  }

  assert {
    condition     = local.project.services.collector.environment.OTEL_CONFIG == join("", ["key: $", "$${env:API_KEY}\n"]) && local.project.services.collector.command == ["--config=env:OTEL_CONFIG"]
    error_message = "The collector has its configuration."
  }
}

run "medium" {
  command = plan

  variables {
    size          = { cpu = 512, memory = 1024 }
    desired_count = 2
  }

  assert {
    condition     = module.replica.size == { cpu = 512, memory = 1024 }
    error_message = "Without a collector the instance is for the application alone."
  }
}

run "large" {
  command = plan

  variables {
    name          = "abcdefghijklmnopqrstuvwx"
    size          = { cpu = 1024, memory = 2048 }
    desired_count = 20
    domain        = { name = "otter.example.com", zone_id = "Z1", certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/1" }
    public        = true
    ingress_cidrs = ["0.0.0.0/0"]
    disposable    = false
  }

  assert {
    condition     = output.url == "https://otter.example.com"
    error_message = "It answers at the domain."
  }
}

run "image_of_the_day" {
  command = plan

  variables {
    image = "app:latest"
  }

  expect_failures = [aws_cloudwatch_log_group.this]
}

run "name_that_no_variable_has" {
  command = plan

  variables {
    environment = { "A; reboot" = "c" }
  }

  expect_failures = [aws_cloudwatch_log_group.this]
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

  expect_failures = [aws_cloudwatch_log_group.this]
}

run "everyone_without_saying_so" {
  command = plan

  variables {
    ingress_cidrs = ["0.0.0.0/0"]
  }

  expect_failures = [var.ingress_cidrs]
}
