locals {
  port            = coalesce(var.port, 8080)
  secrets         = merge(var.secrets, try(var.collector.secrets, {}))
  collector_image = try(var.collector.image, null)
  variable_names  = concat(keys(var.environment), keys(local.secrets))

  # OpenTelemetry's own variables, which any application's SDK reads.
  telemetry = var.collector == null ? {} : {
    OTEL_EXPORTER_OTLP_ENDPOINT = coalesce(var.collector.endpoint, "http://localhost:4318")
    OTEL_RESOURCE_ATTRIBUTES    = "deployment.environment.name=${var.name}"
    OTEL_SERVICE_NAME           = var.name
  }

  container = {
    essential              = true
    readonlyRootFilesystem = true
    stopTimeout            = 30
    linuxParameters = {
      initProcessEnabled = true
      tmpfs              = [{ containerPath = "/tmp", size = 64, mountOptions = ["mode=1777"] }]
    }
  }

  log_options = {
    "awslogs-group"  = aws_cloudwatch_log_group.this.name
    "awslogs-region" = data.aws_region.current.region
    mode             = "non-blocking"
  }

  application = merge(local.container, {
    name             = "application"
    image            = var.image
    portMappings     = [{ containerPort = local.port, hostPort = local.port, protocol = "tcp" }]
    environment      = [for name, value in merge(local.telemetry, var.environment, { PORT = tostring(local.port) }) : { name = name, value = value }]
    secrets          = [for name, reference in var.secrets : { name = name, valueFrom = reference }]
    logConfiguration = { logDriver = "awslogs", options = merge(local.log_options, { "awslogs-stream-prefix" = "application" }) }
  })

  collector_memory = floor(var.size.memory / 4)

  # Telemetry that is lost is no reason to stop a replica.
  collector = local.collector_image == null ? null : merge(local.container, {
    name      = "collector"
    image     = local.collector_image
    essential = false
    command   = ["--config=env:OTEL_CONFIG"]
    memory    = local.collector_memory
    environment = [
      { name = "GOMEMLIMIT", value = "${floor(local.collector_memory * 0.8)}MiB" },
      { name = "OTEL_CONFIG", value = var.collector.config },
    ]
    secrets          = [for name, reference in var.collector.secrets : { name = name, valueFrom = reference }]
    logConfiguration = { logDriver = "awslogs", options = merge(local.log_options, { "awslogs-stream-prefix" = "collector" }) }
  })

  pinned_image = "(@sha256:[0-9a-f]{64}|/[^/:@]+:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|^[^/:@]+:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})$"

  # CPU units => MiB of memory that a task with them may have.
  fargate_sizes = {
    "256"   = [512, 1024, 2048]
    "512"   = range(1024, 4096 + 1, 1024)
    "1024"  = range(2048, 8192 + 1, 1024)
    "2048"  = range(4096, 16384 + 1, 1024)
    "4096"  = range(8192, 30720 + 1, 1024)
    "8192"  = range(16384, 61440 + 1, 4096)
    "16384" = range(32768, 122880 + 1, 8192)
  }
  fargate_memory = lookup(local.fargate_sizes, tostring(var.size.cpu), [])
  fargate_hint = (
    length(local.fargate_memory) == 0
    ? "The CPU units that it has are ${join(", ", [for cpu in sort([for cpu in keys(local.fargate_sizes) : format("%05d", cpu)]) : tostring(tonumber(cpu))])}."
    : "With that CPU it has ${length(local.fargate_memory) == 3 ? join(", ", local.fargate_memory) : "${local.fargate_memory[0]}, ${local.fargate_memory[1]} and so on, up to ${local.fargate_memory[length(local.fargate_memory) - 1]}"} MiB."
  )

  # What CloudWatch takes, in days.
  retentions = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]

  egress = {
    "HTTPS"                      = { cidr = "0.0.0.0/0", from_port = 443, to_port = 443 }
    "Private networks, class A"  = { cidr = "10.0.0.0/8", from_port = 0, to_port = 65535 }
    "Private networks, class B"  = { cidr = "172.16.0.0/12", from_port = 0, to_port = 65535 }
    "Private networks, class C"  = { cidr = "192.168.0.0/16", from_port = 0, to_port = 65535 }
    "Private networks, RFC 6598" = { cidr = "100.64.0.0/10", from_port = 0, to_port = 65535 }
  }
}
