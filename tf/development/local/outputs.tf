output "network" {
  description = "Network that the hosting runs in; null, since everything here listens on this machine's loopback."
  value       = null
}

output "environment" {
  description = "Environment variables that tell the application where it is."
  value = {
    MENAGERIE_ENVIRONMENT = var.name
  }
}

output "secrets" {
  description = "Environment variables that are secret, as references that the hosting resolves when a replica starts."
  value = {
    DATABASE_URL = module.database.connection_secret
  }
}

output "collector" {
  description = "Where the application sends its telemetry."
  value       = module.observability.collector
}
