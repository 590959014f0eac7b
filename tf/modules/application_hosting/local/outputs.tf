output "url" {
  description = "Where the application answers."
  value       = menagerie_service.this.url
}

output "service_id" {
  description = "Identifier of the running service in its platform."
  value       = menagerie_service.this.id
}

output "log_group" {
  description = "Where the application's logs are kept; here a directory."
  value       = menagerie_service.this.log_directory
}

output "security_group_id" {
  description = "Security group of the replicas; null where the platform has none."
  value       = null
}

output "alarm_dimensions" {
  description = "CloudWatch dimensions of what receives the requests; null where the platform has none."
  value       = null
}

output "fault_targets" {
  description = "How fault injection finds the replicas, which alternate between the zones."
  value = {
    kind = "local:process"
    selector = {
      service = menagerie_service.this.name
      zones   = slice(["a", "b"], 0, min(menagerie_service.this.replicas, 2))
    }
  }
}
