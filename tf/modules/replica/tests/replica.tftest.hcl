provider "aws" {
  region = "eu-central-1"

  default_tags {
    tags = { environment = "calm-otter", "expires-at" = "2026-11-25T00:00:00Z" }
  }
}

variables {
  name               = "calm-otter"
  image              = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  size               = { cpu = 256, memory = 512 }
  environment        = {}
  secrets            = {}
  log_group_arn      = "arn:aws:logs:eu-central-1:123456789012:log-group:/menagerie/calm-otter/application"
  log_retention_days = 7
}

run "the_least" {
  command = plan

  assert {
    condition     = keys(output.containers) == ["application"] && output.containers.application.environment == tomap({ PORT = "8080" })
    error_message = "The application is alone, and is told where to listen."
  }

  assert {
    condition     = [for statement in output.start_statements : statement.Sid] == ["WriteLogs", "SignIn", "PullImages"] && [for statement in output.run_statements : statement.Sid] == ["ListBucket", "UseObjects"]
    error_message = "It may do what it must."
  }

  assert {
    condition     = output.start_statements[2].Resource == ["arn:aws:ecr:eu-west-1:123456789012:repository/team/app"] && output.registries == { "123456789012.dkr.ecr.eu-west-1.amazonaws.com" = "eu-west-1" }
    error_message = "It may pull its own image, wherever that is, and no other."
  }

  assert {
    condition     = output.refusals == { image = "", port = "", variables = "", secrets = "", log_retention = "" }
    error_message = "Nothing is at fault."
  }

  assert {
    condition     = output.size == { cpu = 256, memory = 512 } && output.port == 8080
    error_message = "It needs what it is given."
  }
}

run "everything" {
  command = plan

  variables {
    image       = "registry.example.com:5000/team/app:1.2.3"
    port        = 3000
    size        = { cpu = 1024, memory = 4096 }
    environment = { PORT = "1", OTEL_SERVICE_NAME = "mine" }
    secrets = {
      PLAIN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:a/b+c=d.e@f-AbCdEf"
      PART  = "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:rds!db-1-AbCdEf:password:AWSCURRENT:11111111-2222-3333-4444-555555555555"
    }
    collector = {
      image   = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/otel:0.1"
      config  = "receivers: {}"
      secrets = { PART = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:backend-AbCdEf" }
    }
  }

  assert {
    condition = output.containers.application.environment == tomap({
      OTEL_EXPORTER_OTLP_ENDPOINT = "http://localhost:4318"
      OTEL_RESOURCE_ATTRIBUTES    = "deployment.environment.name=calm-otter"
      OTEL_SERVICE_NAME           = "mine"
      PORT                        = "3000"
    })
    error_message = "The application may say more itself, but not where it listens."
  }

  assert {
    condition     = output.containers.collector.environment == tomap({ GOMEMLIMIT = "204MiB", OTEL_CONFIG = "receivers: {}" }) && output.containers.collector.memory == 256
    error_message = "The collector has its configuration, and its own memory."
  }

  assert {
    condition     = output.size == { cpu = 1024, memory = 4352 }
    error_message = "Containers that share an instance need their memory together."
  }

  assert {
    condition = toset(one([for statement in output.start_statements : statement if statement.Sid == "ReadSecrets"]).Resource) == toset([
      "arn:aws:secretsmanager:eu-central-1:123456789012:secret:a/b+c=d.e@f-AbCdEf",
      "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:rds!db-1-AbCdEf",
      "arn:aws:secretsmanager:eu-central-1:123456789012:secret:backend-AbCdEf",
    ])
    error_message = "It may read exactly its secrets, those of the collector with the same name too."
  }

  assert {
    condition = output.secret_parts.application.PART == {
      arn     = "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:rds!db-1-AbCdEf"
      region  = "us-gov-west-1"
      key     = "password"
      stage   = "AWSCURRENT"
      version = "11111111-2222-3333-4444-555555555555"
    }
    error_message = "A reference says which part of a secret is meant."
  }

  assert {
    condition     = output.secret_parts.application.PLAIN.key == "" && output.secret_parts.collector.PART.arn == "arn:aws:secretsmanager:eu-central-1:123456789012:secret:backend-AbCdEf"
    error_message = "A reference without a part is the whole secret."
  }

  assert {
    condition     = output.refusals == { image = "", port = "", variables = "", secrets = "", log_retention = "" } && length(output.run_statements) == 5
    error_message = "Nothing is at fault, and the collector may write telemetry."
  }
}

run "images_of_the_hub" {
  command = plan

  variables {
    image = "nginx:1.29"
  }

  assert {
    condition     = output.refusals.image == "" && output.registries == {} && length(output.start_statements) == 1
    error_message = "An image of another registry takes no permission."
  }
}

run "image_that_is_an_option" {
  command = plan

  variables {
    image = "--privileged:1"
  }

  assert {
    condition     = output.refusals.image != ""
    error_message = "A value never becomes an option."
  }
}

run "image_with_a_space" {
  command = plan

  variables {
    image = "app 1:1"
  }

  assert {
    condition     = output.refusals.image != ""
    error_message = "An image has no spaces."
  }
}

run "tag_and_digest" {
  command = plan

  variables {
    image = "registry.example.com/app:latest@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  }

  assert {
    condition     = output.refusals.image == ""
    error_message = "Beside a digest a tag says nothing."
  }
}

run "port_that_is_no_tag" {
  command = plan

  variables {
    image = "registry.example.com:5000/app"
  }

  assert {
    condition     = output.refusals.image != ""
    error_message = "A port is no tag."
  }
}

run "collector_of_the_day" {
  command = plan

  variables {
    collector = { image = "otel:latest", config = "" }
  }

  assert {
    condition     = output.refusals.image != ""
    error_message = "The collector's image is pinned too."
  }
}

run "port_of_the_collector" {
  command = plan

  variables {
    port      = 4318
    collector = { image = "otel:1", config = "" }
  }

  assert {
    condition     = strcontains(output.refusals.port, "can't be 4318")
    error_message = "Two can't listen on one port."
  }
}

run "port_of_a_collector_elsewhere" {
  command = plan

  variables {
    port      = 4318
    collector = { endpoint = "http://telegraf.internal:4318" }
  }

  assert {
    condition     = output.refusals.port == ""
    error_message = "A collector elsewhere takes no port here."
  }
}

run "value_in_the_place_of_a_reference" {
  command = plan

  variables {
    secrets = { PGPASSWORD = "hunter2" }
  }

  assert {
    condition     = output.refusals.secrets != "" && !strcontains(output.refusals.secrets, "hunter2")
    error_message = "A value is refused, and not shown."
  }
}

# IAM would let nobody read it: its policies know whole ARNs only.
run "reference_by_half_an_arn" {
  command = plan

  variables {
    secrets = { PGPASSWORD = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:app" }
  }

  assert {
    condition     = output.refusals.secrets != ""
    error_message = "A reference is a whole ARN."
  }
}

run "variable_with_a_hyphen" {
  command = plan

  variables {
    secrets = { "A-B" = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:a-AbCdEf" }
  }

  assert {
    condition     = output.refusals.variables != ""
    error_message = "A variable's name has no hyphen."
  }
}

run "logs_for_two_days" {
  command = plan

  variables {
    log_retention_days = 2
  }

  assert {
    condition     = strcontains(output.refusals.log_retention, "can't be 2")
    error_message = "CloudWatch takes only some numbers of days."
  }
}
