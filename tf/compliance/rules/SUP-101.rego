# METADATA
# title: Root modules have a lock file
# description: |
#   The lock file holds which version of a provider was tried, and its checksum. Without it each run takes the newest that fits,
#   as whoever serves it says.
# custom:
#   id: SUP-101
#   severity: info
#   frameworks: [SOC 2 CC8.1, SLSA]
#   remediation: Run `terraform providers lock` in the directory, and commit `.terraform.lock.hcl`. Where providers come from a mirror that is verified otherwise, it is left out.
package rules.sup_101

warn contains finding if {
	some terraform in data.configuration.terraform
	terraform.backend == "s3"
	directory := split(terraform.address, ":")[0]
	some provider in data.configuration.required_provider
	startswith(provider.address, sprintf("%s:", [directory]))
	not is_locked(directory, provider.source)
	finding := {
		"address": provider.address,
		"attribute": "version",
		"msg": sprintf("`%s` is not in the lock file of `%s`", [provider.source, directory]),
	}
}

is_locked(directory, source) if {
	some lock in data.configuration.lock
	startswith(lock.address, sprintf("%s:", [directory]))
	endswith(lock.source, source)
}
