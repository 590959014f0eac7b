# It keeps the newest 32 MiB of each signal, and all of it goes with the environment rather than after
# `log_retention_days`.
resource "menagerie_collector" "this" {
  name = var.name

  lifecycle {
    precondition {
      condition     = var.collector_image == null
      error_message = "The local collector is a process of this machine, so `collector_image` must be null."
    }

    precondition {
      condition     = var.endpoint == null && var.secret == null
      error_message = "The local collector keeps what it gets in files of this machine, so `endpoint` and `secret` must be null."
    }

    precondition {
      condition     = var.alarm_dimensions == null && var.database_id == null && var.alarm_topic_arn == null
      error_message = "The local backend has no alarms, so `alarm_dimensions`, `database_id` and `alarm_topic_arn` must be null."
    }
  }
}
