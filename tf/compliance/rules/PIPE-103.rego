# METADATA
# title: Strangers get no machine of ours
# description: |
#   A runner of one's own is the same machine for the next job: what a pull request of a fork leaves there waits for a deployment.
# custom:
#   id: PIPE-103
#   severity: high
#   frameworks: [SOC 2 CC6.6]
#   remediation: Run what pull requests start on GitHub's machines.
package rules.pipe_103

deny contains finding if {
	some workflow in data.pipeline.workflow
	some trigger in workflow.triggers
	startswith(trigger, "pull_request")
	some job in data.pipeline.job
	split(job.address, ":")[0] == split(workflow.address, ":")[0]
	is_own(job)
	finding := {
		"address": job.address,
		"attribute": "runs_on",
		"msg": sprintf("runs on a machine of ours after `%s`", [trigger]),
	}
}

is_own(job) if {
	is_array(job.runs_on)
	"self-hosted" in job.runs_on
}

is_own(job) if is_string(job.runner_group)
