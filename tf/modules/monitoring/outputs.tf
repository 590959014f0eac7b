output "observability" {
  description = "What environments are told of each backend: its endpoint and the secret that it is written to with, of which either may be null."
  value = {
    for backend, settings in var.backends : backend => {
      endpoint = settings.endpoint
      secret   = try(aws_secretsmanager_secret.key[backend].arn, settings.secret)
    }
  }
}

output "secret_names" {
  description = "Secrets that wait for a value: backend => name."
  value       = { for backend, secret in aws_secretsmanager_secret.key : backend => secret.name }
}
