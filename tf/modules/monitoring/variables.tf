variable "name" {
  type        = string
  description = "First part of the name of everything here."
  default     = "menagerie"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name)) && length(var.name) <= 24
    error_message = "A name holds a-z, 0-9 and single hyphens, starts with a letter, and has at most 24 characters."
  }
}

variable "backends" {
  type = map(object({
    endpoint = optional(string)
    secret   = optional(string)
  }))
  description = "Backends that environments may choose: `cloudwatch`, `datadog`, `newrelic`, `elk`, `tick`; each with the endpoint that takes telemetry, without which it is the backend's own default, and the ARN of the secret that it is written to with, without which an empty one is made, where the backend needs one."
  default     = { cloudwatch = {} }
  nullable    = false

  validation {
    condition     = alltrue([for backend in keys(var.backends) : contains(["cloudwatch", "datadog", "newrelic", "elk", "tick"], backend)])
    error_message = "A backend is `cloudwatch`, `datadog`, `newrelic`, `elk` or `tick`."
  }

  validation {
    condition     = alltrue([for settings in values(var.backends) : settings.endpoint == null ? true : can(regex("^https?://[^/@]+", settings.endpoint))])
    error_message = "An endpoint is a URL, without a user or a password."
  }

  validation {
    condition     = alltrue([for backend, settings in var.backends : settings.endpoint != null if contains(["elk", "tick"], backend)])
    error_message = "ELK and TICK are servers of your own: say where they take telemetry, as `endpoint`."
  }

  validation {
    condition     = alltrue([for backend, settings in var.backends : settings.secret == null if contains(["cloudwatch", "tick"], backend)])
    error_message = "CloudWatch and TICK are written to without a key, so they have no `secret`."
  }

  validation {
    condition     = try(var.backends.cloudwatch.endpoint, null) == null
    error_message = "CloudWatch takes telemetry where the environment is, so it has no `endpoint`."
  }
}

variable "indexed_percentage" {
  type        = number
  description = "How many percent of the traces are indexed as summaries; all of them can be searched, whatever it says. AWS takes nothing for the first percent."
  default     = 1
  nullable    = false

  validation {
    condition     = var.indexed_percentage >= 0 && var.indexed_percentage <= 100
    error_message = "A percentage is a number from 0 to 100."
  }
}
