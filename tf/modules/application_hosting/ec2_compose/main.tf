# Replicas as projects of Docker Compose on instances of EC2, one on each, behind a load balancer. A replica can write to /tmp
# only; a collector is a second service. Both have the network and the role of their instance.

data "aws_region" "current" {}

locals {
  # Compose takes `$` for the start of a variable of its own, except for `$$`.
  project = {
    name = "menagerie"
    services = {
      for name, container in module.replica.containers : name => { for key, value in {
        image             = container.image
        command           = length(container.command) == 0 ? null : [for argument in container.command : replace(argument, "$", "$$")]
        environment       = { for variable, value in container.environment : variable => replace(value, "$", "$$") }
        network_mode      = "host"
        restart           = "always"
        read_only         = true
        tmpfs             = ["/tmp:mode=1777,size=64m"]
        security_opt      = ["no-new-privileges:true"]
        init              = true
        stop_grace_period = "30s"
        cpus              = container.cpu / 1024
        mem_limit         = "${container.memory}m"
        logging = {
          driver = "awslogs"
          options = {
            awslogs-region = data.aws_region.current.region
            awslogs-group  = aws_cloudwatch_log_group.this.name
            awslogs-stream = "${name}/$${INSTANCE}"
            mode           = "non-blocking"
          }
        }
      } : key => value if value != null }
    }
  }

  # Between single quotes bash takes everything for what it is, except for the single quote itself.
  start_script = templatefile("${path.module}/start.sh.tftpl", {
    project = "'${replace(yamlencode(local.project), "'", "'\\''")}'"
    secrets = flatten([
      for name, secrets in module.replica.secret_parts : [
        for variable, parts in secrets : {
          container = name
          variable  = "'${replace(variable, "'", "'\\''")}'"
          parts     = [for part in [parts.arn, parts.region, parts.key, parts.stage, parts.version] : "'${replace(part, "'", "'\\''")}'"]
        }
      ]
    ])
  })
}

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
      condition     = var.network != null
      error_message = "Instances of EC2 run in a network, so `network` must not be null."
    }

    precondition {
      condition     = module.replica.refusals.log_retention == ""
      error_message = module.replica.refusals.log_retention
    }

    precondition {
      condition     = module.replica.refusals.port == ""
      error_message = module.replica.refusals.port
    }

    precondition {
      condition     = module.replica.refusals.image == ""
      error_message = module.replica.refusals.image
    }

    precondition {
      condition     = module.replica.refusals.variables == ""
      error_message = module.replica.refusals.variables
    }
  }
}

module "fleet" {
  source = "../../ec2_fleet"

  name                     = var.name
  start_script             = local.start_script
  size                     = module.replica.size
  registries               = module.replica.registries
  refusal                  = module.replica.refusals.secrets
  statements               = concat(module.replica.start_statements, module.replica.run_statements)
  egress                   = module.replica.egress
  port                     = module.replica.port
  desired_count            = var.desired_count
  health_check_path        = var.health_check_path
  ingress_cidrs            = var.ingress_cidrs
  domain                   = var.domain
  permissions_boundary_arn = var.permissions_boundary_arn
  disposable               = var.disposable

  # It depends on the log group, whose preconditions are judged first.
  network = aws_cloudwatch_log_group.this.name == "" ? null : var.network
}

# An environment that comes from ECS keeps its load balancer: a second one could not have the same name.
moved {
  from = module.load_balancer
  to   = module.fleet.module.load_balancer
}
