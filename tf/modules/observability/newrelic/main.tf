locals {
  # Judged here, not in the condition, which Terraform prints with the values in it when it fails.
  is_reference = can(regex("^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^:]+(:[^:]*:[^:]*:[^:]*)?$", var.secret))
}

module "collector" {
  source = "../../collector"

  name    = var.name
  image   = var.collector_image
  secrets = { NEW_RELIC_LICENSE_KEY = var.secret }

  exporters = {
    otlp_http = {
      endpoint    = coalesce(var.endpoint, "https://otlp.nr-data.net")
      compression = "gzip"
      headers     = { api-key = "$${env:NEW_RELIC_LICENSE_KEY}" }
    }
  }

  # New Relic takes sums that only grow for gauges.
  metric_processors = { cumulativetodelta = {} }

  pipelines = { traces = ["otlp_http"], metrics = ["otlp_http"], logs = ["otlp_http"] }
}

# What AWS measures itself: the load balancer and the database.
module "alarms" {
  source = "../../alarms"

  name             = var.name
  alarm_dimensions = var.alarm_dimensions
  database_id      = var.database_id
  alarm_topic_arn  = var.alarm_topic_arn
}

locals {
  here     = "deployment.environment.name = '${var.name}'"
  requests = "${local.here} AND span.kind = 'server'"

  conditions = {
    server-errors = {
      description = "More than 5 % of the requests end in a server error."
      query       = "SELECT percentage(count(*), WHERE http.response.status_code >= 500) FROM Span WHERE ${local.requests}"
      threshold   = 5
    }
    slow = {
      description = "One request in a hundred takes longer than 2 s."
      query       = "SELECT percentile(duration.ms, 99) FROM Span WHERE ${local.requests}"
      threshold   = 2000
    }
    errors-logged = {
      description = "The application logs more than 2 errors a minute, for 5 minutes."
      query       = "SELECT count(*) FROM Log WHERE ${local.here} AND severity.number >= 17"
      threshold   = 2
    }
  }

  # The two columns of a page have 12 steps between them.
  graphs = [
    { title = "Requests and server errors", visualization = "viz.line", query = "SELECT count(*) AS 'requests', filter(count(*), WHERE http.response.status_code >= 500) AS 'server errors' FROM Span WHERE ${local.requests} TIMESERIES" },
    { title = "Response time in ms", visualization = "viz.line", query = "SELECT percentile(duration.ms, 50, 95, 99) FROM Span WHERE ${local.requests} TIMESERIES" },
    { title = "Requests by route", visualization = "viz.line", query = "SELECT count(*) FROM Span WHERE ${local.requests} FACET http.route TIMESERIES" },
    { title = "Errors of the application", visualization = "logger.log-table-widget", query = "SELECT * FROM Log WHERE ${local.here} AND severity.number >= 17" },
  ]
}

resource "newrelic_alert_policy" "this" {
  name                = var.name
  incident_preference = "PER_CONDITION"
}

resource "newrelic_nrql_alert_condition" "this" {
  for_each = local.conditions

  policy_id                    = newrelic_alert_policy.this.id
  name                         = "${var.name}: ${each.key}"
  description                  = each.value.description
  type                         = "static"
  aggregation_window           = 60
  aggregation_method           = "event_flow"
  aggregation_delay            = "120"
  violation_time_limit_seconds = 86400

  nrql {
    query = each.value.query
  }

  critical {
    operator              = "above"
    threshold             = each.value.threshold
    threshold_duration    = 300
    threshold_occurrences = "all"
  }
}

# Of the account that the provider is configured for, as is the policy.
resource "newrelic_one_dashboard_json" "this" {
  json = jsonencode({
    name        = var.name
    permissions = "PUBLIC_READ_WRITE"
    pages = [{
      name = var.name
      widgets = [
        for index, graph in local.graphs : {
          title         = graph.title
          layout        = { column = index % 2 * 6 + 1, row = floor(index / 2) * 3 + 1, width = 6, height = 3 }
          visualization = { id = graph.visualization }
          rawConfiguration = {
            nrqlQueries = [{ accountIds = [newrelic_alert_policy.this.account_id], query = graph.query }]
          }
        }
      ]
    }]
  })
}
