output "url" {
  description = "Where the application answers, for what resolves names by Consul's DNS."
  value       = "http://${var.name}.service.consul:${local.port}"
}

output "service_id" {
  description = "Identifier of the running service in its platform: the job."
  value       = nomad_job.this.id
}

output "log_group" {
  description = "Where the application's logs are kept; null, since they are the cluster's."
  value       = null
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
  description = "How fault injection finds the replicas."
  value = {
    kind     = "nomad:allocation"
    selector = { job = var.name, task_group = "app" }
  }
}
