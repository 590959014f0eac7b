output "network" {
  description = "Network that the hosting runs in, with the cluster that `tf/common` has, if it has one."
  value = {
    vpc_id             = local.common.vpc_id
    public_subnet_ids  = local.common.public_subnet_ids
    private_subnet_ids = local.common.private_subnet_ids
    cluster_name       = local.common.cluster_name
  }
}

output "environment" {
  description = "Environment variables that tell the application where it is, and where its database and its bucket are."
  value = merge(module.database.environment, {
    AWS_REGION            = data.aws_region.current.region
    MENAGERIE_ENVIRONMENT = var.name
    S3_BUCKET             = module.storage.bucket
  })
}

output "secrets" {
  description = "Environment variables that are secret, as references that the hosting resolves when a replica starts."
  value       = module.database.secrets
}

output "database_id" {
  description = "Identifier of the database, by which CloudWatch knows it."
  value       = module.database.id
}

output "alarm_topic_arn" {
  description = "SNS topic that alarms go to."
  value       = local.common.alarms_topic_arn
}

output "permissions_boundary_arn" {
  description = "Permissions boundary of every role that an environment makes."
  value       = local.common.permissions_boundary_arn
}

output "observability" {
  description = "What `tf/common` says of the backends of observability: backend => endpoint and secret, of which either may be null."
  value       = local.common.observability
}

output "nomad_address" {
  description = "Where Nomad's API answers; null where `tf/common` has no Nomad."
  value       = local.common.nomad_address
}
