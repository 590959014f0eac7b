# METADATA
# title: What the internet reaches speaks TLS
# description: |
#   An environment in private networks may speak HTTP. With a public load balancer its sessions and passwords go over networks
#   of others, and what was a test is a leak.
# custom:
#   id: NET-101
#   severity: high
#   frameworks: [SOC 2 CC6.7]
#   remediation: Give the environment a domain (`ingress.domain`), or networks of yours only (`ingress.cidrs`).
package rules.net_101

import data.lib.plan

deny contains plan.finding(listener, "protocol", "speaks plainly behind a load balancer with public addresses") if {
	some lb in plan.by_type.aws_lb
	lb.change.after.internal == false
	some listener in plan.by_type.aws_lb_listener
	plan.modules(listener) == plan.modules(lb)
	listener.change.after.protocol in {"HTTP", "TCP"}
	not is_redirect(listener)
}

unknown contains plan.finding(lb, "internal", "is known after apply only") if {
	some lb in plan.by_type.aws_lb
	not plan.known(lb, ["internal"])
}

unknown contains plan.finding(listener, "protocol", "is known after apply only") if {
	some listener in plan.by_type.aws_lb_listener
	not plan.known(listener, ["protocol"])
}

is_redirect(listener) if {
	some action in listener.change.after.default_action
	is_array(action.redirect)
	some redirect in action.redirect
	redirect.protocol == "HTTPS"
}
