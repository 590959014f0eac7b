# The network that all environments share: they differ in security groups, not in networks.
module "vpc" {
  source = "../modules/vpc"

  name                    = var.name
  cidr_block              = var.cidr_block
  zone_count              = var.zone_count
  nat_gateways            = var.nat_gateways
  interface_endpoints     = var.interface_endpoints
  flow_log_retention_days = var.log_retention_days
  kms_key_arn             = aws_kms_key.this.arn
  role_path               = local.role_path
}
