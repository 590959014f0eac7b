provider "aws" {
  region = "eu-central-1"

  default_tags {
    tags = { environment = "calm-otter", "expires-at" = "2026-11-25T00:00:00Z" }
  }
}

variables {
  name              = "calm-otter"
  size              = { cpu = 256, memory = 512 }
  start_script      = "docker run app"
  registries        = { "123456789012.dkr.ecr.eu-central-1.amazonaws.com" = "eu-central-1" }
  refusal           = ""
  statements        = [{ Sid = "WriteLogs", Effect = "Allow", Action = ["logs:PutLogEvents"], Resource = ["arn:aws:logs:eu-central-1:123456789012:log-group:a:*"] }]
  egress            = { "HTTPS" = { cidr = "0.0.0.0/0", from_port = 443, to_port = 443 } }
  port              = 8080
  desired_count     = 2
  network           = { vpc_id = "vpc-1", public_subnet_ids = ["subnet-1", "subnet-2"], private_subnet_ids = ["subnet-3", "subnet-4"] }
  health_check_path = "/healthz"
  ingress_cidrs     = ["10.0.0.0/8"]
  disposable        = true
}

override_data {
  target = data.aws_default_tags.current
  values = {
    tags = { environment = "calm-otter", "expires-at" = "2026-11-25T00:00:00Z" }
  }
}

run "small" {
  assert {
    condition     = aws_launch_template.this.instance_type == "t3.micro"
    error_message = "The smallest instance that fits is taken."
  }

  assert {
    condition     = aws_launch_template.this.metadata_options[0].http_tokens == "required" && aws_launch_template.this.metadata_options[0].http_put_response_hop_limit == 1
    error_message = "Only version 2 of the metadata service answers, and only on the instance itself."
  }

  assert {
    condition     = aws_launch_template.this.block_device_mappings[0].ebs[0].encrypted == "true" && aws_launch_template.this.block_device_mappings[0].ebs[0].volume_type == "gp3"
    error_message = "The disk is encrypted."
  }

  assert {
    condition     = aws_launch_template.this.tag_specifications[0].tags == tomap({ environment = "calm-otter", Name = "calm-otter" })
    error_message = "Volumes have the tags that last, and no others: a change of this template replaces the instances."
  }

  assert {
    condition     = { for tag in aws_autoscaling_group.this.tag : tag.key => tag.value if tag.propagate_at_launch } == { environment = "calm-otter", "expires-at" = "2026-11-25T00:00:00Z", Name = "calm-otter" }
    error_message = "Instances have all tags."
  }

  assert {
    condition     = aws_autoscaling_group.this.health_check_type == "ELB" && aws_autoscaling_group.this.wait_for_elb_capacity == 2 && aws_autoscaling_group.this.vpc_zone_identifier == toset(["subnet-3", "subnet-4"])
    error_message = "An apply waits for replicas that answer, in the private subnets."
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.this.policy).Statement : statement.Sid] == ["WriteLogs", "OpenSessions"]
    error_message = "The instances may do what their replica may, and let Session Manager in."
  }

  assert {
    condition     = output.fault_targets == { kind = "aws:ec2:instance", selector = { autoscaling_group = "calm-otter" } } && output.id == aws_autoscaling_group.this.arn
    error_message = "The replicas are the instances of a group."
  }
}

run "medium" {
  command = plan

  variables {
    size = { cpu = 512, memory = 1280 }
  }

  assert {
    condition     = aws_launch_template.this.instance_type == "t3.small"
    error_message = "512 MiB are the instance's own."
  }
}

run "large" {
  command = plan

  variables {
    name                     = "abcdefghijklmnopqrstuvwx"
    size                     = { cpu = 1024, memory = 2304 }
    disposable               = false
    permissions_boundary_arn = "arn:aws:iam::123456789012:policy/boundary"
  }

  assert {
    condition     = aws_launch_template.this.instance_type == "t3.medium" && aws_iam_role.this.permissions_boundary == "arn:aws:iam::123456789012:policy/boundary" && !aws_autoscaling_group.this.force_delete
    error_message = "The role has the boundary."
  }

  assert {
    condition     = length(aws_iam_role.this.name) <= 64 && length(aws_iam_instance_profile.this.name) <= 128
    error_message = "Names fit for the longest name of an environment."
  }
}

run "many_cpus" {
  command = plan

  variables {
    size = { cpu = 2049, memory = 512 }
  }

  assert {
    condition     = aws_launch_template.this.instance_type == "m7i.xlarge"
    error_message = "CPU counts as memory does."
  }
}

run "nothing_runs" {
  command = plan

  variables {
    desired_count = 0
  }

  assert {
    condition     = aws_autoscaling_group.this.desired_capacity == 0 && aws_autoscaling_group.this.max_size == 1
    error_message = "An environment may sleep."
  }
}

run "larger_than_any_instance" {
  command = plan

  variables {
    size = { cpu = 1024, memory = 131072 }
  }

  expect_failures = [aws_launch_template.this]
}

run "too_much_for_user_data" {
  command = plan

  variables {
    start_script = join("", [for number in range(1000) : sha256(number)])
  }

  expect_failures = [aws_launch_template.this]
}

run "refused" {
  command = plan

  variables {
    refusal = "Something in `secrets` is a value, not a reference."
  }

  expect_failures = [aws_iam_role_policy.this]
}

run "no_network" {
  command = plan

  variables {
    network = null
  }

  expect_failures = [aws_security_group.this]
}

run "registry_that_is_code" {
  command = plan

  variables {
    registries = { "a; reboot" = "eu-central-1" }
  }

  expect_failures = [var.registries]
}

run "name_with_capitals" {
  command = plan

  variables {
    name = "Calm_Otter"
  }

  expect_failures = [var.name]
}
