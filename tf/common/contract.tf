# What environments and production know of all this: `tf/development/aws` reads this parameter, and refuses another contract.
resource "aws_ssm_parameter" "contract" {
  name           = "/menagerie/common"
  description    = "What tf/common made, for the environments"
  type           = "String"
  insecure_value = jsonencode(local.contract) # identifiers only: a plan shows what changes

  lifecycle {
    precondition {
      condition     = length(jsonencode(local.contract)) < 4096
      error_message = "A standard parameter holds 4 KiB."
    }
  }
}

locals {
  contract = {
    contract                 = 1
    region                   = var.region
    vpc_id                   = module.vpc.id
    vpc_cidr_block           = module.vpc.cidr_block
    public_subnet_ids        = module.vpc.public_subnet_ids
    private_subnet_ids       = module.vpc.private_subnet_ids
    database_subnet_ids      = module.vpc.database_subnet_ids
    permissions_boundary_arn = aws_iam_policy.boundary.arn
    alarms_topic_arn         = aws_sns_topic.alarms.arn
    kms_key_arn              = aws_kms_key.this.arn
    repository_url           = aws_ecr_repository.this.repository_url
    cluster_name             = var.eks == null ? null : aws_eks_cluster.this[0].name
    nomad_address            = var.nomad_address
    observability            = module.monitoring.observability
  }
}
