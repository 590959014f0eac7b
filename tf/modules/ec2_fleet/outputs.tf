output "url" {
  description = "Where the replicas answer."
  value       = module.load_balancer.url
}

output "id" {
  description = "ARN of the autoscaling group."
  value       = aws_autoscaling_group.this.arn
}

output "security_group_id" {
  description = "Security group of the instances."
  value       = aws_security_group.this.id
}

output "alarm_dimensions" {
  description = "CloudWatch dimensions of the load balancer and its target group."
  value       = module.load_balancer.alarm_dimensions
}

output "fault_targets" {
  description = "How fault injection finds the replicas: the instances of an autoscaling group."
  value = {
    kind     = "aws:ec2:instance"
    selector = { autoscaling_group = aws_autoscaling_group.this.name }
  }
}
