output "collector" {
  description = "A collector beside each replica, for the input `collector` of a hosting."
  value       = module.collector.collector

  precondition {
    condition     = local.is_reference
    error_message = "Datadog is written to with an API key: `secret` must be the ARN of a secret in Secrets Manager, optionally followed by `:key::` for one key of its JSON. A value is never taken; it would get into the state."
  }

  precondition {
    condition     = local.site != null
    error_message = "The endpoint of Datadog is the URL of its API, such as `https://api.datadoghq.eu`."
  }
}

output "location" {
  description = "Where telemetry is shown; here a dashboard of Datadog."
  value       = local.pages == null ? null : "${local.pages}${datadog_dashboard_json.this.url}"
}
