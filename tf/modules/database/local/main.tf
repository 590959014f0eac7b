resource "menagerie_database" "this" {
  name   = var.name
  engine = var.engine

  lifecycle {
    precondition {
      condition     = var.network == null
      error_message = "A local database listens on this machine's loopback only, so `network` must be null."
    }
  }
}
