# METADATA
# title: What rules ask of a plan
# description: |
#   `import data.lib.plan`, and then `some rc in plan.by_type.aws_s3_bucket`.
#   Menagerie hands rules a ready index as `data.plan`; elsewhere, as with `opa eval`, this computes the same.
package lib.plan

# The resources that Terraform manages and that will be there when it is done, by their types. What is only read, and what
# goes away, is in `input.resource_changes`.
by_type := data.plan.by_type

by_type := {type: resources |
	not data.plan.by_type
	some type in {rc.type | some rc in _resources}
	resources := [rc | some rc in _resources; rc.type == type]
} if {
	not data.plan.by_type
}

# The same, by their addresses.
by_address := data.plan.by_address

by_address := {rc.address: rc | some rc in _resources} if not data.plan.by_address

# By address, which attributes are known after apply only: `true` in their places.
unknown := data.plan.unknown

unknown := {rc.address: _mask(rc) | some rc in _resources} if not data.plan.unknown

# The same as a list.
all := [rc | some rc in by_address]

# Whether an attribute is known before apply, such as `known(rc, ["versioning", 0, "enabled"])`.
known(rc, path) if not _is_masked(rc, path)

# The tags of a resource, those of its provider included.
tags(rc) := tags if {
	tags := rc.change.after.tags_all
	is_object(tags)
} else := tags if {
	tags := rc.change.after.tags
	is_object(tags)
} else := {}

# The modules that a resource is in, from the outermost: `["module.network", "module.subnet[\"a.b\"]"]`.
modules(rc) := [trim_suffix(part, ".") | some part in regex.find_n(_module, prefix, -1)] if {
	some prefix in regex.find_n(sprintf("^(%s)*", [_module]), rc.address, 1)
}

# A finding of one attribute; `attribute` is as a waiver names it, `ingress[0].cidr_blocks`.
finding(rc, attribute, msg) := {"address": rc.address, "attribute": attribute, "msg": msg}

_module := `module\.[^.\[]+(\["(\\.|[^"\\])*"\]|\[[0-9]+\])?\.`

_resources := [rc |
	some rc in input.resource_changes
	rc.mode == "managed"
	some action in rc.change.actions
	not action in {"delete", "forget"}
]

_mask(rc) := rc.change.after_unknown if is_object(rc.change.after_unknown)

_mask(rc) := {} if not is_object(rc.change.after_unknown)

_is_masked(rc, path) if {
	some length in numbers.range(1, count(path))
	object.get(rc.change.after_unknown, array.slice(path, 0, length), false) == true
}
