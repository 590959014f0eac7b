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
