# The one interface of all hostings: byte-identical in every sibling of this directory.

variable "name" {
  type        = string
  description = "Name of the environment; the first part of the name of everything here."
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name)) && length(var.name) <= 24
    error_message = "A name holds a-z, 0-9 and single hyphens, starts with a letter, and has at most 24 characters."
  }
}

variable "image" {
  type        = string
  description = "What runs: a container image by its digest; the local hosting takes the path of an executable."
  nullable    = false

  validation {
    condition     = var.image != ""
    error_message = "There is no image to run."
  }
}

variable "port" {
  type        = number
  description = "TCP port that the application is told to listen on in `PORT`; null leaves it to the hosting."
  default     = null

  validation {
    condition     = var.port == null ? true : var.port == floor(var.port) && var.port >= 1024 && var.port <= 65535
    error_message = "A port is a whole number from 1024 to 65535."
  }
}

variable "size" {
  type = object({
    cpu    = number
    memory = number
  })
  description = "What one replica gets: CPU in units of 1/1024 vCPU, memory in MiB."
  nullable    = false

  validation {
    condition     = var.size.cpu >= 1 && var.size.memory >= 1
    error_message = "A replica gets some CPU and some memory."
  }
}

variable "desired_count" {
  type        = number
  description = "How many replicas run."
  default     = 1
  nullable    = false

  validation {
    condition     = var.desired_count == floor(var.desired_count) && var.desired_count >= 0 && var.desired_count <= 20
    error_message = "The number of replicas is a whole number from 0 to 20."
  }
}

variable "network" {
  type = object({
    vpc_id             = string
    public_subnet_ids  = list(string)
    private_subnet_ids = list(string)
    cluster_name       = optional(string)
  })
  description = "Network that it runs in, and the cluster, for hostings that share one; null where the platform has none of its own."
}

variable "environment" {
  type        = map(string)
  description = "Environment variables of the application."
  default     = {}
  nullable    = false
}

variable "secrets" {
  type        = map(string)
  description = "Environment variables that are secret: name => reference, such as an ARN. The values never pass through Terraform."
  default     = {}
  nullable    = false
}

variable "health_check_path" {
  type        = string
  description = "Path that answers 200 when a replica is ready."
  default     = "/healthz"
  nullable    = false

  validation {
    condition     = startswith(var.health_check_path, "/")
    error_message = "The path of the health check starts with a slash."
  }
}

variable "ingress_cidrs" {
  type        = list(string)
  description = "Networks that may reach the application."
  nullable    = false

  validation {
    condition     = alltrue([for cidr in var.ingress_cidrs : can(cidrhost(cidr, 0))])
    error_message = "A network is written in CIDR notation, such as 10.0.0.0/8."
  }

  validation {
    condition     = var.public || alltrue([for cidr in var.ingress_cidrs : !endswith(cidr, "/0")])
    error_message = "Everyone may reach the application only where `public` is true."
  }
}

variable "public" {
  type        = bool
  description = "Whether `ingress_cidrs` may hold everyone, 0.0.0.0/0 or ::/0."
  default     = false
  nullable    = false
}

variable "domain" {
  type = object({
    name            = string
    zone_id         = string
    certificate_arn = string
  })
  description = "Host name that it answers at over HTTPS, with the zone that holds the name and the certificate for it; null is plain HTTP at the platform's own name."
  default     = null
}

variable "collector" {
  type = object({
    endpoint = optional(string)
    image    = optional(string)
    config   = optional(string)
    secrets  = optional(map(string), {})
  })
  description = "OpenTelemetry collector that the application sends to: one that runs already, at `endpoint`, or one beside each replica, with `image` and `config`; null sends nothing."
  default     = null

  validation {
    condition     = var.collector == null ? true : (var.collector.endpoint != null) != (var.collector.image != null && var.collector.config != null)
    error_message = "A collector has either an `endpoint`, or an `image` and a `config`."
  }
}

variable "log_retention_days" {
  type        = number
  description = "How many days the logs are kept."
  default     = 7
  nullable    = false

  validation {
    condition     = var.log_retention_days == floor(var.log_retention_days) && var.log_retention_days >= 1 && var.log_retention_days <= 3653
    error_message = "Logs are kept for 1 to 3653 whole days."
  }
}

variable "permissions_boundary_arn" {
  type        = string
  description = "Permissions boundary of every role that is made; null sets none."
  default     = null
}

variable "disposable" {
  type        = bool
  description = "Whether nothing of it is worth protecting from deletion."
  default     = true
  nullable    = false
}
