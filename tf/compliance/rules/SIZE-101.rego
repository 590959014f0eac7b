# METADATA
# title: All tasks of an environment together are small
# description: |
#   Each task may be small and each service have few of them, and all of it together still be a bill.
# custom:
#   id: SIZE-101
#   severity: low
#   remediation: Lower `size` or `desired_count`; together at most 4 vCPU and 16 GiB.
package rules.size_101

import data.lib.plan

deny contains msg if {
	cpu > 4096
	msg := sprintf("asks for %v units of CPU in all, of 4096", [cpu])
}

deny contains msg if {
	memory > 16384
	msg := sprintf("asks for %v MiB of memory in all, of 16384", [memory])
}

unknown contains plan.finding(rc, attribute, "is known after apply only") if {
	some type, attributes in {"aws_ecs_service": ["desired_count"], "aws_ecs_task_definition": ["cpu", "memory"]}
	some rc in plan.by_type[type]
	some attribute in attributes
	not plan.known(rc, [attribute])
}

cpu := sum([asked | some service in services; asked := service.count * number(service.task.cpu)])

memory := sum([asked | some service in services; asked := service.count * number(service.task.memory)])

services := [{"count": tasks(service), "task": task.change.after} |
	some service in plan.by_type.aws_ecs_service
	plan.tags(service)["expires-at"]
	some task in plan.by_type.aws_ecs_task_definition
	plan.modules(task) == plan.modules(service)
]

# ECS starts one where nobody says how many.
tasks(service) := service.change.after.desired_count if is_number(service.change.after.desired_count)

tasks(service) := 1 if not is_number(object.get(service.change.after, "desired_count", null))

number(value) := to_number(value) if value != null

number(value) := 0 if value == null
