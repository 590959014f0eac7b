# The application in one namespace of a Kubernetes cluster: a deployment that is spread over zones and nodes, what it reads,
# and a load balancer in front of it. It meets the Pod Security Standard "restricted".
locals {
  labels = {
    "app.kubernetes.io/name"       = "app"
    "app.kubernetes.io/instance"   = var.name
    "app.kubernetes.io/managed-by" = "menagerie"
  }
  selector = { "app.kubernetes.io/name" = "app", "app.kubernetes.io/instance" = var.name }

  sidecar  = try(var.collector.image, null) != null
  endpoint = local.sidecar ? "http://localhost:4318" : try(var.collector.endpoint, null)

  # OpenTelemetry's own variables, which any application's SDK reads.
  telemetry = local.endpoint == null ? {} : {
    OTEL_EXPORTER_OTLP_ENDPOINT = local.endpoint
    OTEL_RESOURCE_ATTRIBUTES    = "deployment.environment.name=${var.name}"
    OTEL_SERVICE_NAME           = var.name
  }

  # Kubernetes replaces $(NAME) in a value, and takes $$ for a single $.
  environment = {
    for name, value in merge(local.telemetry, var.environment, { PORT = tostring(var.port) }) : name => replace(value, "$", "$$")
  }

  # Pods read configuration and secrets when they start, so that they are replaced when one of these is another.
  revision = sha256(jsonencode([local.sidecar ? var.collector.config : "", local.secrets_revision]))

  # References by container/name: the ARN and, where the secret is a JSON object, the key of one value, as Amazon ECS writes it.
  secrets = merge([for container, references in { app = var.secrets, collector = try(var.collector.secrets, {}) } : {
    for name, reference in references : "${container}/${name}" => {
      container = container
      name      = name
      region    = try(split(":", reference)[3], null)
      arn       = try(regex("^(arn:[^:]+:secretsmanager:[^:]*:[^:]*:secret:[^:]+)(?::[^:]+::)?$", reference)[0], null)
      key       = try(split(":", reference)[7], null)
    }
  }]...)

  # A secret is written again when a reference is another; that one was rotated is not seen.
  secrets_revision = parseint(substr(sha256(jsonencode(local.secrets)), 0, 7), 16)

  ingress = try(kubernetes_service_v1.this.status[0].load_balancer[0].ingress[0], null)
  host    = try(coalesce(local.ingress.hostname, strcontains(local.ingress.ip, ":") ? "[${local.ingress.ip}]" : local.ingress.ip), null)
}

resource "kubernetes_service_account_v1" "this" {
  metadata {
    name      = "app"
    namespace = var.namespace
    labels    = local.labels
  }

  automount_service_account_token = false
}

# Ephemeral: the values are in no plan and in no state, and go to the cluster only. Terraform 1.11.4 crashes on a condition here
# when it shows the plan as JSON. A secret that is gone stops a destroy, which looks at everything first; `-refresh=false` makes
# it go on.
ephemeral "aws_secretsmanager_secret_version" "this" {
  for_each = local.secrets

  region    = each.value.region
  secret_id = each.value.arn
}

resource "kubernetes_secret_v1" "this" {
  for_each = toset([for secret in local.secrets : secret.container])

  metadata {
    name      = "${each.key}-secrets"
    namespace = var.namespace
    labels    = local.labels
  }

  data_wo = { for path, secret in local.secrets : secret.name => (
    secret.key == null
    ? ephemeral.aws_secretsmanager_secret_version.this[path].secret_string
    # Without the key it fails here, where no error shows a part of the secret, as one of a `jsondecode` that fails would.
    : tostring(jsondecode(can(jsondecode(ephemeral.aws_secretsmanager_secret_version.this[path].secret_string)[secret.key]) ? ephemeral.aws_secretsmanager_secret_version.this[path].secret_string : "{}")[secret.key])
  ) if secret.container == each.key }
  data_wo_revision = local.secrets_revision
}

resource "kubernetes_config_map_v1" "collector" {
  count = local.sidecar ? 1 : 0

  metadata {
    name      = "collector"
    namespace = var.namespace
    labels    = local.labels
  }

  data = { "config.yaml" = var.collector.config }
}

