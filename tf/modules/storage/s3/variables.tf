variable "name" {
  type        = string
  description = "Name of the environment; the first part of the name of everything here."
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name)) && length(var.name) <= 24
    error_message = "A name holds a-z, 0-9 and single hyphens, starts with a letter, and has at most 24 characters."
  }
}

variable "disposable" {
  type        = bool
  description = "Whether nothing of it is worth protecting from deletion, so that it goes with all that is in it."
  default     = true
  nullable    = false
}
