# What GitHub's workflows may do, read from the policies as they would be made.

variables {
  region            = "eu-central-1"
  owner             = "platform"
  github_repository = "example/guestbook"
}

run "subjects" {
  command = plan

  assert {
    condition = { for role, iam_role in aws_iam_role.github : role => tolist(jsondecode(iam_role.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"]) } == {
      plan       = tolist(["repo:example/guestbook:pull_request", "repo:example/guestbook:ref:refs/heads/main"])
      apply      = tolist(["repo:example/guestbook:environment:development"])
      production = tolist(["repo:example/guestbook:environment:production"])
    }
    error_message = "Each role is for one environment of GitHub, or for what has none."
  }

  assert {
    condition     = alltrue([for role in aws_iam_role.github : length(jsondecode(role.assume_role_policy).Statement) == 1 && jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com"])
    error_message = "A token that was made for another audience is refused."
  }

  assert {
    condition     = alltrue([for role in aws_iam_role.github : keys(jsondecode(role.assume_role_policy).Statement[0].Condition) == ["StringEquals"] && !strcontains(role.assume_role_policy, "*")])
    error_message = "No pattern widens who may take a role."
  }

  assert {
    condition     = alltrue([for role in aws_iam_role.github : jsondecode(role.assume_role_policy).Statement[0].Principal.Federated == "arn:aws:iam::${local.account_id}:oidc-provider/token.actions.githubusercontent.com"])
    error_message = "Tokens are GitHub's."
  }

  assert {
    condition     = aws_iam_openid_connect_provider.github[0].client_id_list == toset(["sts.amazonaws.com"]) && aws_iam_openid_connect_provider.github[0].url == "https://token.actions.githubusercontent.com"
    error_message = "The provider is GitHub's, for this audience."
  }
}

run "subjects_with_numbers" {
  command = plan

  variables {
    github_ids               = { owner = 1234, repository = 5678 }
    github_default_branch    = "trunk"
    github_oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
  }

  assert {
    condition = { for role, iam_role in aws_iam_role.github : role => tolist(jsondecode(iam_role.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"]) } == {
      plan = tolist([
        "repo:example/guestbook:pull_request", "repo:example/guestbook:ref:refs/heads/trunk",
        "repo:example@1234/guestbook@5678:pull_request", "repo:example@1234/guestbook@5678:ref:refs/heads/trunk",
      ])
      apply      = tolist(["repo:example/guestbook:environment:development", "repo:example@1234/guestbook@5678:environment:development"])
      production = tolist(["repo:example/guestbook:environment:production", "repo:example@1234/guestbook@5678:environment:production"])
    }
    error_message = "Both shapes of a subject are trusted, for the same contexts."
  }

  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 0
    error_message = "An account has one provider of GitHub only; the one that is there is used."
  }
}

run "who_plans_changes_nothing" {
  command = plan

  assert {
    condition     = [for name in keys(local.policies) : name if startswith(name, "plan-")] == ["plan-read"]
    error_message = "The role that plans has a policy to read, and no other."
  }

  assert {
    condition = alltrue(flatten([for statement in local.policies["plan-read"] : [
      for action in statement.Action : can(regex("^[a-z0-9-]+:(Describe|Get|List)", action)) || action == "kms:Decrypt"
    ]]))
    error_message = "The role that plans reads only."
  }

  assert {
    condition     = !contains(flatten([for statement in local.policies["plan-read"] : statement.Action]), "secretsmanager:GetSecretValue") && !anytrue(flatten([for statement in local.policies["plan-read"] : [for action in statement.Action : action == "*" || action == "s3:Get*" || action == "ssm:Get*" || action == "secretsmanager:Get*"]]))
    error_message = "The role that plans reads no secret."
  }

  assert {
    condition     = one([for statement in local.policies["plan-read"] : statement.Resource if statement.Sid == "ReadStates"])[0] == "arn:aws:s3:::menagerie-state-eu-central-1-${local.account_id}/envs/*"
    error_message = "The role that plans reads the states of environments, and not production's."
  }
}

run "who_applies_stays_below_the_boundary" {
  command = plan

  assert {
    condition = alltrue(flatten([for role in ["apply", "production"] : [
      for statement in local.policies["${role}-roles"] : statement.Condition.StringEquals["iam:PermissionsBoundary"] == "arn:aws:iam::${local.account_id}:policy/menagerie/common/menagerie/menagerie-environment"
      if length(setintersection(statement.Action, ["iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy", "iam:AttachRolePolicy"])) > 0
    ]]))
    error_message = "Who applies makes no role, and gives none a policy, without the boundary."
  }

  assert {
    condition = alltrue([for role in ["apply", "production"] : length([
      for statement in local.policies["${role}-roles"] : statement
      if statement.Effect == "Deny" && length(setintersection(statement.Action, ["iam:DeleteRolePermissionsBoundary", "iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"])) > 0
    ]) == 2])
    error_message = "Who applies neither removes the boundary nor changes it."
  }

  assert {
    condition = alltrue(flatten([for role in ["apply", "production"] : [
      for statement in local.policies["${role}-roles"] : alltrue([for resource in statement.Resource : can(regex(":(role|instance-profile)/(menagerie/environment|aws-service-role)/\\*$", resource))])
      if statement.Effect == "Allow"
    ]]))
    error_message = "Who applies touches roles of environments only, and never its own."
  }

  assert {
    condition     = !anytrue(flatten([for name, statements in local.policies : [for statement in statements : [for action in statement.Action : contains(["*", "iam:*", "sts:*", "kms:*", "organizations:*"], action)] if statement.Effect == "Allow" && can(statement.Action)]]))
    error_message = "Nobody may everything."
  }

  assert {
    condition     = one([for statement in local.policies["apply-state"] : statement.Resource if statement.Sid == "WriteStates"])[0] == "arn:aws:s3:::menagerie-state-eu-central-1-${local.account_id}/envs/*" && one([for statement in local.policies["production-state"] : statement.Resource if statement.Sid == "WriteStates"])[0] == "arn:aws:s3:::menagerie-state-eu-central-1-${local.account_id}/production/*"
    error_message = "Each writes its own states."
  }

  assert {
    condition     = one([for statement in local.policies["apply-resources"] : statement.Condition.StringEquals["aws:ResourceTag/environment"] if statement.Sid == "LeaveOthersAlone"]) == ["common", "production"]
    error_message = "Who applies environments leaves alone what is production's, and what is here."
  }

  assert {
    condition     = contains([for statement in local.policies["apply-resources"] : statement.Sid], "LeaveProductionsBucketAlone") && !contains([for statement in local.policies["production-resources"] : statement.Sid], "LeaveProductionsBucketAlone")
    error_message = "Production's bucket is production's."
  }

  assert {
    condition     = alltrue([for statements in values(local.policies) : length(jsonencode({ Version = "2012-10-17", Statement = statements })) < 5500 if alltrue([for statement in statements : !contains(["DecryptStates", "EncryptStates"], statement.Sid)])])
    error_message = "Policies keep away from IAM's limit of 6,144 characters."
  }

  assert {
    condition     = !contains(flatten([for statement in local.policies["apply-resources"] : statement.Action if can(statement.Action) && statement.Effect == "Allow"]), "secretsmanager:GetSecretValue")
    error_message = "Without a cluster that needs it nobody reads a password."
  }

  assert {
    condition     = !contains([for statement in local.policies["apply-resources"] : statement.Sid], "ChangeRecords")
    error_message = "Without zones nobody writes records."
  }
}

run "records_and_secrets_where_they_are_needed" {
  command = plan

  variables {
    zone_ids      = ["Z0123456789ABCDEFGHIJ"]
    nomad_address = "https://nomad.example.com:4646"
  }

  assert {
    condition     = one([for statement in local.policies["apply-resources"] : statement.Resource if statement.Sid == "ChangeRecords"]) == ["arn:aws:route53:::hostedzone/Z0123456789ABCDEFGHIJ"]
    error_message = "Records are written into the zones that are named."
  }

  assert {
    condition     = contains(one([for statement in local.policies["apply-resources"] : statement.Action if statement.Sid == "KeepPasswords"]), "secretsmanager:GetSecretValue") && one([for statement in local.policies["apply-resources"] : statement.Resource if statement.Sid == "KeepPasswords"]) == ["arn:aws:secretsmanager:eu-central-1:${local.account_id}:secret:rds!*"]
    error_message = "Who brings passwords to a cluster reads those of databases."
  }

  assert {
    condition     = contains([for statement in local.policies["apply-resources"] : statement.Sid], "LeaveProductionsPasswordsAlone")
    error_message = "Production's password is production's."
  }
}

run "boundary" {
  command = plan

  assert {
    condition     = !anytrue([for action in jsondecode(aws_iam_policy.boundary.policy).Statement[0].Action : can(regex("^(\\*|iam:|sts:|organizations:)", action))])
    error_message = "Below the boundary there is nothing of IAM."
  }

  assert {
    condition     = one([for statement in jsondecode(aws_iam_policy.boundary.policy).Statement : statement.Effect if statement.Sid == "NoStates"]) == "Deny"
    error_message = "Replicas read no states."
  }
}