resource "kubernetes_deployment_v1" "this" {
  metadata {
    name      = "app"
    namespace = var.namespace
    labels    = local.labels
  }

  spec {
    replicas = var.desired_count

    selector {
      match_labels = local.selector
    }

    strategy {
      type = "RollingUpdate"

      rolling_update {
        max_surge       = "1"
        max_unavailable = "0"
      }
    }

    template {
      metadata {
        labels      = local.labels
        annotations = { "menagerie/revision" = local.revision }
      }

      spec {
        service_account_name            = kubernetes_service_account_v1.this.metadata[0].name
        automount_service_account_token = false
        enable_service_links            = false

        security_context {
          run_as_non_root = true

          seccomp_profile {
            type = "RuntimeDefault"
          }
        }

        dynamic "topology_spread_constraint" {
          for_each = toset(["topology.kubernetes.io/zone", "kubernetes.io/hostname"])

          content {
            max_skew           = 1
            topology_key       = topology_spread_constraint.value
            when_unsatisfiable = "ScheduleAnyway"

            label_selector {
              match_labels = local.selector
            }
          }
        }

        container {
          name  = "app"
          image = var.image

          port {
            name           = "http"
            container_port = var.port
          }

          dynamic "env" {
            for_each = local.environment

            content {
              name  = env.key
              value = env.value
            }
          }

          dynamic "env" {
            for_each = toset(keys(var.secrets))

            content {
              name = env.value

              value_from {
                secret_key_ref {
                  name = kubernetes_secret_v1.this["app"].metadata[0].name
                  key  = env.value
                }
              }
            }
          }

          # 1,000 of Kubernetes' milli-CPUs are one CPU, which are 1,024 units of ours. CPU has no limit: what is idle may be used.
          resources {
            requests = { cpu = "${max(1, floor(var.size.cpu * 1000 / 1024))}m", memory = "${var.size.memory}Mi" }
            limits   = { memory = "${var.size.memory}Mi" }
          }

          startup_probe {
            period_seconds    = 2
            failure_threshold = 60

            http_get {
              path = var.health_check_path
              port = "http"
            }
          }

          readiness_probe {
            period_seconds    = 5
            timeout_seconds   = 2
            failure_threshold = 2

            http_get {
              path = var.health_check_path
              port = "http"
            }
          }

          liveness_probe {
            period_seconds    = 10
            timeout_seconds   = 5
            failure_threshold = 6

            tcp_socket {
              port = "http"
            }
          }

          security_context {
            allow_privilege_escalation = false
            read_only_root_filesystem  = true

            capabilities {
              drop = ["ALL"]
            }
          }

          volume_mount {
            name       = "tmp"
            mount_path = "/tmp"
          }
        }

        dynamic "container" {
          for_each = local.sidecar ? [var.collector] : []

          content {
            name  = "collector"
            image = container.value.image
            args  = ["--config=/etc/otel/config.yaml"]

            dynamic "env" {
              for_each = toset(keys(container.value.secrets))

              content {
                name = env.value

                value_from {
                  secret_key_ref {
                    name = kubernetes_secret_v1.this["collector"].metadata[0].name
                    key  = env.value
                  }
                }
              }
            }

            resources {
              requests = { cpu = "50m", memory = "128Mi" }
              limits   = { memory = "256Mi" }
            }

            security_context {
              allow_privilege_escalation = false
              read_only_root_filesystem  = true

              capabilities {
                drop = ["ALL"]
              }
            }

            volume_mount {
              name       = "collector"
              mount_path = "/etc/otel"
              read_only  = true
            }
          }
        }

        volume {
          name = "tmp"

          empty_dir {}
        }

        dynamic "volume" {
          for_each = kubernetes_config_map_v1.collector

          content {
            name = "collector"

            config_map {
              name = volume.value.metadata[0].name
            }
          }
        }
      }
    }
  }
}

resource "kubernetes_pod_disruption_budget_v1" "this" {
  metadata {
    name      = "app"
    namespace = var.namespace
    labels    = local.labels
  }

  spec {
    max_unavailable = "1"

    selector {
      match_labels = local.selector
    }
  }
}

# Who may come is the load balancer's to say; what they reach is the application's port only, and not the collector's.
resource "kubernetes_network_policy_v1" "this" {
  metadata {
    name      = "app"
    namespace = var.namespace
    labels    = local.labels
  }

  spec {
    policy_types = ["Ingress"]

    pod_selector {
      match_labels = local.selector
    }

    ingress {
      ports {
        port     = tostring(var.port)
        protocol = "TCP"
      }
    }
  }
}

# To Kubernetes a service without source ranges is one for everyone, so nobody is an address that nobody has (RFC 5737).
resource "kubernetes_service_v1" "this" {
  metadata {
    name        = "app"
    namespace   = var.namespace
    labels      = local.labels
    annotations = var.load_balancer.annotations
  }

  spec {
    type                        = "LoadBalancer"
    load_balancer_class         = var.load_balancer.class
    load_balancer_source_ranges = length(var.ingress_cidrs) > 0 ? var.ingress_cidrs : ["192.0.2.0/32"]
    selector                    = local.selector

    port {
      name        = var.load_balancer.https ? "https" : "http"
      port        = var.load_balancer.https ? 443 : 80
      target_port = tostring(var.port)
    }
  }
}
