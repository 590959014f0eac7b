# The one interface of all databases: byte-identical in every sibling of this directory.

variable "name" {
  type        = string
  description = "Name of the environment; the first part of the name of everything here."
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name)) && length(var.name) <= 24
    error_message = "A name holds a-z, 0-9 and single hyphens, starts with a letter, and has at most 24 characters."
  }
}

variable "engine" {
  type        = string
  description = "Kind of the database: `postgres` or `sqlite`; null leaves it to the platform."
  default     = null

  validation {
    condition     = var.engine == null ? true : contains(["postgres", "sqlite"], var.engine)
    error_message = "The engine of a database is `postgres` or `sqlite`."
  }
}

variable "network" {
  type = object({
    vpc_id              = string
    cidr_block          = string
    database_subnet_ids = list(string)
  })
  description = "Network that it runs in, all of which may connect; null where the platform has none of its own."
}

variable "size" {
  type        = string
  description = "How large it is: `small`, `medium` or `large`; a platform without sizes takes what it needs."
  default     = "small"
  nullable    = false

  validation {
    condition     = contains(["small", "medium", "large"], var.size)
    error_message = "A size is `small`, `medium` or `large`."
  }
}

variable "disposable" {
  type        = bool
  description = "Whether nothing of it is worth protecting from deletion, so that it goes without a last snapshot."
  default     = true
  nullable    = false
}
