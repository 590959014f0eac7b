# It keeps the newest 32 MiB of each signal, and all of it goes with the environment.
resource "menagerie_collector" "this" {
  name = var.name
}
