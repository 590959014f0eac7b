provider "aws" {
  region = "eu-central-1"
}

provider "nomad" {
  address = "http://nomad.example:4646"
}

variables {
  name          = "calm-otter"
  image         = "registry.example/app:1.4.2"
  size          = { cpu = 256, memory = 512 }
  network       = null
  ingress_cidrs = ["10.0.0.0/8"]
}

run "applies" {
  variables {
    desired_count = 2
    secrets       = { PGPASSWORD = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-1-AbCdEf" }
    collector = {
      image   = "registry.example/collector:0.140.0"
      config  = "receivers: {}"
      secrets = { API_KEY = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:key-AbCdEf" }
    }
  }

  assert {
    condition     = output.url == "http://calm-otter.service.consul:18067"
    error_message = "The service answers at its name and the port of its name."
  }

  assert {
    condition     = nomad_job.this.purge_on_destroy && !nomad_job.this.detach
    error_message = "Apply waits for the job, and destroy leaves nothing of it."
  }

  assert {
    condition     = jsondecode(nomad_job.this.jobspec).Job.TaskGroups[0].Count == 2 && [for task in jsondecode(nomad_job.this.jobspec).Job.TaskGroups[0].Tasks : task.Name] == ["app", "collector"]
    error_message = "Each of the two replicas has a collector."
  }

  assert {
    condition     = [for variable in nomad_variable.secrets : variable.path] == ["nomad/jobs/calm-otter/app/app", "nomad/jobs/calm-otter/app/collector"]
    error_message = "Each task has a variable of its own, which Nomad lets no other task read."
  }

  assert {
    condition     = alltrue([for variable in nomad_variable.secrets : variable.items == null])
    error_message = "No secret is in the state."
  }

  assert {
    condition     = output.fault_targets == { kind = "nomad:allocation", selector = { job = "calm-otter", task_group = "app" } }
    error_message = "The replicas are found by the job."
  }
}

run "values_are_taken_as_they_are" {
  command = plan

  variables {
    port = 18080
    environment = {
      PLAIN  = "\"}} {{ key \"x\" }} $(PORT)"
      NOMAD  = "$${node.unique.name}"
      QUOTES = "'\"\\ \n$${NOMAD_TOKEN}"
    }
  }

  assert {
    condition = jsondecode(nomad_job.this.jobspec).Job.TaskGroups[0].Tasks[0].Env == {
      PLAIN = "\"}} {{ key \"x\" }} $(PORT)"
      PORT  = "18080"
    }
    error_message = "What Nomad replaces nothing in is a plain variable."
  }

  assert {
    condition = jsondecode(base64decode(regex("\"([A-Za-z0-9+/=]+)\" [|] base64Decode", jsondecode(nomad_job.this.jobspec).Job.TaskGroups[0].Tasks[0].Templates[0].EmbeddedTmpl)[0])) == {
      NOMAD  = "$${node.unique.name}"
      QUOTES = "'\"\\ \n$${NOMAD_TOKEN}"
    }
    error_message = "What Nomad would replace something in is a template that decodes it."
  }
}

run "everyone" {
  command = plan

  variables {
    ingress_cidrs = ["0.0.0.0/0"]
    public        = true
  }

  expect_failures = [nomad_job.this]
}

run "public_network" {
  command = plan

  variables {
    ingress_cidrs = ["198.51.100.0/24"]
  }

  expect_failures = [nomad_job.this]
}

run "image_without_tag" {
  command = plan

  variables {
    image = "registry.example:5000/app"
  }

  expect_failures = [nomad_job.this]
}

run "image_that_moves" {
  command = plan

  variables {
    image = "registry.example/app:latest"
  }

  expect_failures = [nomad_job.this]
}

run "image_by_digest" {
  command = plan

  variables {
    image = "registry.example:5000/app@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  }
}

run "secret_that_is_a_value" {
  command = plan

  variables {
    secrets = { PGPASSWORD = "hunter2" }
  }

  expect_failures = [terraform_data.references]
}

run "variable_with_a_hyphen" {
  command = plan

  variables {
    environment = { "LOG-LEVEL" = "debug" }
  }

  expect_failures = [nomad_job.this]
}

run "variable_that_is_a_secret_too" {
  command = plan

  variables {
    environment = { PGPASSWORD = "" }
    secrets     = { PGPASSWORD = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-AbCdEf" }
  }

  expect_failures = [nomad_job.this]
}

run "domain" {
  command = plan

  variables {
    domain = { name = "calm-otter.example.com", zone_id = "Z1", certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/1" }
  }

  expect_failures = [nomad_job.this]
}

run "everyone_by_accident" {
  command = plan

  variables {
    ingress_cidrs = ["0.0.0.0/0"]
  }

  expect_failures = [var.ingress_cidrs]
}

run "port_of_the_collector" {
  command = plan

  variables {
    port      = 4318
    collector = { image = "registry.example/collector:0.140.0", config = "receivers: {}" }
  }

  expect_failures = [nomad_job.this]
}
