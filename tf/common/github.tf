# What GitHub's workflows may do, without a key that could leak: they show a token of GitHub's, and take a role for an hour.
#
# | role | taken by | may |
# |---|---|---|
# | plan | pull requests of the repository itself (a fork gets no token), and its default branch | read what there is, and the states of environments |
# | apply | jobs of the GitHub environment `development` | make, change and destroy environments |
# | production | jobs of the GitHub environment `production`, which asks for a review | the same for production |
#
# None of them may change what is in this root: that is an administrator's to apply.
locals {
  issuer = "token.actions.githubusercontent.com"

  # A subject with numbers can't be taken over by who registers a name that became free. A subject that the repository or its
  # organization has customized has another shape than these two, and is not trusted.
  repositories = concat(
    [var.github_repository],
    var.github_ids == null ? [] : [join("/", [
      "${split("/", var.github_repository)[0]}@${var.github_ids.owner}",
      "${split("/", var.github_repository)[1]}@${var.github_ids.repository}",
    ])],
  )

  # A subject names the environment of a job that has one, and what triggered it where it has none.
  contexts = {
    plan       = ["pull_request", "ref:refs/heads/${var.github_default_branch}"]
    apply      = ["environment:development"]
    production = ["environment:production"]
  }

  github_provider_arn = coalesce(var.github_oidc_provider_arn, "${local.arn}:iam::${local.account_id}:oidc-provider/${local.issuer}")

  trust = { for role, contexts in local.contexts : role => {
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = local.github_provider_arn }
      # Equal, not like: no pattern widens it.
      Condition = { StringEquals = {
        "${local.issuer}:aud" = "sts.amazonaws.com"
        "${local.issuer}:sub" = [for pair in setproduct(local.repositories, contexts) : "repo:${pair[0]}:${pair[1]}"]
      } }
    }]
  } }
}

resource "aws_iam_openid_connect_provider" "github" {
  count = var.github_oidc_provider_arn == null ? 1 : 0

  url            = "https://${local.issuer}"
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_role" "github" {
  for_each = local.trust

  name                 = "${var.name}-${each.key}"
  path                 = local.role_path
  description          = "GitHub's workflows of ${var.github_repository}: ${each.key}"
  max_session_duration = 3600
  assume_role_policy   = jsonencode(each.value)

  depends_on = [aws_iam_openid_connect_provider.github]
}

resource "aws_iam_policy" "github" {
  for_each = local.policies

  name        = "${var.name}-${each.key}"
  path        = local.role_path
  description = "What the role ${split("-", each.key)[0]} of GitHub's workflows may do: ${join(" ", slice(split("-", each.key), 1, length(split("-", each.key))))}"
  policy      = jsonencode({ Version = "2012-10-17", Statement = each.value })

  lifecycle {
    precondition {
      condition     = length(jsonencode({ Version = "2012-10-17", Statement = each.value })) <= 6144
      error_message = "IAM takes a policy of at most 6,144 characters."
    }
  }
}

resource "aws_iam_role_policy_attachment" "github" {
  for_each = aws_iam_policy.github

  role       = aws_iam_role.github[split("-", each.key)[0]].name
  policy_arn = each.value.arn
}
