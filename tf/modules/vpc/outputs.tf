output "id" {
  description = "Identifier of the network."
  value       = aws_vpc.this.id
}

output "cidr_block" {
  description = "Addresses of the network."
  value       = aws_vpc.this.cidr_block
}

output "zones" {
  description = "Names of the availability zones, in the order of the subnets."
  value       = local.zones
}

output "public_subnet_ids" {
  description = "Subnets of load balancers, one for each zone."
  value       = [for zone in local.zones : aws_subnet.public[zone].id]
}

output "private_subnet_ids" {
  description = "Subnets of replicas, one for each zone."
  value       = [for zone in local.zones : aws_subnet.private[zone].id]
}

output "database_subnet_ids" {
  description = "Subnets of databases, one for each zone."
  value       = [for zone in local.zones : aws_subnet.database[zone].id]
}

output "nat_addresses" {
  description = "Public addresses that private subnets come from, for the allow lists of others."
  value       = [for address in aws_eip.nat : address.public_ip]
}
