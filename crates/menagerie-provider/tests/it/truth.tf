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
  description = "URL of the stand-in for AWS."
}

variable "zones" {
  type        = number
  description = "How many subnets."
  default     = 2
}

variable "purpose" {
  type        = string
  description = "A tag that changes."
  default     = "evidence"
}

variable "cidr_block" {
  type        = string
  description = "What cannot change without a replacement."
  default     = "10.0.0.0/16"
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
    ec2 = var.endpoint
    ecs = var.endpoint
    iam = var.endpoint
    s3  = var.endpoint
  }
}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr_block
  enable_dns_hostnames = true
  tags                 = { Name = "calm-otter", purpose = var.purpose }
}

resource "aws_subnet" "private" {
  count             = var.zones
  vpc_id            = aws_vpc.this.id
  cidr_block        = cidrsubnet(aws_vpc.this.cidr_block, 8, count.index)
  availability_zone = "eu-central-1${["a", "b", "c"][count.index]}"
}

resource "aws_iam_role" "task" {
  name = "calm-otter-task"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
    }]
  })
}

resource "aws_ecs_cluster" "this" {
  name = "calm-otter"

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_s3_bucket" "this" {
  bucket        = "calm-otter-files"
  force_destroy = true
}

output "subnet_ids" {
  description = "The subnets."
  value       = aws_subnet.private[*].id
}
