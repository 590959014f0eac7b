output "url" {
  description = "Where the application answers; null until the load balancer has an address."
  value       = module.workload.host == null ? null : "http://${module.workload.host}"
}

output "service_id" {
  description = "Identifier of the running service in its platform: namespace and deployment."
  value       = "${kubernetes_namespace_v1.this.metadata[0].name}/${module.workload.deployment}"
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
    kind = "kubernetes:pod"
    selector = {
      namespace = kubernetes_namespace_v1.this.metadata[0].name
      labels    = module.workload.selector
    }
  }
}
