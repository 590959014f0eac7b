variable "region" {
  type        = string
  description = "Region that everything is in: the one of `tf/common`."
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "A region is written as AWS does, such as eu-central-1."
  }
}

variable "name" {
  type        = string
  description = "First part of the name of everything here; the variable `production_name` of `tf/common` is the same."
  default     = "production"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name)) && length(var.name) <= 24
    error_message = "A name holds a-z, 0-9 and single hyphens, starts with a letter, and has at most 24 characters."
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

variable "repository" {
  type        = string
  description = "Repository that it is made from: the tag `repository` of everything here."
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9 _.:/=+@-]{1,128}$", var.repository))
    error_message = "A tag holds letters, digits, spaces and _.:/=+-@, at most 128 of them."
  }
}

variable "image" {
  type        = string
  description = "Container image that runs, by its digest: what was reviewed is what runs."
  nullable    = false

  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "Production runs an image by its digest, `name@sha256:…`; a tag could be another image by then."
  }
}

variable "domain" {
  type = object({
    name            = string
    zone_id         = string
    certificate_arn = string
  })
  description = "Host name that it answers at over HTTPS, with the zone that holds the name and the certificate for it."
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.domain.name))
    error_message = "A host name is written in lower case and in full, such as www.example.com."
  }
}

variable "ingress_cidrs" {
  type        = list(string)
  description = "Networks that may reach it; everyone, unless it is for some only."
  default     = ["0.0.0.0/0"]
  nullable    = false

  validation {
    condition     = length(var.ingress_cidrs) > 0
    error_message = "Somebody may reach production."
  }
}

variable "size" {
  type = object({
    cpu    = number
    memory = number
  })
  description = "What one replica gets: CPU in units of 1/1024 vCPU, memory in MiB."
  default     = { cpu = 1024, memory = 2048 }
  nullable    = false
}

variable "desired_count" {
  type        = number
  description = "How many replicas run; two at least, so that a zone can fail."
  default     = 2
  nullable    = false

  validation {
    condition     = var.desired_count == floor(var.desired_count) && var.desired_count >= 2 && var.desired_count <= 20
    error_message = "Production has 2 to 20 replicas."
  }
}

variable "database_size" {
  type        = string
  description = "How large the database is: `medium` or `large`."
  default     = "large"
  nullable    = false

  validation {
    condition     = contains(["medium", "large"], var.database_size)
    error_message = "The database of production is `medium` or `large`."
  }
}

variable "port" {
  type        = number
  description = "TCP port that the application is told to listen on in `PORT`; null leaves it to the hosting."
  default     = null
}

variable "environment" {
  type        = map(string)
  description = "Environment variables of the application. They are plain text: a secret has no place here."
  default     = {}
  nullable    = false
}

variable "health_check_path" {
  type        = string
  description = "Path that answers 200 when a replica is ready."
  default     = "/healthz"
  nullable    = false
}

variable "collector_image" {
  type        = string
  description = "Image of the OpenTelemetry collector that runs beside each replica; null is the one that the backend is made for."
  default     = null
}

variable "log_retention_days" {
  type        = number
  description = "How many days logs and telemetry are kept; 30 at least."
  default     = 90
  nullable    = false

  validation {
    condition     = var.log_retention_days >= 30
    error_message = "Production keeps its logs for 30 days or more."
  }
}
