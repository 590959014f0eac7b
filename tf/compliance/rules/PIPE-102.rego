# METADATA
# title: Nobody cancels what applies
# description: |
#   An apply that is cut short leaves a lock, and resources that no state knows. A newer run waits for it; it does not end it.
# custom:
#   id: PIPE-102
#   severity: high
#   frameworks: [SOC 2 CC8.1]
#   remediation: Set `cancel-in-progress` to false in `concurrency` of the job and of its workflow, or take it out.
package rules.pipe_102

deny contains finding if {
	some job in data.pipeline.job
	is_array(job.writes)
	"id-token" in job.writes
	not is_plan(job)
	some owner in array.concat([job], workflows_of(job))
	owner.concurrency.cancel_in_progress in {true, "true"}
	finding := {
		"address": job.address,
		"attribute": "concurrency",
		"msg": sprintf("takes a role, and is cancelled by the next run (`%s`)", [owner.address]),
	}
}

workflows_of(job) := [workflow |
	some workflow in data.pipeline.workflow
	split(workflow.address, ":")[0] == split(job.address, ":")[0]
]

# What plans only may be cut short.
is_plan(job) if {
	is_string(job.environment)
	regex.match(`(?i)plan`, job.environment)
}
