variable "name" {
  type        = string
  description = "Name of the environment; the first part of the name of everything here."
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name)) && length(var.name) <= 24
    error_message = "A name holds a-z, 0-9 and single hyphens, starts with a letter, and has at most 24 characters."
  }
}

variable "size" {
  type = object({
    cpu    = number
    memory = number
  })
  description = "What the containers of one replica need together: CPU in units of 1/1024 vCPU, memory in MiB. An instance has one replica, and 512 MiB more for itself."
  nullable    = false
}

variable "start_script" {
  type        = string
  description = "Script for bash that starts the containers of a replica, run as root once Docker runs and its registries are signed in to; `fetch_secret ARN REGION KEY STAGE VERSION` prints a secret there. It holds no secret itself."
  nullable    = false
}

variable "registries" {
  type        = map(string)
  description = "Registries of ECR to sign in to: host => region."
  nullable    = false

  validation {
    condition     = alltrue([for host, region in var.registries : can(regex("^[a-z0-9.-]+$", host)) && can(regex("^[a-z0-9-]+$", region))])
    error_message = "A registry is a host name and a region."
  }
}

variable "refusal" {
  type        = string
  description = "Why what the instances would run is refused, once that is known; empty where it is not."
  nullable    = false
}

variable "statements" {
  type        = any
  description = "Statements of the policy of the instances' role, which their containers have too."
  nullable    = false
}

variable "egress" {
  type = map(object({
    cidr      = string
    from_port = number
    to_port   = number
  }))
  description = "What the instances may reach, over TCP: name => network and ports."
  nullable    = false
}

variable "port" {
  type        = number
  description = "TCP port that a replica listens on."
  nullable    = false
}

variable "desired_count" {
  type        = number
  description = "How many instances run."
  nullable    = false
}

variable "network" {
  type = object({
    vpc_id             = string
    public_subnet_ids  = list(string)
    private_subnet_ids = list(string)
  })
  description = "Network that the instances run in, in its private subnets; null is refused."
}

variable "health_check_path" {
  type        = string
  description = "Path that answers 200 when a replica is ready."
  nullable    = false
}

variable "ingress_cidrs" {
  type        = list(string)
  description = "Networks that may reach the load balancer."
  nullable    = false
}

variable "domain" {
  type = object({
    name            = string
    zone_id         = string
    certificate_arn = string
  })
  description = "Host name that the load balancer answers at over HTTPS, with its zone and certificate; null is plain HTTP."
  default     = null
}

variable "permissions_boundary_arn" {
  type        = string
  description = "Permissions boundary of the instances' role; null sets none."
  default     = null
}

variable "disposable" {
  type        = bool
  description = "Whether nothing of it is worth protecting from deletion."
  nullable    = false
}
