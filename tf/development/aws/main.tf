# What an environment on AWS has besides its hosting: a database and a bucket of its own, in the network that `tf/common`
# made for all of them and describes in one parameter.

data "aws_region" "current" {}

data "aws_ssm_parameter" "common" {
  name = "/menagerie/common"

  lifecycle {
    postcondition {
      condition     = try(jsondecode(self.value).contract, null) == 1
      error_message = "The parameter `/menagerie/common` is not of contract 1, which these modules read: apply `tf/common` of the same revision in this account and region first."
    }
  }
}

locals {
  # The provider takes every parameter for a secret; this one holds identifiers only.
  common = nonsensitive(jsondecode(data.aws_ssm_parameter.common.value))
}

module "database" {
  source = "../../modules/database/rds"

  name       = var.name
  engine     = var.database_engine
  size       = var.size
  disposable = var.disposable

  network = {
    vpc_id              = local.common.vpc_id
    cidr_block          = local.common.vpc_cidr_block
    database_subnet_ids = local.common.database_subnet_ids
  }
}

module "storage" {
  source = "../../modules/storage/s3"

  name       = var.name
  disposable = var.disposable
}
