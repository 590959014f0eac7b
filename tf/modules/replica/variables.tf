variable "name" {
  type        = string
  description = "Name of the environment."
  nullable    = false
}

variable "image" {
  type        = string
  description = "Image of the application."
  nullable    = false
}

variable "port" {
  type        = number
  description = "TCP port that the application is told to listen on in `PORT`; null is 8080."
  default     = null
}

variable "size" {
  type = object({
    cpu    = number
    memory = number
  })
  description = "What it gets: CPU in units of 1/1024 vCPU, memory in MiB."
  nullable    = false
}

variable "environment" {
  type        = map(string)
  description = "Environment variables of the application."
  nullable    = false
}

variable "secrets" {
  type        = map(string)
  description = "Environment variables that are secret: name => ARN of a secret in Secrets Manager, which may be followed by `:json-key:version-stage:version-id`."
  nullable    = false
}

variable "collector" {
  type = object({
    endpoint = optional(string)
    image    = optional(string)
    config   = optional(string)
    secrets  = optional(map(string), {})
  })
  description = "OpenTelemetry collector that the application sends to: one that runs already, at `endpoint`, or one in a container of its own, with `image` and `config`; null sends nothing."
  default     = null
}

variable "log_group_arn" {
  type        = string
  description = "ARN of the log group that its containers write to."
  nullable    = false
}

variable "log_retention_days" {
  type        = number
  description = "How many days the logs are kept."
  nullable    = false
}
