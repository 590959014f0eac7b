variable "name" {
  type        = string
  description = "Name of the environment, which everything that is sent carries as `deployment.environment.name`."
  nullable    = false
}

variable "image" {
  type        = string
  description = "Image of the collector, with all components of the contrib distribution that the exporters need; null is the pinned one."
  default     = null

  # A tag such as `latest` is another collector tomorrow, with other components.
  validation {
    condition     = var.image == null ? true : can(regex("(@sha256:[0-9a-f]{64}|:[A-Za-z0-9_][A-Za-z0-9._-]*)$", var.image)) && !endswith(var.image, ":latest")
    error_message = "The image of a collector is given by its digest, or by a tag other than `latest`."
  }

  # Only where the name says which numbers these are: 0.144 renamed the exporters.
  validation {
    condition     = try(tonumber(regex("opentelemetry-collector-contrib:0\\.([0-9]+)\\.", var.image)[0]), 144) >= 144
    error_message = "Collectors before 0.144 do not know the exporters by the names that they are told."
  }
}

variable "exporters" {
  type        = any
  description = "Exporters as the collector's configuration has them: name => settings. A secret stands in them as `$${env:NAME}`."
  nullable    = false
}

variable "pipelines" {
  type = object({
    traces  = list(string)
    metrics = list(string)
    logs    = list(string)
  })
  description = "Names of the exporters that each signal goes to."
  nullable    = false

  validation {
    condition     = alltrue([for exporters in values(var.pipelines) : length(exporters) > 0])
    error_message = "Each signal goes somewhere."
  }
}

variable "extensions" {
  type        = any
  description = "Extensions that the exporters need, such as authenticators: name => settings."
  default     = {}
  nullable    = false
}

variable "connectors" {
  type        = any
  description = "Connectors that make metrics of traces: name => settings."
  default     = {}
  nullable    = false
}

variable "metric_processors" {
  type        = any
  description = "Processors that metrics alone pass, before they are batched: name => settings."
  default     = {}
  nullable    = false
}

variable "secrets" {
  type        = map(string)
  description = "Environment variables of the collector that are secret: name => reference."
  default     = {}
  nullable    = false
}
