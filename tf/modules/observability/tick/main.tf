# Telegraf's input for OpenTelemetry speaks gRPC only, and knows no keys: who may send to it is said by its network.
module "collector" {
  source = "../../collector"

  name  = var.name
  image = var.collector_image

  exporters = {
    otlp_grpc = {
      endpoint    = var.endpoint
      compression = "gzip"
      tls         = { insecure = startswith(coalesce(var.endpoint, "https://"), "http://") }
    }
  }

  pipelines = { traces = ["otlp_grpc"], metrics = ["otlp_grpc"], logs = ["otlp_grpc"] }
}

# What AWS measures itself: the load balancer and the database.
module "alarms" {
  source = "../../alarms"

  name             = var.name
  alarm_dimensions = var.alarm_dimensions
  database_id      = var.database_id
  alarm_topic_arn  = var.alarm_topic_arn
}
