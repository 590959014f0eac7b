# METADATA
# title: An environment ends when its env.toml says so
# description: |
#   What reaps goes by the tag, what people read is the file. Where they differ, somebody is surprised on one of the two days.
# custom:
#   id: ENV-104
#   severity: medium
#   frameworks: [SOC 2 CC6.5]
#   remediation: Change `expires` in `env.toml` and in `default_tags` of `providers.tf` together.
package rules.env_104

import data.lib.plan

deny contains plan.finding(rc, sprintf("tags_all[\"%s\"]", [tag]), msg) if {
	some rc in plan.all
	tags := plan.tags(rc)
	some environment in data.inventory.environment
	environment.name == tags.environment
	some tag, attribute in {"expires-at": "expires", "owner": "owner", "hosting": "hosting"}
	tags[tag] != environment[attribute]
	msg := sprintf("is `%s`, but `%s` of its env.toml is `%s`", [tags[tag], attribute, environment[attribute]])
}
