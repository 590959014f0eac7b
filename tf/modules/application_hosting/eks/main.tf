# The application on the EKS cluster of `tf/common` (auto mode): a namespace of its own, replicas spread over zones, a role of
# their own by EKS Pod Identity, and a network load balancer, which ends TLS where there is a `domain`. How long logs are kept
# is the cluster's. A load balancer for private networks only has private addresses.
locals {
  pinned_image     = "^[a-z0-9][A-Za-z0-9._:/-]*(@sha256:[0-9a-f]{64}|:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})$"
  secret_reference = "^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^:\\s]+(:[^:]+::)?$"

  references     = concat(values(var.secrets), values(try(var.collector.secrets, {})))
  variable_names = concat(keys(var.environment), keys(var.secrets), keys(try(var.collector.secrets, {})))

  private = alltrue([
    for cidr in var.ingress_cidrs : can(regex("^(10|192\\.168|172\\.(1[6-9]|2[0-9]|3[01])|100\\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\\.", cidr))
  ])
  subnet_ids = try(local.private ? var.network.private_subnet_ids : var.network.public_subnet_ids, [])

  load_balancer = {
    "service.beta.kubernetes.io/aws-load-balancer-scheme"          = local.private ? "internal" : "internet-facing"
    "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type" = "ip"
    "service.beta.kubernetes.io/aws-load-balancer-subnets"         = join(",", local.subnet_ids)
    "service.beta.kubernetes.io/aws-load-balancer-attributes"      = "deletion_protection.enabled=${!var.disposable}"
  }
  tls = var.domain == null ? {} : {
    "service.beta.kubernetes.io/aws-load-balancer-ssl-cert"               = var.domain.certificate_arn
    "service.beta.kubernetes.io/aws-load-balancer-ssl-ports"              = "443"
    "service.beta.kubernetes.io/aws-load-balancer-ssl-negotiation-policy" = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  }
}

resource "kubernetes_namespace_v1" "this" {
  metadata {
    name = var.name

    labels = {
      "app.kubernetes.io/managed-by"       = "menagerie"
      "pod-security.kubernetes.io/enforce" = "restricted"
    }
  }

  lifecycle {
    precondition {
      condition     = can(regex(local.pinned_image, var.image)) && !endswith(var.image, ":latest")
      error_message = "An image is given by its digest, `name@sha256:…`, or by a tag other than `latest`."
    }

    precondition {
      condition     = alltrue([for reference in local.references : can(regex(local.secret_reference, reference))])
      error_message = "A secret is the ARN of a Secrets Manager secret, optionally with `:json-key::` behind it: what is not is a value, not a reference."
    }

    precondition {
      condition     = alltrue([for name in local.variable_names : can(regex("^[A-Za-z_][A-Za-z0-9_]*$", name))])
      error_message = "The name of an environment variable holds letters, digits and underscores, and starts with no digit."
    }

    precondition {
      condition     = try(var.collector.image, null) == null || !contains([4317, 4318, 13133], var.port == null ? 8080 : var.port)
      error_message = "The collector beside a replica listens at 4317, 4318 and 13133 there, so `port` is another one."
    }

    precondition {
      condition     = length(setintersection(keys(var.environment), keys(var.secrets))) == 0
      error_message = "An environment variable is either in `environment` or in `secrets`, not in both."
    }

    precondition {
      condition     = try(var.network.cluster_name, null) != null
      error_message = "The network has no EKS cluster: `network.cluster_name` names the one of `tf/common`, which it makes where its variable `eks` is set."
    }

    precondition {
      condition     = alltrue([for cidr in var.ingress_cidrs : !strcontains(cidr, ":")])
      error_message = "The load balancer has IPv4 addresses only, so `ingress_cidrs` must hold no IPv6 network."
    }
  }
}

module "workload" {
  source = "../../kubernetes_workload"

  # A pod is given its role when it starts.
  depends_on = [aws_eks_pod_identity_association.this, aws_iam_role_policy.pod]

  name              = var.name
  namespace         = kubernetes_namespace_v1.this.metadata[0].name
  image             = var.image
  port              = coalesce(var.port, 8080)
  size              = var.size
  desired_count     = var.desired_count
  environment       = var.environment
  secrets           = var.secrets
  health_check_path = var.health_check_path
  ingress_cidrs     = var.ingress_cidrs
  collector         = var.collector

  load_balancer = {
    annotations = merge(local.load_balancer, local.tls)
    class       = "eks.amazonaws.com/nlb"
    https       = var.domain != null
  }
}

resource "aws_route53_record" "this" {
  count = var.domain == null ? 0 : 1

  zone_id = var.domain.zone_id
  name    = var.domain.name
  type    = "CNAME"
  ttl     = 60
  records = [module.workload.host]
}
