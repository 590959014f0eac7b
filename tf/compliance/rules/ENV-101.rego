# METADATA
# title: An environment is made of what an environment is made of
# description: |
#   One application, one encrypted database, one bucket that is not public, logs and alarms. What is missing was forgotten, what is
#   there twice is paid for twice, and neither is seen in a list of changes.
# custom:
#   id: ENV-101
#   severity: medium
#   frameworks: [SOC 2 CC8.1]
#   remediation: See what the modules `development`, `application_hosting` and `observability` of the root module make.
package rules.env_101

import data.lib.plan

# How many there are, of how many that have the attributes.
expected := {
	"application": {"types": ["aws_ecs_service", "aws_autoscaling_group", "kubernetes_deployment_v1", "nomad_job"], "least": 1, "most": 1},
	"database": {"types": ["aws_db_instance"], "least": 1, "most": 1},
	"bucket": {"types": ["aws_s3_bucket"], "least": 1, "most": 1},
	"block of public access": {"types": ["aws_s3_bucket_public_access_block"], "least": 1, "most": 1},
	"log group": {"types": ["aws_cloudwatch_log_group"], "least": 1, "most": 10},
	"alarm": {"types": ["aws_cloudwatch_metric_alarm"], "least": 1, "most": 20},
	"load balancer": {"types": ["aws_lb", "aws_elb"], "least": 0, "most": 1},
}

deny contains sprintf("has %d of what is its %s, not %s", [count(found), what, range]) if {
	is_environment
	some what, wanted in expected
	found := [rc | some type in wanted.types; some rc in object.get(plan.by_type, type, [])]
	not count(found) in numbers.range(wanted.least, wanted.most)
	range := ranges(wanted)
}

ranges(wanted) := format_int(wanted.least, 10) if wanted.least == wanted.most

ranges(wanted) := sprintf("%d to %d", [wanted.least, wanted.most]) if wanted.least != wanted.most

# Only environments have a date on which they end.
is_environment if {
	some rc in plan.all
	plan.tags(rc)["expires-at"]
}
