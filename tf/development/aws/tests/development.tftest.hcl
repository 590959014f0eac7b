provider "aws" {
  region = "eu-central-1"

  default_tags {
    tags = { environment = "calm-otter" }
  }
}

variables {
  name = "calm-otter"
}

override_data {
  target = data.aws_ssm_parameter.common
  values = {
    value = "{\"contract\":1,\"region\":\"eu-central-1\",\"vpc_id\":\"vpc-1\",\"vpc_cidr_block\":\"10.0.0.0/16\",\"public_subnet_ids\":[\"subnet-1\",\"subnet-2\"],\"private_subnet_ids\":[\"subnet-3\",\"subnet-4\"],\"database_subnet_ids\":[\"subnet-5\",\"subnet-6\"],\"permissions_boundary_arn\":\"arn:aws:iam::123456789012:policy/boundary\",\"alarms_topic_arn\":\"arn:aws:sns:eu-central-1:123456789012:alarms\",\"kms_key_arn\":\"arn:aws:kms:eu-central-1:123456789012:key/1\",\"repository_url\":\"123456789012.dkr.ecr.eu-central-1.amazonaws.com/app\",\"cluster_name\":null,\"nomad_address\":null,\"observability\":{\"datadog\":{\"endpoint\":null,\"secret\":\"arn:aws:secretsmanager:eu-central-1:123456789012:secret:datadog-AbCdEf\"}}}"
  }
}

run "outputs" {
  assert {
    condition     = output.network == { vpc_id = "vpc-1", public_subnet_ids = ["subnet-1", "subnet-2"], private_subnet_ids = ["subnet-3", "subnet-4"], cluster_name = null }
    error_message = "The network is the one that all environments share."
  }

  assert {
    condition     = output.environment.MENAGERIE_ENVIRONMENT == "calm-otter" && output.environment.PGSSLMODE == "require" && output.environment.AWS_REGION != "" && output.environment.S3_BUCKET != ""
    error_message = "The application is told where it is, and where its database and its bucket are."
  }

  assert {
    condition     = keys(output.secrets) == ["PGPASSWORD"] && endswith(output.secrets.PGPASSWORD, ":password::")
    error_message = "The password of the database is a reference."
  }

  assert {
    condition     = output.database_id == "calm-otter" && output.permissions_boundary_arn == "arn:aws:iam::123456789012:policy/boundary" && output.alarm_topic_arn == "arn:aws:sns:eu-central-1:123456789012:alarms"
    error_message = "What is wired to the hosting and to the alarms is there."
  }

  assert {
    condition     = output.observability.datadog.endpoint == null && endswith(output.observability.datadog.secret, ":secret:datadog-AbCdEf") && output.nomad_address == null
    error_message = "What common says of the backends is handed on."
  }
}

run "contract_of_another_time" {
  command = plan

  override_data {
    target = data.aws_ssm_parameter.common
    values = {
      value = "{\"contract\":2}"
    }
  }

  expect_failures = [data.aws_ssm_parameter.common]
}

run "no_contract" {
  command = plan

  override_data {
    target = data.aws_ssm_parameter.common
    values = {
      value = "hello"
    }
  }

  expect_failures = [data.aws_ssm_parameter.common]
}

run "unknown_engine" {
  command = plan

  variables {
    database_engine = "sqlite"
  }

  expect_failures = [var.database_engine]
}

run "unknown_size" {
  command = plan

  variables {
    size = "huge"
  }

  expect_failures = [var.size]
}

run "name_with_two_hyphens" {
  command = plan

  variables {
    name = "calm--otter"
  }

  expect_failures = [var.name]
}
