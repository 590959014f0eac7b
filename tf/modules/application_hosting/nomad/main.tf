# The application as a job of a Nomad cluster with Consul: replicas as Docker containers on clients of their own, spread over
# datacenters, found by Consul's DNS. Every client listens at the application's port, so environments of one cluster need
# ports of their own: without `port`, one of 10,000 is taken by the name. How long logs are kept is the cluster's.
locals {
  pinned_image    = "^[a-z0-9][A-Za-z0-9._:/-]*(@sha256:[0-9a-f]{64}|:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})$"
  private_network = "^((10|192\\.168|172\\.(1[6-9]|2[0-9]|3[01])|100\\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\\.|f[cd][0-9a-f]{2}:)"

  variable_names = concat(keys(var.environment), keys(var.secrets), keys(try(var.collector.secrets, {})))

  # Below what Nomad gives to others by itself, which is 20000 to 32000.
  port = coalesce(var.port, 10000 + parseint(substr(sha256(var.name), 0, 6), 16) % 10000)

  # References by task/name: the ARN and, where the secret is a JSON object, the key of one value, as Amazon ECS writes it.
  secrets = merge([for task, references in { app = var.secrets, collector = try(var.collector.secrets, {}) } : {
    for name, reference in references : "${task}/${name}" => {
      task   = task
      name   = name
      region = try(split(":", reference)[3], null)
      arn    = try(regex("^(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^:\\s]+)(?::[^:]+::)?$", reference)[0], null)
      key    = try(split(":", reference)[7], null)
    }
  }]...)
}

# What is no reference is refused here, before anything is asked for it.
resource "terraform_data" "references" {
  input = { for path, secret in local.secrets : path => secret.arn }

  lifecycle {
    precondition {
      condition     = alltrue([for secret in local.secrets : secret.arn != null])
      error_message = "A secret is the ARN of a Secrets Manager secret, optionally with `:json-key::` behind it: ${join(", ", [for secret in local.secrets : "`${secret.name}`" if secret.arn == null])} is a value, not a reference."
    }
  }
}

# Ephemeral: the values are in no plan and in no state, and go to the cluster only. Terraform 1.11.4 crashes on a condition here
# when it shows the plan as JSON. A secret that is gone stops a destroy, which looks at everything first; `-refresh=false` makes
# it go on.
ephemeral "aws_secretsmanager_secret_version" "this" {
  for_each = local.secrets

  region    = each.value.region
  secret_id = terraform_data.references.output[each.key]
}

# A task may read the variable that is named after it, and no other.
resource "nomad_variable" "secrets" {
  for_each = toset([for secret in local.secrets : secret.task])

  path = "nomad/jobs/${var.name}/app/${each.key}"

  items_wo = jsonencode({ for path, secret in local.secrets : secret.name => (
    secret.key == null
    ? ephemeral.aws_secretsmanager_secret_version.this[path].secret_string
    # Without the key it fails here, where no error shows a part of the secret, as one of a `jsondecode` that fails would.
    : tostring(jsondecode(can(jsondecode(ephemeral.aws_secretsmanager_secret_version.this[path].secret_string)[secret.key]) ? ephemeral.aws_secretsmanager_secret_version.this[path].secret_string : "{}")[secret.key])
  ) if secret.task == each.key })

  # A secret is written again when a reference is another; that one was rotated is not seen.
  items_wo_version = parseint(substr(sha256(jsonencode(local.secrets)), 0, 7), 16)
}

resource "nomad_job" "this" {
  jobspec          = jsonencode({ Job = local.job })
  json             = true
  detach           = false
  purge_on_destroy = true

  depends_on = [nomad_variable.secrets]

  lifecycle {
    precondition {
      condition     = can(regex(local.pinned_image, var.image)) && !endswith(var.image, ":latest")
      error_message = "An image is given by its digest, `name@sha256:…`, or by a tag other than `latest`."
    }

    precondition {
      condition     = alltrue([for name in local.variable_names : can(regex("^[A-Za-z_][A-Za-z0-9_]*$", name))])
      error_message = "The name of an environment variable holds letters, digits and underscores, and starts with no digit."
    }

    precondition {
      condition     = try(var.collector.image, null) == null || !contains([4317, 4318, 13133], local.port)
      error_message = "The collector beside a replica listens at 4317, 4318 and 13133 there, so `port` is another one."
    }

    precondition {
      condition     = length(setintersection(keys(var.environment), keys(var.secrets))) == 0
      error_message = "An environment variable is either in `environment` or in `secrets`, not in both."
    }

    precondition {
      condition     = !var.public && alltrue([for cidr in var.ingress_cidrs : can(regex(local.private_network, cidr))])
      error_message = "Nomad keeps nobody out: what reaches its clients' network reaches the application. So `ingress_cidrs` holds private networks only, and `public` is false."
    }

    precondition {
      condition     = var.domain == null
      error_message = "Nomad ends no TLS and has no certificates of AWS, so `domain` must be null."
    }
  }
}
