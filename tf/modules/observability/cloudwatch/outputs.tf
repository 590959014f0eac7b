output "collector" {
  description = "A collector beside each replica, for the input `collector` of a hosting, whose replicas need the right to write to X-Ray, CloudWatch and its logs."
  value       = module.collector.collector

  precondition {
    condition     = var.endpoint == null && var.secret == null
    error_message = "CloudWatch takes telemetry where the environment is, by the role of its replicas, so `endpoint` and `secret` must be null."
  }
}

output "location" {
  description = "Where telemetry is shown; here a dashboard in the AWS console."
  value       = "https://${local.region}.console.aws.amazon.com/cloudwatch/home?region=${local.region}#dashboards/dashboard/${aws_cloudwatch_dashboard.this.dashboard_name}"
}
