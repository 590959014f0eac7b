# In the bucket of `tf/common`, in a folder of its own, which only the role `production` writes:
#
#     terraform -chdir=tf/common output -raw production_backend > tf/production/production.s3.tfbackend
#     terraform -chdir=tf/production init -backend-config=production.s3.tfbackend
terraform {
  backend "s3" {}
}
