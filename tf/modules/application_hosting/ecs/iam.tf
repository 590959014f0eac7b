locals {
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })
}

# What ECS itself does for a task: it pulls the images, resolves the secrets, writes the logs.
resource "aws_iam_role" "execution" {
  name                 = "${var.name}-execution"
  path                 = "/menagerie/environment/" # where the roles of tf/common let CI make any
  description          = "Starts replicas of ${var.name}"
  assume_role_policy   = local.assume_role_policy
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
  path                 = "/menagerie/environment/" # where the roles of tf/common let CI make any
  description          = "Replicas of ${var.name}"
  assume_role_policy   = local.assume_role_policy
  permissions_boundary = var.permissions_boundary_arn
}

resource "aws_iam_role_policy" "task" {
  name   = "run"
  role   = aws_iam_role.task.id
  policy = jsonencode({ Version = "2012-10-17", Statement = module.replica.run_statements })
}
