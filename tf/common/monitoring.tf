# What the backends of observability need once for all environments: docs/observability.md.
module "monitoring" {
  source = "../modules/monitoring"

  name     = var.name
  backends = var.observability
}
