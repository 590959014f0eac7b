locals {
  # OpenTelemetry's own variables, which any application's SDK reads. The provider adds which replica it is.
  telemetry = try(var.collector.endpoint, null) == null ? {} : {
    OTEL_EXPORTER_OTLP_ENDPOINT = var.collector.endpoint
    OTEL_RESOURCE_ATTRIBUTES    = "deployment.environment.name=${var.name}"
    OTEL_SERVICE_NAME           = var.name
  }
}

# Processes on this machine's loopback. They are not limited to `size`, and their logs go with the environment rather than
# after `log_retention_days`.
resource "menagerie_service" "this" {
  name              = var.name
  command           = [var.image]
  environment       = merge(local.telemetry, var.environment)
  secrets           = var.secrets
  port              = var.port
  replicas          = var.desired_count
  health_check_path = var.health_check_path

  lifecycle {
    precondition {
      condition     = var.network == null
      error_message = "The local hosting listens on this machine's loopback only, so `network` must be null."
    }

    precondition {
      condition     = alltrue([for cidr in var.ingress_cidrs : startswith(cidr, "127.")])
      error_message = "The local hosting listens on this machine's loopback only, so `ingress_cidrs` must lie in 127.0.0.0/8."
    }

    precondition {
      condition     = try(var.collector.image, null) == null
      error_message = "The local hosting runs no collector beside the replicas, so `collector` must have an `endpoint`, or be null."
    }

    precondition {
      condition     = var.domain == null
      error_message = "The local hosting answers at an address of this machine's loopback, so `domain` must be null."
    }

    precondition {
      condition     = var.permissions_boundary_arn == null
      error_message = "The local hosting makes no role, so `permissions_boundary_arn` must be null."
    }

    precondition {
      condition     = var.disposable
      error_message = "The local hosting protects nothing from deletion, so `disposable` must be true."
    }
  }
}
