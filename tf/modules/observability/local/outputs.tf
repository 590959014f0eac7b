output "collector" {
  description = "Where the application sends telemetry, for the input `collector` of a hosting."
  value       = { endpoint = menagerie_collector.this.endpoint }
}

output "location" {
  description = "Where telemetry is kept; here a directory with `traces.ndjson`, `metrics.ndjson` and `logs.ndjson`."
  value       = menagerie_collector.this.directory
}
