# The one interface of all backends: byte-identical in every sibling of this directory.

variable "name" {
  type        = string
  description = "Name of the environment; the first part of the name of everything here."
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name)) && length(var.name) <= 24
    error_message = "A name holds a-z, 0-9 and single hyphens, starts with a letter, and has at most 24 characters."
  }
}

variable "collector_image" {
  type        = string
  description = "Image of the OpenTelemetry collector that runs beside each replica; null where the platform has one of its own."
  default     = null
}

variable "endpoint" {
  type        = string
  description = "Where the backend takes telemetry; null is its own default."
  default     = null
}

variable "secret" {
  type        = string
  description = "Reference to the secret that the backend is written to with; null where it takes none. The value never passes through Terraform."
  default     = null
}

variable "alarm_dimensions" {
  type        = map(string)
  description = "CloudWatch dimensions of what receives the requests, as a hosting gives them; null watches nothing there."
  default     = null
}

variable "database_id" {
  type        = string
  description = "Identifier of the database, to be watched; null watches none."
  default     = null
}

variable "alarm_topic_arn" {
  type        = string
  description = "SNS topic that alarms go to; null leaves them unsent."
  default     = null
}

variable "log_retention_days" {
  type        = number
  description = "How many days telemetry is kept, where the backend lets an environment say so."
  default     = 7
  nullable    = false

  validation {
    condition     = var.log_retention_days == floor(var.log_retention_days) && var.log_retention_days >= 1 && var.log_retention_days <= 3653
    error_message = "Telemetry is kept for 1 to 3653 whole days."
  }
}
