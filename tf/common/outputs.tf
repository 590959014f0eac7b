output "backend" {
  description = "Settings of `backend \"s3\"` for this root: `terraform output -raw backend > common.s3.tfbackend`."
  value       = <<-EOT
    bucket       = "${local.state_bucket}"
    key          = "common/terraform.tfstate"
    region       = "${var.region}"
    kms_key_id   = "${aws_kms_key.this.arn}"
    encrypt      = true
    use_lockfile = true
  EOT
}

output "production_backend" {
  description = "Settings of `backend \"s3\"` for `tf/production`, likewise."
  value       = <<-EOT
    bucket       = "${local.state_bucket}"
    key          = "production/terraform.tfstate"
    region       = "${var.region}"
    kms_key_id   = "${aws_kms_key.this.arn}"
    encrypt      = true
    use_lockfile = true
  EOT
}

output "state_bucket" {
  description = "Bucket that holds the states of all root modules."
  value       = aws_s3_bucket.state.bucket
}

output "kms_key_arn" {
  description = "Key that states, images, alarms and logs are encrypted with."
  value       = aws_kms_key.this.arn
}

output "repository_url" {
  description = "Where images of the application are pushed to."
  value       = aws_ecr_repository.this.repository_url
}

output "role_arns" {
  description = "Roles of GitHub's workflows: `plan` for pull requests, `apply` for environments, `production`."
  value       = { for name, role in aws_iam_role.github : name => role.arn }
}

output "secret_names" {
  description = "Secrets of backends that wait for a value, which a person puts there: backend => name."
  value       = module.monitoring.secret_names
}

output "contract" {
  description = "What environments read from the parameter `/menagerie/common`."
  value       = local.contract
}
