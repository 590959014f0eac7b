variable "region" {
  type        = string
  description = "Region that everything is in."
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "A region is written as AWS does, such as eu-central-1."
  }
}

variable "owner" {
  type        = string
  description = "Team that answers for it: the tag `owner` of everything here."
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9 _.:/=+@-]{1,128}$", var.owner))
    error_message = "A tag holds letters, digits, spaces and _.:/=+-@, at most 128 of them."
  }
}

variable "name" {
  type        = string
  description = "First part of the name of everything here. A second `tf/common` in the same account wants another one, and another region."
  default     = "menagerie"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name)) && length(var.name) <= 20
    error_message = "A name holds a-z, 0-9 and single hyphens, starts with a letter, and has at most 20 characters."
  }
}

variable "github_repository" {
  type        = string
  description = "Repository whose workflows may take the roles, as OWNER/NAME."
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?/[A-Za-z0-9._-]+$", var.github_repository))
    error_message = "A repository is written OWNER/NAME, in full: a pattern such as `owner/*` would let every repository of the owner take the roles."
  }
}

variable "github_ids" {
  type = object({
    owner      = number
    repository = number
  })
  description = "Immutable numbers of the repository's owner and of the repository, for repositories whose tokens have them in their subject (`repo:OWNER@1/NAME@2:…`); null trusts the subject without numbers only."
  default     = null

  validation {
    condition     = var.github_ids == null ? true : alltrue([for id in values(var.github_ids) : id == floor(id) && id > 0])
    error_message = "The numbers of an owner and a repository are whole and positive: `gh api repos/OWNER/NAME --jq '.owner.id, .id'` tells them."
  }
}

variable "github_default_branch" {
  type        = string
  description = "Branch whose workflows may look at everything without an environment, such as nightly ones."
  default     = "main"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9._/-]+$", var.github_default_branch))
    error_message = "A branch is written in full, without a pattern."
  }
}

variable "github_oidc_provider_arn" {
  type        = string
  description = "OIDC provider of GitHub that the account has already, of which there can be one only; null makes it."
  default     = null

  validation {
    condition     = var.github_oidc_provider_arn == null ? true : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider/token\\.actions\\.githubusercontent\\.com$", var.github_oidc_provider_arn))
    error_message = "The OIDC provider of GitHub has an ARN that ends in `:oidc-provider/token.actions.githubusercontent.com`."
  }
}

variable "production_name" {
  type        = string
  description = "Name that `tf/production` has: what bears it is out of reach of the role that applies environments."
  default     = "production"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.production_name)) && length(var.production_name) <= 24
    error_message = "A name holds a-z, 0-9 and single hyphens, starts with a letter, and has at most 24 characters."
  }
}

variable "cidr_block" {
  type        = string
  description = "Addresses of the network, a /16 to /20 of private IPv4 ones."
  default     = "10.0.0.0/16"
  nullable    = false
}

variable "zone_count" {
  type        = number
  description = "How many availability zones the network spans: 2 or 3."
  default     = 2
  nullable    = false
}

variable "nat_gateways" {
  type        = string
  description = "How private subnets reach the internet: by `one` NAT gateway, one `per_zone`, or `none`."
  default     = "one"
  nullable    = false
}

variable "interface_endpoints" {
  type        = bool
  description = "Whether AWS's services are reached without leaving the network; wanted where there are no NAT gateways."
  default     = false
  nullable    = false
}

variable "log_retention_days" {
  type        = number
  description = "How many days flow logs and the logs of a cluster's control plane are kept."
  default     = 30
  nullable    = false
}

variable "image_retention_days" {
  type        = number
  description = "After how many days images of pull requests and commits (tags `pr-…`, `sha-…`) go. It is longer than the longest life of an environment."
  default     = 90
  nullable    = false

  validation {
    condition     = var.image_retention_days == floor(var.image_retention_days) && var.image_retention_days >= 1
    error_message = "Images are kept for a whole number of days."
  }
}

variable "alarm_emails" {
  type        = set(string)
  description = "Addresses that alarms are sent to, once they have confirmed it."
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for address in var.alarm_emails : can(regex("^[^@\\s]+@[^@\\s]+$", address))])
    error_message = "Alarms are sent to e-mail addresses."
  }
}

variable "zone_ids" {
  type        = set(string)
  description = "Zones of Route 53 that environments and production may write records into."
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.zone_ids : can(regex("^Z[A-Z0-9]{1,31}$", id))])
    error_message = "A zone is given by its identifier, such as Z0123456789ABCDEFGHIJ."
  }
}

variable "eks" {
  type = object({
    version             = string
    public_access_cidrs = optional(list(string), [])
  })
  description = "EKS cluster that environments with the hosting `eks` share: its Kubernetes version, and who reaches its API from outside of the network; null makes none."
  default     = null

  validation {
    condition     = var.eks == null ? true : can(regex("^1\\.[0-9]{2}$", var.eks.version))
    error_message = "A version of Kubernetes is written 1.NN."
  }

  validation {
    condition     = var.eks == null ? true : alltrue([for cidr in var.eks.public_access_cidrs : can(cidrnetmask(cidr)) && !endswith(cidr, "/0")])
    error_message = "Who reaches the API is named as networks in CIDR notation, and is not everyone."
  }
}

variable "nomad_address" {
  type        = string
  description = "Where the API of the Nomad cluster answers that environments with the hosting `nomad` share; null where there is none."
  default     = null

  validation {
    condition     = var.nomad_address == null ? true : can(regex("^https?://[^/\\s]+$", var.nomad_address))
    error_message = "The address of Nomad is a URL without a path, such as https://nomad.example.com:4646."
  }
}

variable "observability" {
  type = map(object({
    endpoint = optional(string)
    secret   = optional(string)
  }))
  description = "Backends of observability that environments may choose: backend => where it takes telemetry, and the ARN of the secret that it is written to with. Without a secret an empty one is made, where the backend needs one."
  default     = { cloudwatch = {} }
  nullable    = false

  validation {
    condition     = alltrue([for backend in keys(var.observability) : contains(["cloudwatch", "datadog", "newrelic", "elk", "tick"], backend)])
    error_message = "A backend is `cloudwatch`, `datadog`, `newrelic`, `elk` or `tick`."
  }

  validation {
    condition     = alltrue([for backend in values(var.observability) : backend.secret == null ? true : can(regex("^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^:\\s]+(:[^:]+::)?$", backend.secret))])
    error_message = "A secret is the ARN of a Secrets Manager secret, optionally with `:json-key::` behind it: what is not is a value, not a reference."
  }
}
