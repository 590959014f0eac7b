variable "name" {
  type        = string
  description = "Name of the environment, which is the name of the load balancer too."
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name)) && length(var.name) <= 24
    error_message = "A name holds a-z, 0-9 and single hyphens, starts with a letter, and has at most 24 characters."
  }
}

variable "network" {
  type = object({
    vpc_id             = string
    public_subnet_ids  = list(string)
    private_subnet_ids = list(string)
  })
  description = "Network that it runs in: in the public subnets, or in the private ones where only private networks may reach it."
  nullable    = false
}

variable "ingress_cidrs" {
  type        = list(string)
  description = "Networks that may reach it."
  nullable    = false

  validation {
    condition     = alltrue([for cidr in var.ingress_cidrs : can(cidrhost(cidr, 0))])
    error_message = "A network is written in CIDR notation, such as 10.0.0.0/8."
  }
}

variable "domain" {
  type = object({
    name            = string
    zone_id         = string
    certificate_arn = string
  })
  description = "Host name that it answers at over HTTPS, with the Route 53 zone that holds the name and the certificate for it; null is plain HTTP at the load balancer's own name."
  default     = null
}

variable "target_type" {
  type        = string
  description = "What it sends requests to: `ip` addresses or `instance`s."
  nullable    = false

  validation {
    condition     = contains(["ip", "instance"], var.target_type)
    error_message = "A target is an `ip` or an `instance`."
  }
}

variable "target_port" {
  type        = number
  description = "TCP port that the targets listen on."
  nullable    = false
}

variable "target_security_group_id" {
  type        = string
  description = "Security group of the targets, which is opened for the load balancer, and for nobody else."
  nullable    = false
}

variable "health_check_path" {
  type        = string
  description = "Path that answers 200 when a target is ready."
  nullable    = false

  validation {
    condition     = startswith(var.health_check_path, "/")
    error_message = "The path of the health check starts with a slash."
  }
}

variable "disposable" {
  type        = bool
  description = "Whether it may be deleted without turning off its protection first."
  nullable    = false
}
