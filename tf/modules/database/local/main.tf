# It takes what it needs of this machine, whatever `size` is.
resource "menagerie_database" "this" {
  name   = var.name
  engine = var.engine

  lifecycle {
    precondition {
      condition     = var.network == null
      error_message = "A local database listens on this machine's loopback only, so `network` must be null."
    }

    precondition {
      condition     = var.disposable
      error_message = "A local database is not protected from deletion, so `disposable` must be true."
    }
  }
}
