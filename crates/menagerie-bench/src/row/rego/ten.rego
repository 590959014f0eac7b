# Ten rules in the manner of those that people keep for conftest: what the row `rego` judges a plan by, and OPA too.
package main

import rego.v1

changed contains change if {
    some change in input.resource_changes
    change.mode == "managed"
    change.change.actions != ["delete"]
}

of_type(kind) := [change | some change in changed; change.type == kind]

as_list(value) := value if is_array(value)

as_list(value) := [value] if not is_array(value)

has_tags := {"aws_s3_bucket", "aws_security_group", "aws_db_instance", "aws_cloudwatch_log_group", "aws_launch_template", "aws_ecs_service"}

# METADATA
# title: Buckets refuse public policies
# custom:
#   id: REGO-001
#   severity: high
deny contains {"msg": msg, "metadata": {"address": change.address}} if {
    some change in of_type("aws_s3_bucket_public_access_block")
    some key in ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"]
    not change.change.after[key]
    msg := sprintf("%s must set `%s`", [change.address, key])
}

# METADATA
# title: The internet reaches web ports only
# custom:
#   id: REGO-002
#   severity: high
deny contains {"msg": msg, "metadata": {"address": change.address}} if {
    some change in of_type("aws_security_group")
    some rule in change.change.after.ingress
    some cidr in rule.cidr_blocks
    not net.cidr_contains("10.0.0.0/8", cidr)
    not {rule.from_port, rule.to_port} - {80, 443} == set()
    msg := sprintf("%s lets %s in on %d to %d", [change.address, cidr, rule.from_port, rule.to_port])
}

# METADATA
# title: Databases are encrypted
# custom:
#   id: REGO-003
#   severity: high
deny contains {"msg": msg, "metadata": {"address": change.address}} if {
    some change in of_type("aws_db_instance")
    not change.change.after.storage_encrypted
    not change.change.after_unknown.storage_encrypted
    msg := sprintf("%s is not encrypted", [change.address])
}

# METADATA
# title: Databases have no public address
# custom:
#   id: REGO-004
#   severity: critical
deny contains {"msg": msg, "metadata": {"address": change.address}} if {
    some change in of_type("aws_db_instance")
    change.change.after.publicly_accessible
    msg := sprintf("%s is public", [change.address])
}

# METADATA
# title: No policy allows every action
# custom:
#   id: REGO-005
#   severity: critical
deny contains {"msg": msg, "metadata": {"address": change.address}} if {
    some change in of_type("aws_iam_role_policy")
    some statement in as_list(json.unmarshal(change.change.after.policy).Statement)
    statement.Effect == "Allow"
    some action in as_list(statement.Action)
    regex.match(`^\*(:\*)?$`, action)
    msg := sprintf("%s allows `%s`", [change.address, action])
}

# METADATA
# title: Logs end some day
# custom:
#   id: REGO-006
#   severity: low
deny contains {"msg": msg, "metadata": {"address": change.address}} if {
    some change in of_type("aws_cloudwatch_log_group")
    object.get(change.change.after, "retention_in_days", 0) in {0, null}
    msg := sprintf("%s keeps its logs for ever", [change.address])
}

# METADATA
# title: Instance metadata needs a token
# custom:
#   id: REGO-007
#   severity: high
deny contains {"msg": msg, "metadata": {"address": change.address}} if {
    some change in of_type("aws_launch_template")
    every options in change.change.after.metadata_options {
        options.http_tokens != "required"
    }
    msg := sprintf("%s answers without a token", [change.address])
}

# METADATA
# title: Machines are small
# custom:
#   id: REGO-008
#   severity: medium
deny contains {"msg": msg, "metadata": {"address": change.address}} if {
    some change in changed
    size := size_of(change)
    not glob.match("{t4g,t3}.{nano,micro,small,medium}", [], trim_prefix(size, "db."))
    msg := sprintf("%s is a %s", [change.address, size])
}

size_of(change) := change.change.after.instance_class if change.type == "aws_db_instance"

else := change.change.after.instance_type if change.type == "aws_launch_template"

# METADATA
# title: What costs money says whose it is
# custom:
#   id: REGO-009
#   severity: medium
deny contains {"msg": msg, "metadata": {"address": change.address}} if {
    some change in changed
    change.type in has_tags
    tags := object.union(object.get(change.change.after, "tags", {}), object.get(change.change.after, "tags_all", {}))
    missing := {key | some key in ["owner", "environment", "expires-at"]; object.get(tags, key, "") == ""}
    count(missing) > 0
    msg := sprintf("%s lacks %v", [change.address, missing])
}

# METADATA
# title: An environment has a bounded number of services
# custom:
#   id: REGO-010
#   severity: medium
warn contains msg if {
    services := of_type("aws_ecs_service")
    wanted := sum([change.change.after.desired_count | some change in services])
    wanted > 1000
    msg := sprintf("%d services want %d tasks", [count(services), wanted])
}
