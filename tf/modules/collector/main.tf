locals {
  # The digest is that of the index, so that it holds for every architecture.
  image = coalesce(var.image, "otel/opentelemetry-collector-contrib:0.153.0@sha256:93aad750175cbf1a973ae1c5886c3371f4d800f61be25cdd26870b8441ffe9fa")

  config = {
    extensions = merge({ health_check = { endpoint = "0.0.0.0:13133" } }, var.extensions)

    # All addresses, since only some hostings put the collector into the network namespace of the replica. None of them opens
    # these ports to the outside.
    receivers = {
      otlp = {
        protocols = {
          grpc = { endpoint = "0.0.0.0:4317" }
          http = { endpoint = "0.0.0.0:4318" }
        }
      }
    }

    processors = merge(
      {
        # Of the memory that the hosting gives the collector, which every hosting bounds.
        memory_limiter = {
          check_interval         = "1s"
          limit_percentage       = 75
          spike_limit_percentage = 20
        }
        resource = {
          attributes = [{ key = "deployment.environment.name", value = var.name, action = "upsert" }]
        }
        # As many as CloudWatch's own example sends at once, which takes the fewest of all backends.
        batch = {
          timeout             = "5s"
          send_batch_size     = 200
          send_batch_max_size = 200
        }
      },
      var.metric_processors,
    )

    exporters  = var.exporters
    connectors = var.connectors

    service = {
      extensions = concat(["health_check"], keys(var.extensions))
      # Its own metrics would be served at a port that the application may want.
      telemetry = { metrics = { level = "none" } }
      pipelines = {
        for signal, exporters in var.pipelines : signal => {
          receivers  = concat(["otlp"], signal == "metrics" ? keys(var.connectors) : [])
          processors = concat(["memory_limiter", "resource"], signal == "metrics" ? keys(var.metric_processors) : [], ["batch"])
          exporters  = concat(exporters, signal == "traces" ? keys(var.connectors) : [])
        }
      }
    }
  }
}
