output "endpoint" {
  description = "Host and port that it listens on; null where it is a file."
  value       = menagerie_database.this.host == null ? null : "${menagerie_database.this.host}:${menagerie_database.this.port}"
}

output "connection_secret" {
  description = "Reference to the secret that holds the URL of the database; the URL itself never passes through Terraform."
  value       = menagerie_database.this.connection_secret
}

output "environment" {
  description = "Environment variables that tell the application how to reach the database."
  value       = {}
}

output "secrets" {
  description = "Environment variables that are secret: name => reference that the hosting resolves when a replica starts."
  value = {
    DATABASE_URL = menagerie_database.this.connection_secret
  }
}

output "security_group_id" {
  description = "Security group of the database; null where the platform has none."
  value       = null
}

output "id" {
  description = "Identifier of the database, by which CloudWatch knows it; null where CloudWatch does not."
  value       = null
}
