# Needs a program that answers at /healthz: terraform test -var image=PATH

variables {
  name          = "calm-otter"
  size          = { cpu = 256, memory = 512 }
  network       = null
  ingress_cidrs = ["127.0.0.0/8"]
}

run "database" {
  module {
    source = "../../database/local"
  }

  variables {
    engine = "sqlite"
    size   = "small"
  }
}

run "starts" {
  variables {
    environment = { MENAGERIE_ENVIRONMENT = "calm-otter" }
    secrets     = { DATABASE_URL = run.database.connection_secret }
  }

  assert {
    condition     = can(regex("^http://127\\.0\\.0\\.1:[0-9]+$", output.url))
    error_message = "The application answers on this machine's loopback."
  }

  assert {
    condition     = menagerie_service.this.status == "running"
    error_message = "The application runs once it is applied."
  }

  assert {
    condition     = startswith(output.log_group, "/") && output.service_id != ""
    error_message = "Logs are in a directory, and the service has an identifier."
  }

  assert {
    condition     = output.fault_targets == { kind = "local:process", selector = { service = "calm-otter", zones = ["a"] } }
    error_message = "The replicas are found by the name of the service and their zone."
  }
}

run "keeps_its_url_when_it_grows" {
  variables {
    desired_count = 2
    environment   = { MENAGERIE_ENVIRONMENT = "calm-otter" }
    secrets       = { DATABASE_URL = run.database.connection_secret }
  }

  assert {
    condition     = output.url == run.starts.url && menagerie_service.this.status == "running"
    error_message = "Another number of replicas leaves the URL as it is."
  }

  assert {
    condition     = output.fault_targets.selector.zones == ["a", "b"]
    error_message = "Two replicas are in two zones."
  }
}
