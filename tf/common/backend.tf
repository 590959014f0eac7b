# The bucket of this state is made by this root itself (state.tf), so the first apply in an account has a local state, which
# then moves into the bucket. As an administrator of the account, with its credentials in the environment:
#
#     cd tf/common
#     printf 'terraform {\n  backend "local" {}\n}\n' > bootstrap_override.tf     # takes the place of the block below
#     terraform init && terraform apply
#     terraform output -raw backend > common.s3.tfbackend                        # bucket, key, region and KMS key
#     rm bootstrap_override.tf
#     terraform init -migrate-state -backend-config=common.s3.tfbackend
#     rm terraform.tfstate terraform.tfstate.backup
#
# From then on `terraform init -backend-config=common.s3.tfbackend` is enough; that file holds no secret and may be committed.
terraform {
  backend "s3" {}
}
