# Processes on this machine's loopback. They are not limited to `size`, and their logs go with the environment rather than
# after `log_retention_days`.
resource "menagerie_service" "this" {
  name              = var.name
  command           = [var.image]
  environment       = var.environment
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
      condition     = var.collector == null
      error_message = "The local hosting runs no collector, so `collector` must be null."
    }
  }
}
