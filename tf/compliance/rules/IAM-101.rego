# METADATA
# title: Access beyond the boundary of environments needs two reviewers
# description: |
#   Roles below the permissions boundary can do nothing that was not agreed to. Who changes another part of IAM can, and one
#   reviewer can be persuaded, or have lost their laptop.
# custom:
#   id: IAM-101
#   severity: high
#   frameworks: [SOC 2 CC6.3, SOC 2 CC8.1]
#   remediation: Ask for two approvals in the rules of the branch, or leave the change to who administers the account.
package rules.iam_101

import data.lib.plan

deny contains plan.finding(rc, "", msg) if {
	some rc in changed
	fewest := min(asked)
	fewest < 2
	msg := sprintf("needs 2 reviewers, but a branch asks for %d", [fewest])
}

unknown contains msg if {
	count(changed) > 0
	count(asked) == 0
	msg := sprintf("%d changes need 2 reviewers; how many the branches ask for, GitHub did not tell", [count(changed)])
}

asked contains branch.minimum_reviewers if {
	some branch in data.pipeline.branch
	branch.name in {"development", "master", "main"}
	is_number(branch.minimum_reviewers)
}

changed contains rc if {
	some rc in plan.all
	startswith(rc.type, "aws_iam_")
	rc.change.actions != ["no-op"]
	not is_bounded(rc)
}

is_bounded(rc) if {
	rc.type == "aws_iam_role"
	has_boundary(rc)
}

# Parts of a role, and what hands it to a machine, have the role's bounds.
is_bounded(rc) if {
	rc.type in {"aws_iam_instance_profile", "aws_iam_role_policy"}
	some role in plan.by_type.aws_iam_role
	has_boundary(role)
	plan.modules(role) == plan.modules(rc)
}

has_boundary(role) if {
	is_string(role.change.after.permissions_boundary)
	startswith(role.change.after.permissions_boundary, "arn:")
}
