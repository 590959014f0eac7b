output "alarm_names" {
  description = "Names of the alarms."
  value       = concat([for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_name], aws_cloudwatch_metric_alarm.server_errors[*].alarm_name)
}

output "alarm_arns" {
  description = "ARNs of the alarms, such as a dashboard or a stop condition takes."
  value       = concat([for alarm in aws_cloudwatch_metric_alarm.this : alarm.arn], aws_cloudwatch_metric_alarm.server_errors[*].arn)
}
