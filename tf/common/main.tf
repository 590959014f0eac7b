# What all environments of an AWS account share, and what lives longer than they do: the network, the bucket of the states, the
# registry of images, the roles of GitHub's workflows, the topic of alarms, and an EKS cluster where one is wanted. It is applied
# by an administrator; environments find it by one parameter (contract.tf).

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

# ARNs are written out where their parts are known, so that a plan shows the policies as they will be.
locals {
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  arn        = "arn:${local.partition}"

  # Roles of environments have the path /menagerie/environment/, and their buckets end in -ACCOUNT-REGION; these here do not.
  role_path    = "/menagerie/common/${var.name}/"
  state_bucket = "${var.name}-state-${var.region}-${local.account_id}"
  repository   = "${var.name}/application"
}
