output "url" {
  description = "Where the application answers."
  value       = module.fleet.url
}

output "service_id" {
  description = "ARN of the autoscaling group that runs the replicas."
  value       = module.fleet.id
}

output "log_group" {
  description = "Where the application's logs are kept: a log group of CloudWatch."
  value       = aws_cloudwatch_log_group.this.name
}

output "security_group_id" {
  description = "Security group of the replicas."
  value       = module.fleet.security_group_id
}

output "alarm_dimensions" {
  description = "CloudWatch dimensions of the load balancer and its target group."
  value       = module.fleet.alarm_dimensions
}

output "fault_targets" {
  description = "How fault injection finds the replicas: the instances of an autoscaling group."
  value       = module.fleet.fault_targets
}
