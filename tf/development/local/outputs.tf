output "network" {
  description = "Network that the hosting runs in; null, since everything here listens on this machine's loopback."
  value       = null
}

output "environment" {
  description = "Environment variables that tell the application where it is."
  value = merge(module.database.environment, {
    MENAGERIE_ENVIRONMENT = var.name
  })
}

output "secrets" {
  description = "Environment variables that are secret, as references that the hosting resolves when a replica starts."
  value       = module.database.secrets
}

output "database_id" {
  description = "Identifier of the database, for alarms; null, since this machine has none."
  value       = null
}

output "alarm_topic_arn" {
  description = "SNS topic that alarms go to; null, since this machine has none."
  value       = null
}

output "permissions_boundary_arn" {
  description = "Permissions boundary of roles; null, since this machine has none."
  value       = null
}

output "observability" {
  description = "What is known of each backend of observability that environments share; none is needed on this machine."
  value       = {}
}
