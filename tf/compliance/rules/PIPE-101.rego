# METADATA
# title: What strangers write is not built with our rights
# description: |
#   `pull_request_target` and `workflow_run` run with the secrets and the token of this repository. A step that checks out what the
#   pull request has hands both to whoever opened it.
# custom:
#   id: PIPE-101
#   severity: critical
#   frameworks: [SOC 2 CC6.8, SLSA]
#   remediation: Use `pull_request`, or leave `ref` and `repository` out, so that the default branch is checked out.
package rules.pipe_101

deny contains finding if {
	some workflow in data.pipeline.workflow
	some trigger in workflow.triggers
	trigger in {"pull_request_target", "workflow_run", "issue_comment"}
	some step in data.pipeline.step
	file_of(step) == file_of(workflow)
	some value in taken(step)
	regex.match(`github\.head_ref|pull_request\.head|workflow_run\.head|refs/pull/|pull_request\.(number|merge_commit_sha)|issue\.number`, value)
	finding := {
		"address": step.address,
		"attribute": "with",
		"msg": sprintf("runs after `%s`, and takes what a pull request has: `%s`", [trigger, value]),
	}
}

# What a step fetches: by the action of checkout, or by hand.
taken(step) := [value | some value in step["with"]; is_string(value)] if {
	step.action == "actions/checkout"
	is_object(step["with"])
}

taken(step) := [step.run] if {
	is_string(step.run)
	regex.match(`git (fetch|checkout|pull|merge)|gh pr checkout`, step.run)
}

file_of(record) := split(record.address, ":")[0]
