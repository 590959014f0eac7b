# METADATA
# title: The checks that a branch asks for are there
# description: |
#   A required check that no job reports any more blocks every merge until somebody takes it off the list, the one that mattered
#   along with it.
# custom:
#   id: PIPE-104
#   severity: medium
#   frameworks: [SOC 2 CC8.1]
#   remediation: Name in the rules of the branch what jobs are called in the workflows of pull requests.
package rules.pipe_104

deny contains finding if {
	some branch in data.pipeline.branch
	is_array(branch.required_checks)
	some check in branch.required_checks
	count(data.pipeline.job) > 0
	not check in reported
	not may_be(check)
	finding := {
		"address": branch.address,
		"attribute": "required_checks",
		"msg": sprintf("asks for `%s`, which no job of a pull request reports", [check]),
	}
}

reported contains name if {
	some job in of_pull_requests
	name := job.name
	is_string(name)
}

reported contains job.id if {
	some job in of_pull_requests
	not is_string(job.name)
}

# A name with an expression may be that of the check; so may what a workflow that is called reports, `call / job`.
may_be(check) if {
	some job in of_pull_requests
	is_string(job.name)
	parts := split(job.name, "${{")
	count(parts) > 1
	startswith(check, parts[0])
}

may_be(check) if {
	some job in of_pull_requests
	is_string(job.uses)
	startswith(check, sprintf("%s / ", [job.id]))
}

of_pull_requests contains job if {
	some workflow in data.pipeline.workflow
	some trigger in workflow.triggers
	trigger in {"pull_request", "pull_request_target", "merge_group"}
	some job in data.pipeline.job
	split(job.address, ":")[0] == split(workflow.address, ":")[0]
}
