provider "aws" {
  region = "eu-central-1"

  default_tags {
    tags = { environment = "calm-otter" }
  }
}

variables {
  name    = "calm-otter"
  network = { vpc_id = "vpc-1", cidr_block = "10.0.0.0/16", database_subnet_ids = ["subnet-1", "subnet-2"] }
}

run "disposable" {
  assert {
    condition     = aws_db_instance.this.instance_class == "db.t4g.micro" && aws_db_instance.this.allocated_storage == 20
    error_message = "Small is the least that there is."
  }

  assert {
    condition     = aws_db_instance.this.storage_encrypted && !aws_db_instance.this.publicly_accessible && aws_db_instance.this.manage_master_user_password
    error_message = "It is encrypted, private, and RDS makes its password."
  }

  assert {
    condition     = aws_db_instance.this.password == null && aws_db_instance.this.password_wo == null
    error_message = "No password passes through Terraform."
  }

  assert {
    condition     = [for parameter in aws_db_parameter_group.this.parameter : parameter.value if parameter.name == "rds.force_ssl"] == ["1"]
    error_message = "Connections are encrypted, or refused."
  }

  assert {
    condition = (
      aws_db_instance.this.skip_final_snapshot && aws_db_instance.this.delete_automated_backups
      && !aws_db_instance.this.deletion_protection && !aws_db_instance.this.multi_az
    )
    error_message = "What is disposable goes without a trace."
  }

  assert {
    condition     = output.secrets == { PGPASSWORD = "${aws_db_instance.this.master_user_secret[0].secret_arn}:password::" } && output.connection_secret == aws_db_instance.this.master_user_secret[0].secret_arn
    error_message = "The password is a reference to RDS's secret."
  }

  assert {
    condition     = output.environment.PGHOST == aws_db_instance.this.address && output.environment.PGSSLMODE == "require" && output.environment.PGUSER == "app" && output.environment.PGDATABASE == "app"
    error_message = "libpq's variables lead to the database."
  }

  assert {
    condition     = output.id == "calm-otter" && output.security_group_id == aws_security_group.this.id
    error_message = "Alarms and rules find it."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.this.cidr_ipv4 == "10.0.0.0/16" && aws_vpc_security_group_ingress_rule.this.to_port == 5432
    error_message = "The network may connect, and nobody else."
  }

  assert {
    condition     = aws_db_instance.this.tags_all.environment == "calm-otter"
    error_message = "It has the tags that everything has."
  }
}

run "worth_protecting" {
  command = plan

  variables {
    size       = "large"
    engine     = "postgres"
    disposable = false
  }

  assert {
    condition = (
      aws_db_instance.this.deletion_protection && aws_db_instance.this.multi_az && !aws_db_instance.this.skip_final_snapshot
      && aws_db_instance.this.final_snapshot_identifier == "calm-otter-final" && aws_db_instance.this.backup_retention_period == 14
    )
    error_message = "What is not disposable is protected."
  }

  assert {
    condition     = aws_db_instance.this.instance_class == "db.m7g.large" && aws_cloudwatch_log_group.this["postgresql"].retention_in_days == 90
    error_message = "Large is large, and its logs are kept longer."
  }
}

run "medium" {
  command = plan

  variables {
    name = "abcdefghijklmnopqrstuvwx"
    size = "medium"
  }

  assert {
    condition     = aws_db_instance.this.instance_class == "db.t4g.medium" && aws_db_instance.this.identifier == "abcdefghijklmnopqrstuvwx"
    error_message = "Medium is between them, and the longest name fits."
  }
}

run "sqlite" {
  command = plan

  variables {
    engine = "sqlite"
  }

  expect_failures = [aws_security_group.this]
}

run "no_network" {
  command = plan

  variables {
    network = null
  }

  expect_failures = [aws_security_group.this]
}

run "unknown_engine" {
  command = plan

  variables {
    engine = "oracle"
  }

  expect_failures = [var.engine]
}

run "unknown_size" {
  command = plan

  variables {
    size = "huge"
  }

  expect_failures = [var.size]
}

run "name_with_capitals" {
  command = plan

  variables {
    name = "Calm_Otter"
  }

  expect_failures = [var.name]
}
