variable "name" {
  type        = string
  description = "Name of the network; the first part of the name of everything here."
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name)) && length(var.name) <= 24
    error_message = "A name holds a-z, 0-9 and single hyphens, starts with a letter, and has at most 24 characters."
  }
}

variable "cidr_block" {
  type        = string
  description = "Addresses of the network, a /16 to /20 of private IPv4 ones; the subnets are computed from it."
  default     = "10.0.0.0/16"
  nullable    = false

  validation {
    condition     = can(cidrnetmask(var.cidr_block)) && can(regex("/(1[6-9]|20)$", var.cidr_block))
    error_message = "A network has 4,096 to 65,536 IPv4 addresses: /16 to /20."
  }

  validation {
    condition     = can(regex("^(10|192\\.168|172\\.(1[6-9]|2[0-9]|3[01])|100\\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\\.", var.cidr_block))
    error_message = "A network has private addresses: of 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10."
  }
}

variable "zone_count" {
  type        = number
  description = "How many availability zones it spans: 2 or 3."
  default     = 2
  nullable    = false

  validation {
    condition     = contains([2, 3], var.zone_count)
    error_message = "A network spans 2 or 3 zones."
  }
}

variable "nat_gateways" {
  type        = string
  description = "How private subnets reach the internet: `one` NAT gateway for all, which a failed zone takes with it; one `per_zone`; or `none`, which wants `interface_endpoints`."
  default     = "one"
  nullable    = false

  validation {
    condition     = contains(["none", "one", "per_zone"], var.nat_gateways)
    error_message = "There are NAT gateways `per_zone`, `one`, or `none`."
  }

  validation {
    condition     = var.nat_gateways != "none" || var.interface_endpoints
    error_message = "Without a NAT gateway private subnets reach AWS by `interface_endpoints` only."
  }
}

variable "interface_endpoints" {
  type        = bool
  description = "Whether replicas reach AWS's services, such as the registry of images, without leaving the network. Each endpoint costs by the hour and zone."
  default     = false
  nullable    = false
}

variable "flow_log_retention_days" {
  type        = number
  description = "How many days it is kept who spoke to whom."
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.flow_log_retention_days)
    error_message = "CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365 or more days."
  }
}

variable "kms_key_arn" {
  type        = string
  description = "KMS key that flow logs are encrypted with; null is AWS's own."
  default     = null
}

variable "role_path" {
  type        = string
  description = "IAM path of the role that writes flow logs."
  default     = "/"
  nullable    = false
}
