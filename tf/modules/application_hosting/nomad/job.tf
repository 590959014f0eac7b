# The job as Nomad's API takes it; durations are in nanoseconds. It is data throughout, so that no value becomes a part of a
# job specification. Nomad itself still replaces ${…} in the values of `Env`: a value with one goes the way of a template,
# whose text Nomad decodes and takes as it is.
locals {
  second = 1000000000

  sidecar  = try(var.collector.image, null) != null
  endpoint = local.sidecar ? "http://localhost:4318" : try(var.collector.endpoint, null)

  # OpenTelemetry's own variables, which any application's SDK reads.
  telemetry = local.endpoint == null ? {} : {
    OTEL_EXPORTER_OTLP_ENDPOINT = local.endpoint
    OTEL_RESOURCE_ATTRIBUTES    = "deployment.environment.name=${var.name}"
    OTEL_SERVICE_NAME           = var.name
  }
  environment = merge(local.telemetry, var.environment, { PORT = tostring(local.port) })
  replaced    = { for name, value in local.environment : name => value if strcontains(value, "$${") }

  replaced_template = length(local.replaced) == 0 ? [] : [{
    DestPath     = "secrets/environment.env"
    EmbeddedTmpl = "{{ range $name, $value := \"${base64encode(jsonencode(local.replaced))}\" | base64Decode | parseJSON }}{{ $name }}={{ $value | toJSON }}\n{{ end }}"
    Envvars      = true
  }]

  secrets_template = { for task in ["app", "collector"] : task => [
    for path in distinct([for secret in local.secrets : "nomad/jobs/${var.name}/app/${task}" if secret.task == task]) : {
      DestPath     = "secrets/secrets.env"
      EmbeddedTmpl = "{{ with nomadVar \"${path}\" }}{{ range .Tuples }}{{ .K }}={{ .V | toJSON }}\n{{ end }}{{ end }}"
      Envvars      = true
    }
  ] }

  job = {
    ID          = var.name
    Name        = var.name
    Type        = "service"
    Datacenters = ["*"]
    Spreads     = [{ Attribute = "$${node.datacenter}", Weight = 100 }]
    Meta        = { "managed-by" = "menagerie", environment = var.name }

    Update = {
      MaxParallel      = 1
      HealthCheck      = "checks"
      MinHealthyTime   = 5 * local.second
      HealthyDeadline  = 300 * local.second
      ProgressDeadline = 600 * local.second
      AutoRevert       = true
    }

    TaskGroups = [{
      Name        = "app"
      Count       = var.desired_count
      Constraints = [{ Operand = "distinct_hosts", RTarget = "true" }]
      Networks    = [{ Mode = "bridge", ReservedPorts = [{ Label = "http", Value = local.port, To = local.port }] }]

      Services = [{
        Name      = var.name
        Provider  = "consul"
        PortLabel = "http"
        Checks = [{
          Name     = "health"
          Type     = "http"
          Path     = var.health_check_path
          Interval = 5 * local.second
          Timeout  = 2 * local.second
        }]
      }]

      Tasks = concat([local.application], local.sidecar ? [local.collector] : [])
    }]
  }

  application = {
    Name        = "app"
    Driver      = "docker"
    Lifecycle   = null
    KillTimeout = 30 * local.second
    Env         = { for name, value in local.environment : name => value if !contains(keys(local.replaced), name) }
    Templates   = concat(local.replaced_template, local.secrets_template.app)

    # 1,024 units of CPU are taken for 1,024 MHz: a floor, above which a replica may use what is idle.
    Resources = { CPU = var.size.cpu, MemoryMB = var.size.memory }

    Config = {
      image           = var.image
      ports           = ["http"]
      readonly_rootfs = true
      cap_drop        = ["all"]
      security_opt    = ["no-new-privileges"]
      tmpfs           = ["/tmp"]
    }
  }

  collector = !local.sidecar ? null : {
    Name        = "collector"
    Driver      = "docker"
    Lifecycle   = { Hook = "prestart", Sidecar = true }
    KillTimeout = 10 * local.second
    Env         = {}
    Resources   = { CPU = 50, MemoryMB = 256 }

    Templates = concat(
      [{ DestPath = "local/collector.yaml", EmbeddedTmpl = "{{ \"${base64encode(var.collector.config)}\" | base64Decode }}", Envvars = false }],
      local.secrets_template.collector,
    )

    Config = {
      image           = var.collector.image
      args            = ["--config=/local/collector.yaml"]
      readonly_rootfs = true
      cap_drop        = ["all"]
      security_opt    = ["no-new-privileges"]
    }
  }
}
