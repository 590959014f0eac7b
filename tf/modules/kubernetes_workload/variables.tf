variable "name" {
  type        = string
  description = "Name of the environment, which all of its pods are labelled with."
  nullable    = false
}

variable "namespace" {
  type        = string
  description = "Namespace that everything is made in."
  nullable    = false
}

variable "image" {
  type        = string
  description = "Container image that runs; it has a numeric user that is not root."
  nullable    = false
}

variable "port" {
  type        = number
  description = "TCP port that the application is told to listen on in `PORT`."
  nullable    = false
}

variable "size" {
  type = object({
    cpu    = number
    memory = number
  })
  description = "What one replica gets: CPU in units of 1/1024 vCPU, memory in MiB."
  nullable    = false
}

variable "desired_count" {
  type        = number
  description = "How many replicas run."
  nullable    = false
}

variable "environment" {
  type        = map(string)
  description = "Environment variables of the application, taken literally."
  nullable    = false
}

variable "secrets" {
  type        = map(string)
  description = "Environment variables that are secret: name => ARN of a Secrets Manager secret, optionally with `:json-key::` behind it."
  nullable    = false
}

variable "health_check_path" {
  type        = string
  description = "Path that answers 200 when a replica is ready."
  nullable    = false
}

variable "ingress_cidrs" {
  type        = list(string)
  description = "Networks that may reach the load balancer; none is nobody."
  nullable    = false
}

variable "load_balancer" {
  type = object({
    annotations = optional(map(string), {})
    class       = optional(string)
    https       = optional(bool, false)
  })
  description = "How the cluster makes the load balancer: annotations of the service, its class, where that is not the cluster's own, and whether it listens at 443 and ends TLS."
  default     = {}
  nullable    = false
}

variable "collector" {
  type = object({
    endpoint = optional(string)
    image    = optional(string)
    config   = optional(string)
    secrets  = optional(map(string), {})
  })
  description = "OpenTelemetry collector, as the hosting was given it; null where there is none."
  default     = null
}
