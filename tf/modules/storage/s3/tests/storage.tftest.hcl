provider "aws" {
  region = "eu-central-1"

  default_tags {
    tags = { environment = "calm-otter" }
  }
}

variables {
  name = "calm-otter"
}

run "disposable" {
  assert {
    condition     = aws_s3_bucket.this.force_destroy && aws_s3_bucket.this.tags_all.environment == "calm-otter"
    error_message = "What is disposable goes with all that is in it."
  }

  assert {
    condition     = startswith(output.bucket, "calm-otter-")
    error_message = "The bucket has the environment's name."
  }

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this.block_public_acls, aws_s3_bucket_public_access_block.this.block_public_policy,
      aws_s3_bucket_public_access_block.this.ignore_public_acls, aws_s3_bucket_public_access_block.this.restrict_public_buckets,
    ])
    error_message = "Nothing of it is public."
  }

  assert {
    condition     = jsondecode(aws_s3_bucket_policy.this.policy).Statement[0].Effect == "Deny" && jsondecode(aws_s3_bucket_policy.this.policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false"
    error_message = "It is reached over TLS only."
  }

  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled"
    error_message = "It keeps what was overwritten."
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.this.rule[0].noncurrent_version_expiration[0].noncurrent_days == 7
    error_message = "It keeps it for a while."
  }
}

run "worth_protecting" {
  command = plan

  variables {
    disposable = false
  }

  assert {
    condition     = !aws_s3_bucket.this.force_destroy && aws_s3_bucket_lifecycle_configuration.this.rule[0].noncurrent_version_expiration[0].noncurrent_days == 90
    error_message = "What is not disposable stays until it is emptied."
  }
}

run "longest_name" {
  command = plan

  variables {
    name = "abcdefghijklmnopqrstuvwx"
  }

  assert {
    condition     = length(aws_s3_bucket.this.bucket) <= 63
    error_message = "The name of a bucket has at most 63 characters."
  }
}

run "name_with_capitals" {
  command = plan

  variables {
    name = "Calm_Otter"
  }

  expect_failures = [var.name]
}
