# METADATA
# title: What belongs to an environment has its name
# description: |
#   Names are how a person tells whose a database is, and how the roles that apply are kept away from production: what has
#   another one is found by neither.
# custom:
#   id: ENV-102
#   severity: medium
#   frameworks: [SOC 2 CC2.1, SOC 2 CC6.3]
#   remediation: Begin the name with that of the environment, which is the input `name` of each module.
package rules.env_102

import data.lib.plan

# The attribute that is the name, by type.
names := {
	"aws_autoscaling_group": "name",
	"aws_cloudwatch_metric_alarm": "alarm_name",
	"aws_db_instance": "identifier",
	"aws_ecs_cluster": "name",
	"aws_ecs_service": "name",
	"aws_ecs_task_definition": "family",
	"aws_iam_role": "name",
	"aws_launch_template": "name",
	"aws_lb": "name",
	"aws_lb_target_group": "name",
	"aws_s3_bucket": "bucket",
}

deny contains plan.finding(rc, attribute, msg) if {
	some [rc, attribute, environment] in named
	name := rc.change.after[attribute]
	is_string(name)
	not startswith(name, environment)
	msg := sprintf("is `%s`, which does not begin with `%s`", [name, environment])
}

# Log groups are in folders.
deny contains plan.finding(rc, "name", msg) if {
	some rc in plan.by_type.aws_cloudwatch_log_group
	environment := environment_of(rc)
	name := rc.change.after.name
	is_string(name)
	not environment in split(name, "/")
	msg := sprintf("is `%s`, in which no folder is `%s`", [name, environment])
}

unknown contains plan.finding(rc, attribute, "is known after apply only") if {
	some [rc, attribute, _] in named
	not plan.known(rc, [attribute])
}

unknown contains plan.finding(rc, "name", "is known after apply only") if {
	some rc in plan.by_type.aws_cloudwatch_log_group
	environment_of(rc)
	not plan.known(rc, ["name"])
}

named contains [rc, attribute, environment] if {
	some type, attribute in names
	some rc in plan.by_type[type]
	environment := environment_of(rc)
}

# What all environments share is in the folder and has the name of its own.
environment_of(rc) := environment if {
	environment := plan.tags(rc).environment
	environment != "common"
}
