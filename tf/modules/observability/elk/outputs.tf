output "collector" {
  description = "A collector beside each replica, for the input `collector` of a hosting."
  value       = module.collector.collector

  precondition {
    condition     = local.is_reference
    error_message = "Elastic is written to with an API key: `secret` must be the ARN of a secret in Secrets Manager, optionally followed by `:key::` for one key of its JSON. A value is never taken; it would get into the state."
  }

  precondition {
    condition     = var.endpoint != null && startswith(coalesce(var.endpoint, "-"), "https://")
    error_message = "The endpoint of Elastic is the HTTPS URL of an APM server or of the managed OTLP endpoint; there is no default."
  }
}

output "location" {
  description = "Where telemetry is shown; null, since where Kibana is does not follow from where telemetry goes."
  value       = null
}
