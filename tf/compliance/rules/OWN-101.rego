# METADATA
# title: A repository whose workflows act has code owners
# description: |
#   As soon as a workflow plans or applies, whoever may merge may do what it may do. Code owners are who is asked first.
# custom:
#   id: OWN-101
#   severity: medium
#   frameworks: [SOC 2 CC8.1]
#   remediation: Add `.github/CODEOWNERS`, with lines for `/tf/`, `/tf/compliance/` and `/.github/`.
package rules.own_101

deny contains finding if {
	some owners in data.pipeline.codeowners
	owners.exists == false
	acting := [job | some job in data.pipeline.job; is_array(job.writes); count(job.writes) > 0]
	count(acting) > 0
	finding := {
		"address": owners.address,
		"attribute": "exists",
		"msg": sprintf("is not there, but jobs may write: %s", [concat(", ", [job.address | some job in acting])]),
	}
}
