output "collector" {
  description = "A collector beside each replica, for the input `collector` of a hosting."
  value       = module.collector.collector

  precondition {
    condition     = var.secret == null
    error_message = "Telegraf's input for OpenTelemetry takes no key, so `secret` must be null."
  }

  precondition {
    condition     = can(regex("^https?://[^/]+:[0-9]+$", var.endpoint))
    error_message = "The endpoint of Telegraf is a URL with host and port, such as `http://telegraf.internal:4317`; there is no default."
  }
}

output "location" {
  description = "Where telemetry is shown; null, since where Chronograf is does not follow from where telemetry goes."
  value       = null
}
