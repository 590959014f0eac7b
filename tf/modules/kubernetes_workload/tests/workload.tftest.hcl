provider "aws" {
  region = "eu-central-1"
}

provider "kubernetes" {}

variables {
  name              = "calm-otter"
  namespace         = "calm-otter"
  image             = "registry.example/app:1.4.2"
  port              = 8080
  size              = { cpu = 256, memory = 512 }
  desired_count     = 2
  environment       = {}
  secrets           = {}
  health_check_path = "/healthz"
  ingress_cidrs     = ["10.0.0.0/8"]
}

run "restricted" {
  command = plan

  assert {
    condition     = kubernetes_deployment_v1.this.spec[0].template[0].spec[0].security_context[0].run_as_non_root && !kubernetes_deployment_v1.this.spec[0].template[0].spec[0].automount_service_account_token
    error_message = "Pods run as another user than root, and have no token of the cluster."
  }

  assert {
    condition = alltrue([for container in kubernetes_deployment_v1.this.spec[0].template[0].spec[0].container :
    container.security_context[0].read_only_root_filesystem && !container.security_context[0].allow_privilege_escalation && container.security_context[0].capabilities[0].drop == tolist(["ALL"])])
    error_message = "No container writes to its root file system, gains privileges or has capabilities."
  }

  assert {
    condition     = kubernetes_deployment_v1.this.spec[0].template[0].spec[0].container[0].resources[0].requests == tomap({ cpu = "250m", memory = "512Mi" })
    error_message = "1,024 units of CPU are 1,000 milli-CPUs."
  }

  assert {
    condition     = kubernetes_service_v1.this.spec[0].load_balancer_source_ranges == toset(["10.0.0.0/8"])
    error_message = "The load balancer takes what `ingress_cidrs` names only."
  }

  assert {
    condition     = length(kubernetes_secret_v1.this) == 0 && length(kubernetes_config_map_v1.collector) == 0
    error_message = "Nothing is made for what is not there."
  }
}

run "for_nobody" {
  command = plan

  variables {
    ingress_cidrs = []
  }

  assert {
    condition     = kubernetes_service_v1.this.spec[0].load_balancer_source_ranges == toset(["192.0.2.0/32"])
    error_message = "The load balancer takes nobody, where Kubernetes would take everyone."
  }
}

run "values_are_taken_as_they_are" {
  command = plan

  variables {
    environment = { A = "$(PORT) $$ 100$" }
  }

  assert {
    condition     = { for env in kubernetes_deployment_v1.this.spec[0].template[0].spec[0].container[0].env : env.name => env.value } == { A = "$$(PORT) $$$$ 100$$", PORT = "8080" }
    error_message = "Kubernetes is told to replace nothing."
  }
}

run "secrets_and_collector" {
  variables {
    secrets = { PGPASSWORD = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-AbCdEf" }
    collector = {
      image   = "registry.example/collector:0.140.0"
      config  = "receivers: {}"
      secrets = { API_KEY = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:key-AbCdEf" }
    }
  }

  assert {
    condition     = keys(kubernetes_secret_v1.this) == ["app", "collector"] && alltrue([for secret in kubernetes_secret_v1.this : secret.data_wo == null && length(coalesce(secret.data, {})) == 0])
    error_message = "Each container has its own secrets, and none is in the state."
  }

  assert {
    condition     = [for env in kubernetes_deployment_v1.this.spec[0].template[0].spec[0].container[0].env : env.value_from[0].secret_key_ref[0].name if env.name == "PGPASSWORD"] == ["app-secrets"]
    error_message = "The application reads its secret from the cluster."
  }

  assert {
    condition     = kubernetes_config_map_v1.collector[0].data["config.yaml"] == "receivers: {}" && length(kubernetes_deployment_v1.this.spec[0].template[0].spec[0].container) == 2
    error_message = "Each replica has a collector with its configuration."
  }

  assert {
    condition     = { for env in kubernetes_deployment_v1.this.spec[0].template[0].spec[0].container[0].env : env.name => env.value if env.name == "OTEL_EXPORTER_OTLP_ENDPOINT" } == { OTEL_EXPORTER_OTLP_ENDPOINT = "http://localhost:4318" }
    error_message = "The application sends to the collector beside it."
  }
}

run "another_reference" {
  variables {
    secrets = { PGPASSWORD = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:db2-AbCdEf" }
  }

  assert {
    condition     = kubernetes_secret_v1.this["app"].data_wo_revision == local.secrets_revision
    error_message = "Secrets are written again, when a reference is another."
  }
}

run "https" {
  command = plan

  variables {
    load_balancer = { class = "eks.amazonaws.com/nlb", https = true }
  }

  assert {
    condition     = kubernetes_service_v1.this.spec[0].port[0].port == 443 && kubernetes_service_v1.this.spec[0].port[0].target_port == "8080"
    error_message = "The load balancer listens at 443, and speaks plainly to the application."
  }
}
