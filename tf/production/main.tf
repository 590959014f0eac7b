# Production: the modules of the environments, with its sizes, and with everything on that keeps it from being deleted. It is
# no environment: no command of `cargo xtask env` destroys or reaps it. The stronger wall is an account of its own, with a
# `tf/common` of its own; in one account, names and tags keep the roles of environments away from it.
#
# What was made by hand before is adopted by `imports.tf`, a file of import blocks beside this one, which goes when the plan
# that shows nothing but imports has been applied.

module "development" {
  source = "../development/aws"

  name       = var.name
  size       = var.database_size
  disposable = false
}

module "observability" {
  source = "../modules/observability/cloudwatch"

  name               = var.name
  collector_image    = var.collector_image
  alarm_dimensions   = module.application_hosting.alarm_dimensions
  database_id        = module.development.database_id
  alarm_topic_arn    = module.development.alarm_topic_arn
  log_retention_days = var.log_retention_days
}

module "application_hosting" {
  source = "../modules/application_hosting/ecs"

  name                     = var.name
  image                    = var.image
  port                     = var.port
  size                     = var.size
  desired_count            = var.desired_count
  network                  = module.development.network
  secrets                  = module.development.secrets
  health_check_path        = var.health_check_path
  ingress_cidrs            = var.ingress_cidrs
  public                   = true
  domain                   = var.domain
  collector                = module.observability.collector
  log_retention_days       = var.log_retention_days
  permissions_boundary_arn = module.development.permissions_boundary_arn
  disposable               = false

  environment = merge(var.environment, module.development.environment)
}
