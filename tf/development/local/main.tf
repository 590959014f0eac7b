module "database" {
  source = "../../modules/database/local"

  name    = var.name
  engine  = var.database_engine
  network = null
}

module "observability" {
  source = "../../modules/observability/local"

  name = var.name
}
