# What the provider of 2021 can make against a stand-in for AWS within seconds.
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "3.39.0"
    }
  }
}

variable "endpoint" {
  type        = string
  description = "URL of the stand-in."
}

provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  s3_force_path_style         = true

  default_tags {
    tags = { environment = "calm-otter" }
  }

  endpoints {
    cloudwatchlogs = var.endpoint
    dynamodb       = var.endpoint
    ec2            = var.endpoint
    ecr            = var.endpoint
    ecs            = var.endpoint
    iam            = var.endpoint
    s3             = var.endpoint
    secretsmanager = var.endpoint
    sns            = var.endpoint
    sqs            = var.endpoint
    ssm            = var.endpoint
  }
}

resource "aws_cloudwatch_log_group" "this" {
  name = "calm-otter"
}

resource "aws_dynamodb_table" "this" {
  name         = "calm-otter"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"

  attribute {
    name = "id"
    type = "S"
  }
}

resource "aws_ecr_repository" "this" {
  name = "calm-otter"
}

resource "aws_iam_role" "this" {
  name               = "calm-otter"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [] })
}

resource "aws_s3_bucket" "this" {
  bucket = "calm-otter"
}

resource "aws_secretsmanager_secret" "this" {
  name                    = "calm-otter"
  recovery_window_in_days = 0
}

resource "aws_security_group" "this" {
  name = "calm-otter"
}

resource "aws_sns_topic" "this" {
  name = "calm-otter"
}

resource "aws_sqs_queue" "this" {
  name = "calm-otter"
}

resource "aws_ssm_parameter" "this" {
  name  = "/calm-otter/greeting"
  type  = "String"
  value = "hello"
}
