variable "name" {
  type        = string
  description = "Name of the environment; the first part of the name of each alarm."
  nullable    = false
}

variable "alarm_dimensions" {
  type        = map(string)
  description = "CloudWatch dimensions of what receives the requests, as a hosting gives them; null watches nothing there."
  default     = null
}

variable "database_id" {
  type        = string
  description = "Identifier of the database, known before it is made; null watches none."
  default     = null
}

variable "alarm_topic_arn" {
  type        = string
  description = "SNS topic that alarms go to, and their end; null leaves them unsent."
  default     = null
}
