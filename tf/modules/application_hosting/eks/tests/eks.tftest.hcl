provider "aws" {
  region = "eu-central-1"
}

provider "kubernetes" {}

variables {
  name  = "calm-otter"
  image = "registry.example/app:1.4.2"
  size  = { cpu = 256, memory = 512 }
  network = {
    vpc_id             = "vpc-1"
    public_subnet_ids  = ["subnet-1", "subnet-2"]
    private_subnet_ids = ["subnet-3", "subnet-4"]
    cluster_name       = "common"
  }
  ingress_cidrs = ["10.0.0.0/8"]
}

run "applies" {
  variables {
    desired_count            = 2
    permissions_boundary_arn = "arn:aws:iam::123456789012:policy/menagerie-environment"
    secrets                  = { PGPASSWORD = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-1-AbCdEf" }
    collector = {
      image   = "registry.example/collector:0.140.0"
      config  = "receivers: {}"
      secrets = { API_KEY = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:key-AbCdEf" }
    }
  }

  assert {
    condition     = output.service_id == "calm-otter/app" && startswith(output.url, "http://")
    error_message = "The service is the deployment in the environment's namespace, and answers over HTTP."
  }

  assert {
    condition     = aws_iam_role.pod.permissions_boundary == "arn:aws:iam::123456789012:policy/menagerie-environment"
    error_message = "The role of the pods has the boundary."
  }

  assert {
    condition     = jsondecode(aws_iam_role.pod.assume_role_policy).Statement[0].Principal == { Service = "pods.eks.amazonaws.com" }
    error_message = "Only pods of EKS take the role."
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.pod.policy).Statement : statement.Sid] == ["ListBucket", "UseObjects", "WriteTraces", "WriteMetrics", "WriteTelemetryLogs"]
    error_message = "The pods use their bucket and write telemetry, and nothing else."
  }

  assert {
    condition     = aws_eks_pod_identity_association.this.namespace == "calm-otter" && aws_eks_pod_identity_association.this.service_account == "app"
    error_message = "The role is that of the application's service account."
  }

  assert {
    condition     = output.fault_targets.kind == "aws:eks:pod" && output.fault_targets.selector.cluster == "common"
    error_message = "The replicas are found in the cluster."
  }
}

run "no_telemetry_without_a_collector" {
  command = plan

  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.pod.policy).Statement : statement.Sid] == ["ListBucket", "UseObjects"]
    error_message = "Who has no collector writes no telemetry."
  }
}

run "https_at_a_domain" {
  variables {
    ingress_cidrs = ["0.0.0.0/0"]
    public        = true
    domain = {
      name            = "calm-otter.example.com"
      zone_id         = "Z0000000000001"
      certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
    }
  }

  assert {
    condition     = output.url == "https://calm-otter.example.com" && aws_route53_record.this[0].records != null
    error_message = "The domain answers over HTTPS, and leads to the load balancer."
  }

  assert {
    condition     = local.load_balancer["service.beta.kubernetes.io/aws-load-balancer-scheme"] == "internet-facing" && tolist(local.subnet_ids) == tolist(["subnet-1", "subnet-2"])
    error_message = "What everyone may reach is in the public subnets."
  }
}

run "private_networks_only" {
  command = plan

  assert {
    condition     = local.load_balancer["service.beta.kubernetes.io/aws-load-balancer-scheme"] == "internal" && tolist(local.subnet_ids) == tolist(["subnet-3", "subnet-4"])
    error_message = "What private networks may reach is in the private subnets."
  }
}

run "no_cluster" {
  command = plan

  variables {
    network = { vpc_id = "vpc-1", public_subnet_ids = [], private_subnet_ids = [] }
  }

  expect_failures = [kubernetes_namespace_v1.this]
}

run "no_network" {
  command = plan

  variables {
    network = null
  }

  expect_failures = [kubernetes_namespace_v1.this]
}

run "ingress_over_ipv6" {
  command = plan

  variables {
    ingress_cidrs = ["2001:db8::/32"]
  }

  expect_failures = [kubernetes_namespace_v1.this]
}

run "image_without_tag" {
  command = plan

  variables {
    image = "registry.example:5000/app"
  }

  expect_failures = [kubernetes_namespace_v1.this]
}

run "image_that_moves" {
  command = plan

  variables {
    image = "registry.example/app:latest"
  }

  expect_failures = [kubernetes_namespace_v1.this]
}

run "image_by_digest" {
  command = plan

  variables {
    image = "registry.example:5000/app@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  }
}

run "secret_that_is_a_value" {
  command = plan

  variables {
    secrets = { PGPASSWORD = "hunter2" }
  }

  expect_failures = [kubernetes_namespace_v1.this]
}

run "variable_with_a_hyphen" {
  command = plan

  variables {
    environment = { "LOG-LEVEL" = "debug" }
  }

  expect_failures = [kubernetes_namespace_v1.this]
}

run "variable_that_is_a_secret_too" {
  command = plan

  variables {
    environment = { PGPASSWORD = "" }
    secrets     = { PGPASSWORD = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-AbCdEf" }
  }

  expect_failures = [kubernetes_namespace_v1.this]
}

run "everyone_by_accident" {
  command = plan

  variables {
    ingress_cidrs = ["0.0.0.0/0"]
  }

  expect_failures = [var.ingress_cidrs]
}

run "port_of_the_collector" {
  command = plan

  variables {
    port      = 4318
    collector = { image = "registry.example/collector:0.140.0", config = "receivers: {}" }
  }

  expect_failures = [kubernetes_namespace_v1.this]
}
