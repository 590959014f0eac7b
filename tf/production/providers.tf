provider "aws" {
  region = var.region

  # Production expires never, so it has no tag that says when.
  default_tags {
    tags = {
      environment = var.name
      owner       = var.owner
      managed-by  = "menagerie"
      hosting     = "ecs"
      repository  = var.repository
    }
  }
}
