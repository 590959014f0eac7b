# METADATA
# title: Who serves requests and keeps data has alarms
# description: |
#   A database that is full and a load balancer without a healthy target are seen by those who use them first, where nothing watches.
# custom:
#   id: LOG-101
#   severity: medium
#   frameworks: [SOC 2 CC7.2, SOC 2 A1.1]
#   remediation: Call `tf/modules/alarms`, with `alarm_dimensions` of the load balancer and `database_id`.
package rules.log_101

import data.lib.plan

watched := {
	"aws_db_instance": "AWS/RDS",
	"aws_lb": "AWS/ApplicationELB",
}

deny contains plan.finding(rc, "", msg) if {
	some type, namespace in watched
	some rc in plan.by_type[type]
	object.get(rc.change.after, "load_balancer_type", "application") == "application"
	not has_alarm(namespace)
	msg := sprintf("has no alarm of `%s`", [namespace])
}

has_alarm(namespace) if {
	some alarm in plan.by_type.aws_cloudwatch_metric_alarm
	alarm.change.after.namespace == namespace
}

has_alarm(namespace) if {
	some alarm in plan.by_type.aws_cloudwatch_metric_alarm
	is_array(alarm.change.after.metric_query)
	some query in alarm.change.after.metric_query
	is_array(query.metric)
	some metric in query.metric
	metric.namespace == namespace
}
