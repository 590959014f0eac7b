# What receives the requests of one environment: an application load balancer, and the rules that let clients reach it and
# let it, alone, reach the targets.

locals {
  # A load balancer for private networks only has private addresses: at public ones it would see none of their clients.
  internal = alltrue([
    for cidr in var.ingress_cidrs : can(regex("^(10|192\\.168|172\\.(1[6-9]|2[0-9]|3[01])|100\\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\\.", cidr))
  ])

  ports = toset(var.domain == null ? ["80"] : ["80", "443"])

  ingress = {
    for pair in setproduct(local.ports, toset(var.ingress_cidrs)) : "${pair[0]} ${pair[1]}" => { port = tonumber(pair[0]), cidr = pair[1] }
  }

  # What can't be changed in place of a target group. A new one must exist before the listener lets go of the old one, so its
  # name tells them apart: 24 + 1 + 6 of 32 characters.
  target_identity = jsonencode([var.network.vpc_id, var.target_type, var.target_port])
}

resource "aws_security_group" "this" {
  name_prefix = "${var.name}-lb-"
  description = "Load balancer of ${var.name}"
  vpc_id      = var.network.vpc_id

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "client" {
  for_each = local.ingress

  security_group_id = aws_security_group.this.id
  description       = "Clients"
  cidr_ipv4         = each.value.cidr
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port

  lifecycle {
    precondition {
      condition     = !strcontains(each.value.cidr, ":")
      error_message = "The load balancer has IPv4 addresses only, so `ingress_cidrs` must hold no IPv6 network."
    }
  }
}

resource "aws_vpc_security_group_egress_rule" "target" {
  security_group_id            = aws_security_group.this.id
  description                  = "Requests and health checks"
  referenced_security_group_id = var.target_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = var.target_port
  to_port                      = var.target_port
}

resource "aws_vpc_security_group_ingress_rule" "target" {
  security_group_id            = var.target_security_group_id
  description                  = "Requests and health checks of the load balancer"
  referenced_security_group_id = aws_security_group.this.id
  ip_protocol                  = "tcp"
  from_port                    = var.target_port
  to_port                      = var.target_port
}

resource "aws_lb" "this" {
  name                       = var.name
  load_balancer_type         = "application"
  internal                   = local.internal
  security_groups            = [aws_security_group.this.id]
  subnets                    = local.internal ? var.network.private_subnet_ids : var.network.public_subnet_ids
  drop_invalid_header_fields = true
  enable_deletion_protection = !var.disposable

  lifecycle {
    precondition {
      condition     = !startswith(var.name, "internal-")
      error_message = "AWS keeps the names of load balancers that begin with `internal-` for itself, so the environment needs another name."
    }

    precondition {
      condition     = length(local.internal ? var.network.private_subnet_ids : var.network.public_subnet_ids) >= 2
      error_message = "An application load balancer needs subnets in two zones: ${local.internal ? "private" : "public"} ones, to go by `ingress_cidrs`."
    }
  }
}

resource "aws_lb_target_group" "this" {
  name                 = "${var.name}-${substr(sha256(local.target_identity), 0, 6)}"
  vpc_id               = var.network.vpc_id
  target_type          = var.target_type
  protocol             = "HTTP"
  port                 = var.target_port
  deregistration_delay = 15

  health_check {
    path                = var.health_check_path
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.this.arn
  protocol          = "HTTP"
  port              = 80

  default_action {
    type             = var.domain == null ? "forward" : "redirect"
    target_group_arn = var.domain == null ? aws_lb_target_group.this.arn : null

    dynamic "redirect" {
      for_each = var.domain == null ? [] : [var.domain]

      content {
        protocol    = "HTTPS"
        port        = "443"
        status_code = "HTTP_301"
      }
    }
  }
}

resource "aws_lb_listener" "https" {
  count = var.domain == null ? 0 : 1

  load_balancer_arn = aws_lb.this.arn
  protocol          = "HTTPS"
  port              = 443
  certificate_arn   = var.domain.certificate_arn
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06" # TLS 1.2 and 1.3

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this.arn
  }
}

resource "aws_route53_record" "this" {
  count = var.domain == null ? 0 : 1

  zone_id = var.domain.zone_id
  name    = var.domain.name
  type    = "A"

  alias {
    name                   = aws_lb.this.dns_name
    zone_id                = aws_lb.this.zone_id
    evaluate_target_health = true
  }
}
