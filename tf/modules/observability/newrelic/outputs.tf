output "collector" {
  description = "A collector beside each replica, for the input `collector` of a hosting."
  value       = module.collector.collector

  precondition {
    condition     = local.is_reference
    error_message = "New Relic is written to with a license key: `secret` must be the ARN of a secret in Secrets Manager, optionally followed by `:key::` for one key of its JSON. A value is never taken; it would get into the state."
  }

  precondition {
    condition     = var.endpoint == null ? true : startswith(var.endpoint, "https://")
    error_message = "The endpoint of New Relic is an HTTPS URL, such as `https://otlp.eu01.nr-data.net`."
  }
}

output "location" {
  description = "Where telemetry is shown; here a dashboard of New Relic."
  value       = newrelic_one_dashboard_json.this.permalink
}
