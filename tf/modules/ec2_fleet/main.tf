# Instances of EC2, one for each replica, x86-64, that an autoscaling group keeps alive behind a load balancer, and replaces
# one by one when what they run changes. They run Amazon Linux 2023 with Docker.

data "aws_default_tags" "current" {}

# The newest image. An environment keeps the one that it was made with: `-replace` its launch template for a newer one.
data "aws_ssm_parameter" "image" {
  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
}

locals {
  # Roles of environments have a path of their own, which is all that those who apply may give to services (`tf/common`).
  role_path = "/menagerie/environment/"

  # Instance types by size, with what a replica can have of them.
  instance_types = [
    { type = "t3.micro", cpu = 2048, memory = 1024 - 512 },
    { type = "t3.small", cpu = 2048, memory = 2048 - 512 },
    { type = "t3.medium", cpu = 2048, memory = 4096 - 512 },
    { type = "t3.large", cpu = 2048, memory = 8192 - 512 },
    { type = "m7i.xlarge", cpu = 4096, memory = 16384 - 512 },
    { type = "m7i.2xlarge", cpu = 8192, memory = 32768 - 512 },
    { type = "m7i.4xlarge", cpu = 16384, memory = 65536 - 512 },
    { type = "m7i.8xlarge", cpu = 32768, memory = 131072 - 512 },
  ]
  fitting = [for candidate in local.instance_types : candidate.type if candidate.cpu >= var.size.cpu && candidate.memory >= var.size.memory]

  user_data = base64gzip(templatefile("${path.module}/user_data.sh.tftpl", {
    registries   = var.registries
    start_script = var.start_script
  }))

  # What changes in the life of an environment is no reason to replace its instances.
  lasting_tags = { for name, value in data.aws_default_tags.current.tags : name => value if name != "expires-at" }
}

resource "aws_security_group" "this" {
  name_prefix = "${var.name}-instance-"
  description = "Replicas of ${var.name}"
  vpc_id      = var.network.vpc_id

  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = var.network != null
      error_message = "Instances of EC2 run in a network, so `network` must not be null."
    }
  }
}

# Who needs more adds a rule to the security group, in the root module.
resource "aws_vpc_security_group_egress_rule" "this" {
  for_each = var.egress

  security_group_id = aws_security_group.this.id
  description       = each.key
  cidr_ipv4         = each.value.cidr
  ip_protocol       = "tcp"
  from_port         = each.value.from_port
  to_port           = each.value.to_port
}

module "load_balancer" {
  source = "../load_balancer"

  name                     = var.name
  ingress_cidrs            = var.ingress_cidrs
  domain                   = var.domain
  target_type              = "instance"
  target_port              = var.port
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

resource "aws_iam_role" "this" {
  name                 = "${var.name}-instance"
  path                 = local.role_path
  description          = "Instances of ${var.name}"
  permissions_boundary = var.permissions_boundary_arn

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "run-replica"
  role = aws_iam_role.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(var.statements, [{
      Sid    = "OpenSessions" # of Session Manager, the only way in
      Effect = "Allow"
      Action = [
        "ssm:UpdateInstanceInformation",
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
      ]
      Resource = ["*"]
    }])
  })

  lifecycle {
    precondition {
      condition     = var.refusal == ""
      error_message = var.refusal
    }
  }
}

resource "aws_iam_instance_profile" "this" {
  name = "${var.name}-instance"
  path = local.role_path
  role = aws_iam_role.this.name
}

resource "aws_launch_template" "this" {
  name                   = var.name
  description            = "Replicas of ${var.name}"
  image_id               = data.aws_ssm_parameter.image.insecure_value
  instance_type          = local.fitting[0]
  user_data              = local.user_data
  update_default_version = true
  vpc_security_group_ids = [aws_security_group.this.id]

  iam_instance_profile {
    arn = aws_iam_instance_profile.this.arn
  }

  # One hop: the containers share the network of their instance.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
    instance_metadata_tags      = "disabled"
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_type           = "gp3"
      volume_size           = 20
      encrypted             = true
      delete_on_termination = true
    }
  }

  tag_specifications {
    resource_type = "volume"
    tags          = merge(local.lasting_tags, { Name = var.name })
  }

  # An instance that starts before its role may do its work starts nothing; and what is refused gets no template.
  depends_on = [aws_iam_role_policy.this]

  lifecycle {
    ignore_changes = [image_id]

    precondition {
      condition     = length(local.fitting) > 0
      error_message = "No instance type here has ${var.size.cpu} CPU units and ${var.size.memory} MiB for the containers of a replica: the largest has 32768 and 130560."
    }

    precondition {
      condition     = length(local.user_data) <= 21844
      error_message = "EC2 takes user data of at most 16 KiB, compressed: the environment variables and the collector's configuration are too long."
    }
  }
}

resource "aws_autoscaling_group" "this" {
  name                      = var.name
  min_size                  = var.desired_count
  max_size                  = max(var.desired_count * 2, 1)
  desired_capacity          = var.desired_count
  vpc_zone_identifier       = var.network.private_subnet_ids
  target_group_arns         = [module.load_balancer.target_group_arn]
  health_check_type         = "ELB"
  health_check_grace_period = 300
  default_instance_warmup   = 60
  wait_for_elb_capacity     = var.desired_count
  wait_for_capacity_timeout = "15m"
  force_delete              = var.disposable

  launch_template {
    id      = aws_launch_template.this.id
    version = aws_launch_template.this.latest_version
  }

  instance_refresh {
    strategy = "Rolling"

    preferences {
      min_healthy_percentage = 100
      max_healthy_percentage = 200
      auto_rollback          = true
    }
  }

  # The provider's default tags do not reach what a group launches.
  dynamic "tag" {
    for_each = merge(data.aws_default_tags.current.tags, { Name = var.name })

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }

  # Without it no instance can fetch anything.
  depends_on = [aws_vpc_security_group_egress_rule.this]
}
