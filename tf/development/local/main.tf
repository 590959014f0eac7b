module "database" {
  source = "../../modules/database/local"

  name    = var.name
  engine  = var.database_engine
  size    = var.size
  network = null
}
