output "endpoint" {
  description = "Host and port that it listens on."
  value       = "${aws_db_instance.this.address}:${aws_db_instance.this.port}"
}

output "connection_secret" {
  description = "Reference to the secret that RDS made: JSON with the keys `username` and `password`, which never pass through Terraform."
  value       = local.password_arn
}

output "security_group_id" {
  description = "Security group of the database."
  value       = aws_security_group.this.id
}

output "id" {
  description = "Identifier of the database, by which CloudWatch knows it."
  value       = aws_db_instance.this.identifier
}

output "environment" {
  description = "Environment variables that lead libpq, and what reads its variables, to the database."
  value = {
    PGHOST     = aws_db_instance.this.address
    PGPORT     = tostring(aws_db_instance.this.port)
    PGDATABASE = aws_db_instance.this.db_name
    PGUSER     = aws_db_instance.this.username
    PGSSLMODE  = "require"
  }
}

output "secrets" {
  description = "Environment variables that are secret, as references that the hosting resolves when a replica starts."
  value = {
    PGPASSWORD = "${local.password_arn}:password::"
  }
}
