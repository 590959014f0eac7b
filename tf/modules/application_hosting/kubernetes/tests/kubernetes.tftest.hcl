provider "aws" {
  region = "eu-central-1"
}

provider "kubernetes" {}

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
    condition     = output.service_id == "calm-otter/app" && startswith(output.url, "http://")
    error_message = "The service is the deployment in the environment's namespace, and answers over HTTP."
  }

  assert {
    condition     = kubernetes_namespace_v1.this.metadata[0].labels["pod-security.kubernetes.io/enforce"] == "restricted"
    error_message = "The namespace takes restricted pods only."
  }

  assert {
    condition = output.fault_targets == {
      kind = "kubernetes:pod"
      selector = {
        namespace = "calm-otter"
        labels    = { "app.kubernetes.io/instance" = "calm-otter", "app.kubernetes.io/name" = "app" }
      }
    }
    error_message = "The replicas are found by namespace and labels."
  }

  assert {
    condition     = output.log_group == null && output.security_group_id == null && output.alarm_dimensions == null
    error_message = "A cluster that may be any has neither log groups, security groups nor CloudWatch."
  }
}

run "image_without_tag" {
  command = plan

  variables {
    image = "registry.example:5000/app"
  }

  expect_failures = [kubernetes_namespace_v1.this]
}

run "image_that_moves" {
  command = plan

  variables {
    image = "registry.example/app:latest"
  }

  expect_failures = [kubernetes_namespace_v1.this]
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

  expect_failures = [kubernetes_namespace_v1.this]
}

run "variable_with_a_hyphen" {
  command = plan

  variables {
    environment = { "LOG-LEVEL" = "debug" }
  }

  expect_failures = [kubernetes_namespace_v1.this]
}

run "variable_that_is_a_secret_too" {
  command = plan

  variables {
    environment = { PGPASSWORD = "" }
    secrets     = { PGPASSWORD = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-AbCdEf" }
  }

  expect_failures = [kubernetes_namespace_v1.this]
}

run "domain" {
  command = plan

  variables {
    domain = { name = "calm-otter.example.com", zone_id = "Z1", certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/1" }
  }

  expect_failures = [kubernetes_namespace_v1.this]
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

  expect_failures = [kubernetes_namespace_v1.this]
}
