locals {
  # Judged here, not in the condition, which Terraform prints with the values in it when it fails.
  is_reference = can(regex("^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^:]+(:[^:]*:[^:]*:[^:]*)?$", var.secret))

  # `api.` and `app.` are places of a site, which is what the exporter is told: it has its own for each signal.
  endpoint = coalesce(var.endpoint, "https://api.datadoghq.com")
  site     = try(regex("^https://(?:api\\.|app\\.)?([a-z0-9-]+(?:\\.[a-z0-9-]+)+)/?$", local.endpoint)[0], null)

  # Datadog's first two sites have their pages at `app.`, the others at the site itself.
  pages = local.site == null ? null : "https://${length(split(".", local.site)) == 2 ? "app.${local.site}" : local.site}"
}

module "collector" {
  source = "../../collector"

  name    = var.name
  image   = var.collector_image
  secrets = { DD_API_KEY = var.secret }

  exporters = {
    datadog = {
      api = {
        site = local.site
        key  = "$${env:DD_API_KEY}"
      }
      # A replica is no host: it would be listed, and paid for, as one.
      host_metadata = { enabled = false }
    }
  }

  # Counts requests, errors and durations before anything is sampled.
  connectors = { "datadog/connector" = {} }

  pipelines = { traces = ["datadog"], metrics = ["datadog"], logs = ["datadog"] }
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
  # Datadog takes `deployment.environment.name` for `env`. Requests are what the connector counts of HTTP servers' spans.
  filter = "{env:${var.name}}"
  hits   = "sum:trace.http.server.request.hits${local.filter}.as_count()"
  errors = "sum:trace.http.server.request.errors${local.filter}.as_count()"

  # Datadog tells an SNS topic by its name, where its integration with AWS knows that one.
  handle = var.alarm_topic_arn == null ? "" : " @sns-${element(split(":", var.alarm_topic_arn), 5)}"

  monitors = {
    server-errors = {
      description = "More than 5 % of the requests end in an error."
      type        = "query alert"
      query       = "sum(last_5m):100 * ${local.errors} / ${local.hits} > 5"
      critical    = 5
    }
    slow = {
      description = "One request in a hundred takes longer than 2 s."
      type        = "query alert"
      query       = "percentile(last_5m):p99:trace.http.server.request${local.filter} > 2"
      critical    = 2
    }
    errors-logged = {
      description = "The application logs more than 10 errors in 5 minutes."
      type        = "log alert"
      query       = "logs(\"env:${var.name} status:error\").index(\"*\").rollup(\"count\").last(\"5m\") > 10"
      critical    = 10
    }
  }

  graphs = {
    "Requests and errors"      = { hits = local.hits, errors = local.errors }
    "Response time in seconds" = { for percentile in ["p50", "p95", "p99"] : percentile => "${percentile}:trace.http.server.request${local.filter}" }
    "Requests by route"        = { routes = "sum:trace.http.server.request.hits${local.filter} by {resource_name}.as_count()" }
  }
}

resource "datadog_monitor" "this" {
  for_each = local.monitors

  name            = "${var.name}: ${each.key}"
  type            = each.value.type
  query           = each.value.query
  message         = "${each.value.description}${local.handle}"
  on_missing_data = "default"
  include_tags    = true
  tags            = ["env:${var.name}", "managed-by:menagerie"]

  monitor_thresholds {
    critical = each.value.critical
  }
}

resource "datadog_dashboard_json" "this" {
  dashboard = jsonencode({
    title       = var.name
    description = "Environment ${var.name}, made by Menagerie."
    layout_type = "ordered"
    widgets = concat(
      [
        for title, queries in local.graphs : {
          definition = {
            type        = "timeseries"
            title       = title
            show_legend = true
            requests = [{
              response_format = "timeseries"
              display_type    = "line"
              queries         = [for name, query in queries : { data_source = "metrics", name = name, query = query }]
              formulas        = [for name, query in queries : { formula = name, alias = name }]
            }]
          }
        }
      ],
      [
        {
          definition = {
            type  = "list_stream"
            title = "Errors of the application"
            requests = [{
              response_format = "event_list"
              columns         = [{ field = "timestamp", width = "auto" }, { field = "content", width = "full" }]
              query           = { data_source = "logs_stream", query_string = "env:${var.name} status:error" }
            }]
          }
        },
      ],
    )
  })
}
