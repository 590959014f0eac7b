provider "aws" {
  region = "eu-central-1"

  default_tags {
    tags = { environment = "calm-otter" }
  }
}

variables {
  name                     = "calm-otter"
  network                  = { vpc_id = "vpc-1", public_subnet_ids = ["subnet-1", "subnet-2"], private_subnet_ids = ["subnet-3", "subnet-4"] }
  ingress_cidrs            = ["10.0.0.0/8"]
  target_type              = "ip"
  target_port              = 8080
  target_security_group_id = "sg-1"
  health_check_path        = "/healthz"
  disposable               = true
}

run "private_networks" {
  command = plan

  assert {
    condition     = aws_lb.this.internal && aws_lb.this.subnets == toset(["subnet-3", "subnet-4"])
    error_message = "Where only private networks may reach it, it has private addresses."
  }

  assert {
    condition     = keys(aws_vpc_security_group_ingress_rule.client) == ["80 10.0.0.0/8"]
    error_message = "Without a domain it is reached over HTTP, from where `ingress_cidrs` says."
  }

  assert {
    condition     = !aws_lb.this.enable_deletion_protection && aws_lb.this.drop_invalid_header_fields
    error_message = "What is disposable is not protected from deletion."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.target.security_group_id == "sg-1" && aws_vpc_security_group_ingress_rule.target.from_port == 8080
    error_message = "The targets are opened for the load balancer."
  }

  assert {
    condition     = length(aws_lb_listener.https) == 0 && aws_lb_listener.http.default_action[0].type == "forward"
    error_message = "Without a domain requests are taken over HTTP."
  }
}

run "networks_of_the_internet" {
  command = plan

  variables {
    name          = "abcdefghijklmnopqrstuvwx"
    ingress_cidrs = ["10.0.0.0/8", "203.0.113.0/24"]
    disposable    = false
  }

  assert {
    condition     = !aws_lb.this.internal && aws_lb.this.subnets == toset(["subnet-1", "subnet-2"]) && aws_lb.this.enable_deletion_protection
    error_message = "A network of the internet needs public addresses, and what is not disposable is protected."
  }

  assert {
    condition     = length(aws_lb.this.name) <= 32 && length(aws_lb_target_group.this.name) <= 32
    error_message = "Names fit for the longest name of an environment."
  }
}

run "private_networks_by_their_edges" {
  command = plan

  variables {
    ingress_cidrs = ["172.16.0.0/12", "172.31.255.0/24", "192.168.1.0/24", "100.64.0.0/10", "100.127.0.0/16"]
  }

  assert {
    condition     = aws_lb.this.internal
    error_message = "These are private networks."
  }
}

run "not_private_by_their_edges" {
  command = plan

  variables {
    ingress_cidrs = ["172.32.0.0/16"]
  }

  assert {
    condition     = !aws_lb.this.internal
    error_message = "This is no private network."
  }
}

run "another_port_is_another_target_group" {
  command = plan

  variables {
    target_port = 8081
  }

  assert {
    condition     = aws_lb_target_group.this.name != "calm-otter-${substr(sha256(jsonencode(["vpc-1", "ip", 8080])), 0, 6)}"
    error_message = "The new target group exists beside the old one."
  }
}

run "domain" {
  variables {
    domain = { name = "otter.example.com", zone_id = "Z1", certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/1" }
  }

  assert {
    condition     = output.url == "https://otter.example.com" && aws_route53_record.this[0].name == "otter.example.com"
    error_message = "It answers at the domain, over HTTPS."
  }

  assert {
    condition     = aws_lb_listener.http.default_action[0].type == "redirect" && aws_lb_listener.http.default_action[0].redirect[0].protocol == "HTTPS"
    error_message = "HTTP leads to HTTPS."
  }

  assert {
    condition     = toset(keys(aws_vpc_security_group_ingress_rule.client)) == toset(["443 10.0.0.0/8", "80 10.0.0.0/8"])
    error_message = "Both ports are open."
  }
}

run "ipv6" {
  command = plan

  variables {
    ingress_cidrs = ["2001:db8::/32"]
  }

  expect_failures = [aws_vpc_security_group_ingress_rule.client]
}

run "one_zone" {
  command = plan

  variables {
    network = { vpc_id = "vpc-1", public_subnet_ids = ["subnet-1", "subnet-2"], private_subnet_ids = ["subnet-3"] }
  }

  expect_failures = [aws_lb.this]
}

run "name_with_capitals" {
  command = plan

  variables {
    name = "Calm_Otter"
  }

  expect_failures = [var.name]
}

run "no_network_in_ingress_cidrs" {
  command = plan

  variables {
    ingress_cidrs = ["10.0.0.1"]
  }

  expect_failures = [var.ingress_cidrs]
}

run "unknown_target_type" {
  command = plan

  variables {
    target_type = "lambda"
  }

  expect_failures = [var.target_type]
}

run "relative_health_check_path" {
  command = plan

  variables {
    health_check_path = "healthz"
  }

  expect_failures = [var.health_check_path]
}

run "name_that_aws_keeps" {
  command = plan

  variables {
    name = "internal-otter"
  }

  expect_failures = [aws_lb.this]
}
