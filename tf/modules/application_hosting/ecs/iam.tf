locals {
  # Roles of environments have a path of their own, which is all that those who apply may give to services (`tf/common`).
  role_path = "/menagerie/environment/"

  assume_role = {
    Effect    = "Allow"
    Action    = "sts:AssumeRole"
    Principal = { Service = "ecs-tasks.amazonaws.com" }
  }
}

# What ECS itself does for a task: it pulls the images, resolves the secrets, writes the logs.
resource "aws_iam_role" "execution" {
  name                 = "${var.name}-execution"
  path                 = local.role_path
  description          = "Starts replicas of ${var.name}"
  assume_role_policy   = jsonencode({ Version = "2012-10-17", Statement = [local.assume_role] })
  permissions_boundary = var.permissions_boundary_arn
}

resource "aws_iam_role_policy" "execution" {
  name   = "start-replicas"
  role   = aws_iam_role.execution.id
  policy = jsonencode({ Version = "2012-10-17", Statement = module.replica.start_statements })

  lifecycle {
    precondition {
      condition     = module.replica.refusals.secrets == ""
      error_message = module.replica.refusals.secrets
    }
  }
}

# What the application and its collector may do.
resource "aws_iam_role" "task" {
  name                 = "${var.name}-task"
  path                 = local.role_path
  description          = "Replicas of ${var.name}"
  permissions_boundary = var.permissions_boundary_arn

  # For the tasks of this account only.
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [merge(local.assume_role, { Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } } })]
  })
}

resource "aws_iam_role_policy" "task" {
  name   = "run"
  role   = aws_iam_role.task.id
  policy = jsonencode({ Version = "2012-10-17", Statement = module.replica.run_statements })
}
