provider "aws" {
  region = var.region

  default_tags {
    tags = {
      environment = "common"
      owner       = var.owner
      managed-by  = "menagerie"
      repository  = var.github_repository
    }
  }
}
