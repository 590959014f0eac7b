# Plans only: the bucket of the states and the key refuse to be destroyed, so no test may make them.

variables {
  region            = "eu-central-1"
  owner             = "platform"
  github_repository = "example/guestbook"
}

run "states_are_kept" {
  command = plan

  assert {
    condition     = aws_s3_bucket.state.bucket == "menagerie-state-eu-central-1-${local.account_id}" && aws_s3_bucket_versioning.state.versioning_configuration[0].status == "Enabled"
    error_message = "Each former state is kept, in a bucket whose name is not that of an environment's."
  }

  assert {
    condition     = alltrue([for flag in ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"] : aws_s3_bucket_public_access_block.state[flag]])
    error_message = "States are never public."
  }

  assert {
    condition     = jsondecode(aws_s3_bucket_policy.state.policy).Statement[0].Effect == "Deny" && jsondecode(aws_s3_bucket_policy.state.policy).Statement[0].Condition == { Bool = { "aws:SecureTransport" = "false" } }
    error_message = "States are read and written over TLS only."
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.state.rule).apply_server_side_encryption_by_default).sse_algorithm == "aws:kms" && aws_kms_key.this.enable_key_rotation
    error_message = "States are encrypted with a key that rotates."
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.state.rule[0].noncurrent_version_expiration[0].noncurrent_days == 90
    error_message = "Former states and locks go at last."
  }
}

run "images_are_written_once" {
  command = plan

  assert {
    condition     = aws_ecr_repository.this.image_tag_mutability == "IMMUTABLE" && aws_ecr_repository.this.image_scanning_configuration[0].scan_on_push
    error_message = "A tag is written once, and each image is scanned."
  }

  assert {
    condition     = [for rule in jsondecode(aws_ecr_lifecycle_policy.this.policy).rules : try(rule.selection.tagPatternList[0], rule.selection.tagStatus)] == ["untagged", "pr-*", "sha-*"]
    error_message = "Images with other tags are releases, and stay."
  }
}

run "alarms_reach_people" {
  command = plan

  variables {
    alarm_emails = ["on-call@example.com"]
  }

  assert {
    condition     = aws_sns_topic_subscription.email["on-call@example.com"].protocol == "email"
    error_message = "Alarms are sent to who is named."
  }

  assert {
    condition     = contains([for statement in jsondecode(aws_kms_key.this.policy).Statement : try(statement.Principal.Service, "")], "cloudwatch.amazonaws.com")
    error_message = "CloudWatch may use the key of the topic, else no alarm arrives."
  }
}

run "no_cluster_unless_asked" {
  command = plan

  assert {
    condition     = length(aws_eks_cluster.this) == 0 && length(aws_eks_access_entry.github) == 0 && local.contract.cluster_name == null
    error_message = "A cluster is made only where one is asked for."
  }
}

run "cluster" {
  command = plan

  variables {
    eks = { version = "1.34" }
  }

  assert {
    condition     = aws_eks_cluster.this[0].compute_config[0].enabled && aws_eks_cluster.this[0].deletion_protection && aws_eks_cluster.this[0].access_config[0].authentication_mode == "API"
    error_message = "The cluster is in auto mode, protected, and lets in who has an access entry only."
  }

  assert {
    condition     = !aws_eks_cluster.this[0].vpc_config[0].endpoint_public_access && aws_eks_cluster.this[0].vpc_config[0].endpoint_private_access
    error_message = "Its API is reached from the network only, unless networks are named."
  }

  assert {
    condition     = { for role, association in aws_eks_access_policy_association.github : role => split("/", association.policy_arn)[1] } == { plan = "AmazonEKSViewPolicy", apply = "AmazonEKSClusterAdminPolicy", production = "AmazonEKSClusterAdminPolicy" }
    error_message = "Who plans looks only, and sees no secret."
  }
}

run "contract" {
  command = plan

  assert {
    condition     = aws_ssm_parameter.contract.name == "/menagerie/common" && local.contract.contract == 1 && local.contract.vpc_cidr_block == "10.0.0.0/16"
    error_message = "Environments find what they need to know in one parameter."
  }

  assert {
    condition     = keys(local.contract) == ["alarms_topic_arn", "cluster_name", "contract", "database_subnet_ids", "kms_key_arn", "nomad_address", "observability", "permissions_boundary_arn", "private_subnet_ids", "public_subnet_ids", "region", "repository_url", "vpc_cidr_block", "vpc_id"]
    error_message = "The keys of contract 1 are these; another set is another contract."
  }

  assert {
    condition     = local.contract.observability.cloudwatch.endpoint == null && local.contract.observability.cloudwatch.secret == null && length(output.secret_names) == 0
    error_message = "CloudWatch is there without being asked for, and needs no key."
  }
}

run "backends" {
  command = plan

  variables {
    observability = {
      datadog = { endpoint = "https://api.datadoghq.eu" }
      tick    = { endpoint = "http://telegraf.example.internal:4317" }
    }
  }

  assert {
    condition     = keys(output.secret_names) == ["datadog"] && local.contract.observability.tick.endpoint == "http://telegraf.example.internal:4317"
    error_message = "Who is written to with a key has a secret, which waits for its value."
  }
}

run "repository_of_any_owner" {
  command = plan

  variables {
    github_repository = "*/guestbook"
  }

  expect_failures = [var.github_repository]
}

run "repository_of_the_owner" {
  command = plan

  variables {
    github_repository = "example/*"
  }

  expect_failures = [var.github_repository]
}

run "repository_with_more_behind_it" {
  command = plan

  variables {
    github_repository = "example/guestbook:environment:production"
  }

  expect_failures = [var.github_repository]
}

run "owner_alone" {
  command = plan

  variables {
    github_repository = "example"
  }

  expect_failures = [var.github_repository]
}

run "any_branch" {
  command = plan

  variables {
    github_default_branch = "*"
  }

  expect_failures = [var.github_default_branch]
}

run "numbers_that_are_none" {
  command = plan

  variables {
    github_ids = { owner = 0, repository = 1.5 }
  }

  expect_failures = [var.github_ids]
}

run "provider_of_another_issuer" {
  command = plan

  variables {
    github_oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/issuer.example.com"
  }

  expect_failures = [var.github_oidc_provider_arn]
}

run "cluster_for_everyone" {
  command = plan

  variables {
    eks = { version = "1.34", public_access_cidrs = ["0.0.0.0/0"] }
  }

  expect_failures = [var.eks]
}

run "secret_that_is_a_value" {
  command = plan

  variables {
    observability = { datadog = { secret = "hunter2" } }
  }

  expect_failures = [var.observability]
}

run "unknown_backend" {
  command = plan

  variables {
    observability = { carrier_pigeon = {} }
  }

  expect_failures = [var.observability]
}

run "zone_by_its_name" {
  command = plan

  variables {
    zone_ids = ["example.com"]
  }

  expect_failures = [var.zone_ids]
}
