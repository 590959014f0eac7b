# A PostgreSQL server of RDS for one environment. RDS makes its password and keeps it in Secrets Manager; connections are
# encrypted or refused.

locals {
  sizes = {
    small  = { instance_class = "db.t4g.micro", storage_gib = 20 }
    medium = { instance_class = "db.t4g.medium", storage_gib = 50 }
    large  = { instance_class = "db.m7g.large", storage_gib = 100 }
  }
  size = local.sizes[var.size]

  major_version = "17"
  password_arn  = aws_db_instance.this.master_user_secret[0].secret_arn
}

resource "aws_security_group" "this" {
  name_prefix = "${var.name}-database-"
  description = "Database of ${var.name}"
  vpc_id      = var.network.vpc_id

  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = var.network != null
      error_message = "A database of RDS runs in a network, so `network` must not be null."
    }

    precondition {
      condition     = var.engine == null || var.engine == "postgres"
      error_message = "RDS runs servers, so `engine` must be `postgres`, or null."
    }
  }
}

# It has no rule for egress: a database opens no connections.
resource "aws_vpc_security_group_ingress_rule" "this" {
  security_group_id = aws_security_group.this.id
  description       = "Clients in the network"
  cidr_ipv4         = var.network.cidr_block
  ip_protocol       = "tcp"
  from_port         = 5432
  to_port           = 5432
}

resource "aws_db_subnet_group" "this" {
  name        = var.name
  description = "Database of ${var.name}"
  subnet_ids  = var.network.database_subnet_ids

  # Its preconditions are judged first.
  depends_on = [aws_security_group.this]
}

resource "aws_db_parameter_group" "this" {
  name_prefix = "${var.name}-"
  description = "Database of ${var.name}"
  family      = "postgres${local.major_version}"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  lifecycle {
    create_before_destroy = true
  }
}

# RDS would make them itself, and leave them behind with logs that never expire.
resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(["postgresql", "upgrade"])

  name              = "/aws/rds/instance/${var.name}/${each.key}"
  retention_in_days = var.disposable ? 7 : 90
}

resource "aws_db_instance" "this" {
  identifier                          = var.name
  engine                              = "postgres"
  engine_version                      = local.major_version
  auto_minor_version_upgrade          = true
  instance_class                      = local.size.instance_class
  allocated_storage                   = local.size.storage_gib
  max_allocated_storage               = local.size.storage_gib * 5
  storage_type                        = "gp3"
  storage_encrypted                   = true
  db_name                             = "app"
  username                            = "app"
  manage_master_user_password         = true
  iam_database_authentication_enabled = false
  parameter_group_name                = aws_db_parameter_group.this.name
  db_subnet_group_name                = aws_db_subnet_group.this.name
  vpc_security_group_ids              = [aws_security_group.this.id]
  publicly_accessible                 = false
  multi_az                            = !var.disposable
  backup_retention_period             = var.disposable ? 1 : 14
  delete_automated_backups            = var.disposable
  copy_tags_to_snapshot               = true
  deletion_protection                 = !var.disposable
  skip_final_snapshot                 = var.disposable
  final_snapshot_identifier           = var.disposable ? null : "${var.name}-final"
  apply_immediately                   = var.disposable
  performance_insights_enabled        = !var.disposable
  enabled_cloudwatch_logs_exports     = keys(aws_cloudwatch_log_group.this)

  timeouts {
    create = "60m"
    update = "80m"
    delete = "60m"
  }
}

# RDS would rotate the password every seven days. A replica reads it when it starts, so it would be locked out until it is
# started again: rotating is a deployment's business.
resource "aws_secretsmanager_secret_rotation" "this" {
  secret_id          = local.password_arn
  rotate_immediately = false

  rotation_rules {
    automatically_after_days = 365
  }
}
