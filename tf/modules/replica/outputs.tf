output "port" {
  description = "TCP port that the application listens on."
  value       = local.port
}

output "containers" {
  description = "Its containers, `application` and, where a collector runs beside it, `collector`: image, arguments, CPU units, memory in MiB, environment variables, and secrets as references."
  value       = local.containers
}

output "size" {
  description = "What its containers need together: CPU in units of 1/1024 vCPU, of which the collector uses what the application leaves, and memory in MiB."
  value = {
    cpu    = var.size.cpu
    memory = sum([for container in values(local.containers) : container.memory])
  }
}

output "start_statements" {
  description = "Statements of the policy that starting it takes: pulling exactly its images, reading exactly its secrets, writing its logs."
  value = concat(
    [local.write_logs],
    [for statement in local.pull_images : statement if length(local.repositories) > 0],
    [for statement in local.read_secrets : statement if length(local.secrets) > 0],
  )
}

output "run_statements" {
  description = "Statements of the policy that it runs with: using the environment's own bucket, and, where a collector runs beside it, writing telemetry."
  value       = concat(local.use_bucket, [for statement in local.write_telemetry : statement if length(local.containers) > 1])
}

output "egress" {
  description = "What it may reach, over TCP: name => network and ports."
  value = {
    "HTTPS"                      = { cidr = "0.0.0.0/0", from_port = 443, to_port = 443 }
    "Private networks, class A"  = { cidr = "10.0.0.0/8", from_port = 0, to_port = 65535 }
    "Private networks, class B"  = { cidr = "172.16.0.0/12", from_port = 0, to_port = 65535 }
    "Private networks, class C"  = { cidr = "192.168.0.0/16", from_port = 0, to_port = 65535 }
    "Private networks, RFC 6598" = { cidr = "100.64.0.0/10", from_port = 0, to_port = 65535 }
  }
}

output "registries" {
  description = "Registries of ECR that its images come from: host => region."
  value       = { for host, regions in { for parts in local.repositories : parts[0] => parts[2]... } : host => regions[0] }
}

output "secret_parts" {
  description = "The secrets of its containers, taken apart: container => name => ARN, region, key in the JSON, stage and identifier of the version, where an empty text is none."
  value = {
    for name, container in local.containers : name => {
      for variable, reference in container.secrets : variable => {
        arn     = join(":", slice(split(":", reference), 0, min(7, length(split(":", reference)))))
        region  = try(split(":", reference)[3], "")
        key     = try(split(":", reference)[7], "")
        stage   = try(split(":", reference)[8], "")
        version = try(split(":", reference)[9], "")
      }
    }
  }
}

output "refusals" {
  description = "Why it is refused, for preconditions: what is at fault => message, which is empty where nothing is."
  value = {
    image = (
      alltrue([for container in values(local.containers) : can(regex(local.pinned_image, container.image)) && !endswith(container.image, ":latest")])
      ? "" : "An image runs by its digest (`name@sha256:…`), or by a tag other than `latest`: what runs must be what was reviewed."
    )
    port = (
      length(local.containers) == 1 || !contains(local.collector_ports, local.port)
      ? "" : "The collector beside a replica listens on the ports ${join(", ", local.collector_ports)}, so `port` can't be ${local.port}."
    )
    variables = (
      alltrue([for name in flatten([for container in values(local.containers) : [keys(container.environment), keys(container.secrets)]]) : can(regex(local.variable_name, name))])
      ? "" : "The name of an environment variable holds letters, digits and underscores, and starts with no digit."
    )
    secrets = (
      alltrue([for reference in local.secrets : can(regex(local.secret, reference))])
      ? "" : "Something in `secrets` is a value, not a reference: a secret is given as the whole ARN of a secret in Secrets Manager, with the six characters that end it, which may be followed by `:json-key::`."
    )
    log_retention = (
      contains(local.retentions, var.log_retention_days)
      ? "" : "CloudWatch keeps logs for ${join(", ", local.retentions)} days, so `log_retention_days` can't be ${var.log_retention_days}."
    )
  }
}
