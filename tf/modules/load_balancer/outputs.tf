output "url" {
  description = "Where it answers: over HTTPS at the domain, else over HTTP at the load balancer's own name."
  value       = var.domain == null ? "http://${aws_lb.this.dns_name}" : "https://${var.domain.name}"
}

output "target_group_arn" {
  description = "Target group that replicas enter to get requests; it is known once the load balancer listens for it."
  value       = aws_lb_target_group.this.arn
  depends_on  = [aws_lb_listener.http, aws_lb_listener.https]
}

output "security_group_id" {
  description = "Security group of the load balancer."
  value       = aws_security_group.this.id
}

output "alarm_dimensions" {
  description = "CloudWatch dimensions of the load balancer and its target group."
  value = {
    LoadBalancer = aws_lb.this.arn_suffix
    TargetGroup  = aws_lb_target_group.this.arn_suffix
  }
}
