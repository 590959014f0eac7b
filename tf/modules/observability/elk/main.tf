locals {
  # Judged here, not in the condition, which Terraform prints with the values in it when it fails.
  is_reference = can(regex("^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^:]+(:[^:]*:[^:]*:[^:]*)?$", var.secret))
}

# Elastic's APM server, and its managed endpoint, take OTLP with the key of an API.
module "collector" {
  source = "../../collector"

  name    = var.name
  image   = var.collector_image
  secrets = { ELASTIC_API_KEY = var.secret }

  exporters = {
    otlp_http = {
      endpoint    = var.endpoint
      compression = "gzip"
      headers     = { Authorization = "ApiKey $${env:ELASTIC_API_KEY}" }
    }
  }

  pipelines = { traces = ["otlp_http"], metrics = ["otlp_http"], logs = ["otlp_http"] }
}

# What AWS measures itself: the load balancer and the database.
module "alarms" {
  source = "../../alarms"

  name             = var.name
  alarm_dimensions = var.alarm_dimensions
  database_id      = var.database_id
  alarm_topic_arn  = var.alarm_topic_arn
}
