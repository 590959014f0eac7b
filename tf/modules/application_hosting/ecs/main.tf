# Replicas as tasks of ECS on Fargate, X86_64, in a cluster of the environment's own, behind a load balancer. A replica can
# write to /tmp only; a collector beside it takes up to 256 MiB of the replica's memory.

data "aws_caller_identity" "current" {}

data "aws_region" "current" {}

module "replica" {
  source = "../../replica"

  name               = var.name
  image              = var.image
  port               = var.port
  size               = var.size
  environment        = var.environment
  secrets            = var.secrets
  collector          = var.collector
  log_group_arn      = aws_cloudwatch_log_group.this.arn
  log_retention_days = var.log_retention_days
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/menagerie/${var.name}/application"
  retention_in_days = var.log_retention_days

  lifecycle {
    precondition {
      condition     = module.replica.refusals.log_retention == ""
      error_message = module.replica.refusals.log_retention
    }

    precondition {
      condition     = module.replica.refusals.port == ""
      error_message = module.replica.refusals.port
    }
  }
}

resource "aws_security_group" "this" {
  name_prefix = "${var.name}-task-"
  description = "Replicas of ${var.name}"
  vpc_id      = var.network.vpc_id

  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = var.network != null
      error_message = "Tasks of ECS run in a network, so `network` must not be null."
    }
  }
}

# Who needs more adds a rule to the output `security_group_id`, in the root module.
resource "aws_vpc_security_group_egress_rule" "this" {
  for_each = module.replica.egress

  security_group_id = aws_security_group.this.id
  description       = each.key
  cidr_ipv4         = each.value.cidr
  ip_protocol       = "tcp"
  from_port         = each.value.from_port
  to_port           = each.value.to_port
}

module "load_balancer" {
  source = "../../load_balancer"

  name                     = var.name
  ingress_cidrs            = var.ingress_cidrs
  domain                   = var.domain
  target_type              = "ip"
  target_port              = module.replica.port
  target_security_group_id = aws_security_group.this.id
  health_check_path        = var.health_check_path
  disposable               = var.disposable

  # By way of the security group, whose preconditions are judged first.
  network = {
    vpc_id             = aws_security_group.this.vpc_id
    public_subnet_ids  = var.network.public_subnet_ids
    private_subnet_ids = var.network.private_subnet_ids
  }
}

resource "aws_ecs_cluster" "this" {
  name = var.name

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_ecs_task_definition" "this" {
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.size.cpu
  memory                   = var.size.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  container_definitions    = local.container_definitions

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  # A task that starts before its roles may do their work fails, and counts against the deployment.
  depends_on = [aws_iam_role_policy.execution, aws_iam_role_policy.task]

  lifecycle {
    # The old revision is there for as long as ECS may go back to it.
    create_before_destroy = true

    precondition {
      condition     = module.replica.refusals.image == ""
      error_message = module.replica.refusals.image
    }

    precondition {
      condition     = contains(lookup(local.fargate_sizes, tostring(var.size.cpu), []), var.size.memory)
      error_message = "Fargate has no task of ${var.size.cpu} CPU units and ${var.size.memory} MiB. ${local.fargate_hint}"
    }

    precondition {
      condition     = module.replica.refusals.variables == ""
      error_message = module.replica.refusals.variables
    }

    precondition {
      condition     = length(local.container_definitions) < 60000
      error_message = "ECS takes a task definition of at most 64 KiB: the environment variables and the collector's configuration are too long."
    }
  }
}

resource "aws_ecs_service" "this" {
  name                               = var.name
  cluster                            = aws_ecs_cluster.this.arn
  task_definition                    = aws_ecs_task_definition.this.arn
  desired_count                      = var.desired_count
  launch_type                        = "FARGATE"
  availability_zone_rebalancing      = "ENABLED"
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = 60
  enable_execute_command             = false
  enable_ecs_managed_tags            = true
  propagate_tags                     = "SERVICE"
  wait_for_steady_state              = true

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.network.private_subnet_ids
    security_groups  = [aws_security_group.this.id]
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = module.load_balancer.target_group_arn
    container_name   = "application"
    container_port   = module.replica.port
  }

  # Without them a replica can fetch nothing.
  depends_on = [aws_vpc_security_group_egress_rule.this]

  lifecycle {
    # A service is steady too once ECS has taken a deployment back, which the provider calls success
    # (hashicorp/terraform-provider-aws#20858).
    postcondition {
      condition     = self.task_definition == aws_ecs_task_definition.this.arn
      error_message = "The new replicas did not get ready, and ECS has gone back to the old ones: see the events of the service ${var.name}, and the log group /menagerie/${var.name}/application."
    }
  }
}

# An environment that comes from EC2 keeps its load balancer: a second one could not have the same name.
moved {
  from = module.fleet.module.load_balancer
  to   = module.load_balancer
}
