output "host" {
  description = "Host name or address of the load balancer; null until it has one."
  value       = local.host
}

output "deployment" {
  description = "Name of the deployment."
  value       = kubernetes_deployment_v1.this.metadata[0].name
}

output "service_account" {
  description = "Name of the pods' service account."
  value       = kubernetes_service_account_v1.this.metadata[0].name
}

output "selector" {
  description = "Labels that select the replicas."
  value       = local.selector
}
