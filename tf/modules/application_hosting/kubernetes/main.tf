# The application on any Kubernetes cluster that makes load balancers: a namespace of its own, replicas spread over zones, and
# a load balancer over plain HTTP. The network, how long logs are kept, and what protects them, are the cluster's.
locals {
  pinned_image     = "^[a-z0-9][A-Za-z0-9._:/-]*(@sha256:[0-9a-f]{64}|:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})$"
  secret_reference = "^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^:\\s]+(:[^:]+::)?$"

  references     = concat(values(var.secrets), values(try(var.collector.secrets, {})))
  variable_names = concat(keys(var.environment), keys(var.secrets), keys(try(var.collector.secrets, {})))
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
      condition     = var.domain == null
      error_message = "A cluster that may be any has no certificates of AWS, so `domain` must be null; the hosting `eks` takes one."
    }
  }
}

module "workload" {
  source = "../../kubernetes_workload"

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
}
