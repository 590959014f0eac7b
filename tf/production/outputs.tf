output "url" {
  description = "Where the application answers."
  value       = module.application_hosting.url
}

output "service_id" {
  description = "Identifier of the running service in its platform."
  value       = module.application_hosting.service_id
}

output "log_group" {
  description = "Where the application's logs are kept."
  value       = module.application_hosting.log_group
}

output "database_id" {
  description = "Identifier of the database."
  value       = module.development.database_id
}

output "telemetry" {
  description = "Where telemetry is shown."
  value       = module.observability.location
}
