output "url" {
  description = "Where the application answers."
  value       = module.load_balancer.url
}

output "service_id" {
  description = "ARN of the service in ECS."
  value       = aws_ecs_service.this.id
}

output "log_group" {
  description = "Where the application's logs are kept: a log group of CloudWatch."
  value       = aws_cloudwatch_log_group.this.name
}

output "security_group_id" {
  description = "Security group of the replicas."
  value       = aws_security_group.this.id
}

output "alarm_dimensions" {
  description = "CloudWatch dimensions of the load balancer and its target group."
  value       = module.load_balancer.alarm_dimensions
}

output "fault_targets" {
  description = "How fault injection finds the replicas: the tasks of a service in a cluster."
  value = {
    kind = "aws:ecs:task"
    selector = {
      cluster = aws_ecs_cluster.this.arn
      service = aws_ecs_service.this.name
    }
  }
}
