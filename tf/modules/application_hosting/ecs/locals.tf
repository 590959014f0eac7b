locals {
  # The application comes first. Telemetry that is lost is no reason to stop a replica.
  container_definitions = jsonencode([
    for name in ["application", "collector"] : { for key, value in merge(
      {
        name        = name
        image       = module.replica.containers[name].image
        essential   = name == "application"
        environment = [for variable, value in module.replica.containers[name].environment : { name = variable, value = value }]
        # ECS leaves an empty list out.
        secrets = length(module.replica.containers[name].secrets) == 0 ? null : [
          for variable, reference in module.replica.containers[name].secrets : { name = variable, valueFrom = reference }
        ]
        readonlyRootFilesystem = true
        stopTimeout            = 30
        linuxParameters = {
          initProcessEnabled = true
          tmpfs              = [{ containerPath = "/tmp", size = 64 }]
        }
        logConfiguration = {
          logDriver = "awslogs"
          options = {
            "awslogs-group"         = aws_cloudwatch_log_group.this.name
            "awslogs-region"        = data.aws_region.current.region
            "awslogs-stream-prefix" = name
            mode                    = "non-blocking"
          }
        }
      },
      # Together they have what the task has; of that the application takes what the collector leaves.
      [
        { portMappings = [{ containerPort = module.replica.port, hostPort = module.replica.port, protocol = "tcp" }] },
        {
          memory        = module.replica.containers[name].memory
          command       = module.replica.containers[name].command
          restartPolicy = { enabled = true }
        },
      ][name == "application" ? 0 : 1],
    ) : key => value if value != null } if contains(keys(module.replica.containers), name)
  ])

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
}
