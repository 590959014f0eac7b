provider "aws" {
  region = "eu-central-1"
}

variables {
  name = "common"
}

run "applies" {
  assert {
    condition     = length(output.zones) == 2 && length(output.public_subnet_ids) == 2 && length(output.private_subnet_ids) == 2 && length(output.database_subnet_ids) == 2
    error_message = "Each zone has a subnet of each tier."
  }

  assert {
    condition     = values(local.private_cidrs) == ["10.0.0.0/20", "10.0.16.0/20"] && values(local.public_cidrs) == ["10.0.48.0/22", "10.0.52.0/22"] && values(local.database_cidrs) == ["10.0.64.0/22", "10.0.68.0/22"]
    error_message = "Subnets are computed, and do not overlap."
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_route.nat) == 2 && length(output.nat_addresses) == 1
    error_message = "Private subnets share one NAT gateway."
  }

  assert {
    condition     = length(aws_vpc_endpoint.interface) == 0 && length(aws_vpc_endpoint.s3.route_table_ids) == 3
    error_message = "S3 is reached by a gateway endpoint, and nothing by an interface."
  }

  assert {
    condition     = aws_default_security_group.this.vpc_id == aws_vpc.this.id && length(aws_default_security_group.this.ingress) == 0 && length(aws_default_security_group.this.egress) == 0
    error_message = "The default security group is adopted, without a rule."
  }

  assert {
    condition     = alltrue([for subnet in aws_subnet.public : subnet.tags["kubernetes.io/role/elb"] == "1"]) && alltrue([for subnet in aws_subnet.private : subnet.tags["kubernetes.io/role/internal-elb"] == "1"])
    error_message = "Controllers find the subnets of load balancers by their tags."
  }

  assert {
    condition     = aws_flow_log.this.traffic_type == "ALL" && aws_cloudwatch_log_group.flow.retention_in_days == 30
    error_message = "It is kept who spoke to whom."
  }
}

run "three_zones_with_a_nat_gateway_each" {
  variables {
    zone_count   = 3
    nat_gateways = "per_zone"
    cidr_block   = "172.20.16.0/20"
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 3 && alltrue([for zone, route in aws_route.nat : route.nat_gateway_id == aws_nat_gateway.this[zone].id])
    error_message = "Each zone has a NAT gateway of its own."
  }

  assert {
    condition     = values(local.private_cidrs) == ["172.20.16.0/24", "172.20.17.0/24", "172.20.18.0/24"] && values(local.database_cidrs) == ["172.20.20.0/26", "172.20.20.64/26", "172.20.20.128/26"]
    error_message = "A small network has small subnets."
  }
}

run "no_way_to_the_internet" {
  variables {
    nat_gateways        = "none"
    interface_endpoints = true
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_eip.nat) == 0 && length(aws_route.nat) == 0
    error_message = "Nothing leads from private subnets to the internet."
  }

  assert {
    condition     = length(setsubtract(["ecr.api", "ecr.dkr", "logs", "secretsmanager", "ssm"], keys(aws_vpc_endpoint.interface))) == 0
    error_message = "Replicas reach what they need to start."
  }

  assert {
    condition     = alltrue([for endpoint in aws_vpc_endpoint.interface : endpoint.private_dns_enabled]) && aws_vpc_security_group_ingress_rule.endpoints[0].cidr_ipv4 == "10.0.0.0/16"
    error_message = "Endpoints answer at the names of the services, for the network only."
  }
}

run "no_way_out_at_all" {
  command = plan

  variables {
    nat_gateways = "none"
  }

  expect_failures = [var.nat_gateways]
}

run "one_zone" {
  command = plan

  variables {
    zone_count = 1
  }

  expect_failures = [var.zone_count]
}

run "public_addresses" {
  command = plan

  variables {
    cidr_block = "198.51.0.0/16"
  }

  expect_failures = [var.cidr_block]
}

run "too_small" {
  command = plan

  variables {
    cidr_block = "10.0.0.0/24"
  }

  expect_failures = [var.cidr_block]
}

run "logs_for_a_time_that_cloudwatch_does_not_have" {
  command = plan

  variables {
    flow_log_retention_days = 8
  }

  expect_failures = [var.flow_log_retention_days]
}
