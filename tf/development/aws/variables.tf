variable "name" {
  type        = string
  description = "Name of the environment; the first part of the name of everything in it."
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name)) && length(var.name) <= 24
    error_message = "A name holds a-z, 0-9 and single hyphens, starts with a letter, and has at most 24 characters."
  }
}

variable "size" {
  type        = string
  description = "How large the database is: `small`, `medium` or `large`."
  default     = "small"
  nullable    = false

  validation {
    condition     = contains(["small", "medium", "large"], var.size)
    error_message = "A size is `small`, `medium` or `large`."
  }
}

variable "database_engine" {
  type        = string
  description = "Kind of the database: `postgres`, which null is too. RDS has no `sqlite`."
  default     = null

  validation {
    condition     = var.database_engine == null || var.database_engine == "postgres"
    error_message = "The engine of a database on AWS is `postgres`."
  }
}

variable "disposable" {
  type        = bool
  description = "Whether nothing of it is worth protecting from deletion: it goes without a last snapshot, with all that its bucket holds."
  default     = true
  nullable    = false
}
