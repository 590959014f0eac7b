# METADATA
# title: A group of people writes only what was agreed
# description: |
#   `data/access.json` says which group may write what; all else a group may read at most. So who may change what is read in one
#   place, and a policy that says more is found before it is applied.
#   It reads the inline policies of groups: which policy an attachment attaches is not in a plan.
# custom:
#   id: ACC-101
#   severity: high
#   frameworks: [SOC 2 CC6.3]
#   remediation: Take the action out of the policy, or have the security team add the resource to `tf/compliance/data/access.json`.
package rules.acc_101

import data.lib.plan

deny contains plan.finding(rc, sprintf("policy::Statement[%d]", [index]), msg) if {
	some rc in plan.by_type.aws_iam_group_policy
	group := rc.change.after.group
	some index, statement in statements(rc)
	statement.Effect == "Allow"
	some action in list(object.get(statement, "Action", []))
	not is_read(action)
	some resource in list(object.get(statement, "Resource", []))
	not is_agreed(group, resource)
	msg := sprintf("group `%s` may read `%s` only, but `%s` is allowed", [group, resource, action])
}

# What is allowed by what it leaves out holds more than anybody listed.
deny contains plan.finding(rc, sprintf("policy::Statement[%d].NotAction", [index]), "allows by what it leaves out") if {
	some rc in plan.by_type.aws_iam_group_policy
	some index, statement in statements(rc)
	statement.Effect == "Allow"
	statement.NotAction
}

unknown contains plan.finding(rc, attribute, "is known after apply only") if {
	some rc in plan.by_type.aws_iam_group_policy
	some attribute in ["group", "policy"]
	not plan.known(rc, [attribute])
}

statements(rc) := list(json.unmarshal(rc.change.after.policy).Statement) if is_string(rc.change.after.policy)

# A `*` of the resource is a part of one of the pattern, or it is not matched.
is_agreed(group, resource) if {
	some pattern in data.access.groups[group].writes
	regex.match(expression(pattern), resource)
}

# `*` is any text, and a `.` no other letter.
expression(pattern) := sprintf("^%s$", [concat(".*", split(replace(pattern, ".", "[.]"), "*"))])

is_read(action) if regex.match(`^[a-z0-9-]+:(BatchGet|Describe|Get|List|Query|Search|View)[A-Za-z*]*$`, action)

# IAM takes one in the place of a list.
list(value) := value if is_array(value)

list(value) := [value] if not is_array(value)
