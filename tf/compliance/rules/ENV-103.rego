# METADATA
# title: A plan is of one environment, in one region, until one day
# description: |
#   Two names or two dates in one plan are a copied block that nobody adapted: half of it is reaped with another environment, or
#   stays when its own is gone.
# custom:
#   id: ENV-103
#   severity: medium
#   frameworks: [SOC 2 CC2.1]
#   remediation: Leave `default_tags` and `region` to the one provider of the root module.
package rules.env_103

import data.lib.plan

deny contains msg if {
	some tag in ["environment", "expires-at", "owner", "repository"]
	found := {value | some rc in plan.all; value := plan.tags(rc)[tag]}
	count(found) > 1
	msg := sprintf("has %d values of the tag `%s`: %s", [count(found), tag, concat(", ", found)])
}

deny contains msg if {
	found := {region | some rc in plan.all; region := rc.change.after.region; is_string(region)}
	count(found) > 1
	msg := sprintf("is in %d regions: %s", [count(found), concat(", ", found)])
}
