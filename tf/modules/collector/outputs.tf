output "collector" {
  description = "A collector beside each replica, for the input `collector` of a hosting."
  value = {
    image   = local.image
    config  = yamlencode(local.config)
    secrets = var.secrets
  }
}
