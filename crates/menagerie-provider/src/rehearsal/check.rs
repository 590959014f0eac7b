//! What a cloud would refuse, as far as the rules know it, before anything is made.

use super::{
    answer::problem,
    make::at,
    rules::{Check, Format, Ruled, Rules},
    schema::{Block, Nesting},
};
use crate::{
    value::{Object, Value, attribute},
    wire::{AttributePath, Diagnostic, Step},
};
use std::net::IpAddr;

/// CPU units of a Fargate task, with the least and the most memory in MiB, and the steps between.
///
/// docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
const FARGATE: [(f64, &[f64], [f64; 3]); 7] = [
    (256.0, &[512.0, 1024.0, 2048.0], [0.0; 3]),
    (512.0, &[], [1024.0, 4096.0, 1024.0]),
    (1024.0, &[], [2048.0, 8192.0, 1024.0]),
    (2048.0, &[], [4096.0, 16384.0, 1024.0]),
    (4096.0, &[], [8192.0, 30720.0, 1024.0]),
    (8192.0, &[], [16384.0, 61440.0, 4096.0]),
    (16384.0, &[], [32768.0, 122_880.0, 8192.0]),
];

/// Checks a configuration; what is not known yet is not checked.
pub(crate) fn check(type_name: &str, block: &Block, config: &Object) -> Vec<Diagnostic> {
    let rules = Ruled::of(type_name);
    let mut found = Vec::new();
    for (path, check) in rules.checks() {
        if let Some(suffix) = path.strip_prefix('*') {
            for name in block.attributes.keys().filter(|name| name.ends_with(suffix)) {
                walk(Some(block), config, name, Vec::new(), &mut |value, steps| {
                    found.extend(check_value(check, value, name, steps));
                });
            }
        } else {
            walk(Some(block), config, path, Vec::new(), &mut |value, steps| {
                found.extend(check_value(check, value, path, steps));
            });
        }
    }
    for names in rules.conflicts() {
        found.extend(check_number(config, names, false));
    }
    for names in rules.exactly() {
        found.extend(check_number(config, names, true));
    }
    found.extend(check_together(type_name, config).into_iter().map(|(name, detail)| {
        about(vec![name_step(name)], &format!("`{name}` does not fit"), &detail)
    }));
    found
}

/// Calls `visit` with each value at a path, and the steps that lead to it as far as Terraform can follow.
fn walk(
    block: Option<&Block>,
    object: &Object,
    path: &str,
    mut steps: Vec<Step>,
    visit: &mut dyn FnMut(&Value, &[Step]),
) {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    steps.push(name_step(name));
    let nested = block.and_then(|block| block.blocks.get(name));
    let in_set = nested.is_some_and(|nested| nested.nesting_mode == Nesting::Set);
    match (attribute(object, name), rest) {
        (Value::List(values), Some(rest)) => {
            for (index, value) in values.iter().enumerate() {
                let Value::Map(object) = value else { continue };
                let mut steps = steps.clone();
                // An element of a set is found by its whole value: the error is shown at the block instead.
                if in_set {
                    walk(
                        nested.map(|nested| &nested.block),
                        object,
                        rest,
                        steps.clone(),
                        &mut |value, _| {
                            visit(value, &steps[..1]);
                        },
                    );
                    continue;
                }
                let index = i64::try_from(index).expect("a list fits into memory");
                steps.push(Step { element_key_int: Some(index), ..Step::default() });
                walk(nested.map(|nested| &nested.block), object, rest, steps, visit);
            }
        }
        (Value::Map(object), Some(rest)) => {
            walk(nested.map(|nested| &nested.block), object, rest, steps, visit);
        }
        (_, Some(_)) => {}
        (Value::List(values), None) => values.iter().for_each(|value| visit(value, &steps)),
        (value, None) => visit(value, &steps),
    }
}

fn check_value(check: &Check, value: &Value, path: &str, steps: &[Step]) -> Option<Diagnostic> {
    let refuse = |expected: &str| {
        let given = value.to_json_value();
        let detail = format!("expected {expected}, got {given}");
        Some(about(steps.to_vec(), &format!("invalid value for `{path}`"), &detail))
    };
    let text = match value {
        Value::Null | Value::Unknown => return None,
        Value::String(text) => text.clone(),
        value => value.to_json_value().to_string(),
    };
    // An empty text is how many a provider is told that there is none.
    if text.is_empty() && check.length.is_none() {
        return None;
    }
    if let Some(name) = &check.format
        && !has_format(name, &text)
    {
        let Format { says, example, .. } = Rules::get().format(name);
        return refuse(&format!("{says}, such as {example}"));
    }
    if !check.one_of.is_empty() {
        let texts = check.one_of.iter().map(|known| match known {
            toml::Value::String(text) => text.clone(),
            known => known.to_string(),
        });
        let texts: Vec<_> = texts.collect();
        if !texts.contains(&text) {
            return refuse(&format!("one of {}", texts.join(", ")));
        }
    }
    if let Some([least, most]) = check.range
        && !text.parse::<f64>().is_ok_and(|number| (least..=most).contains(&number))
    {
        return refuse(&format!("a number from {least} to {most}"));
    }
    if let Some([least, most]) = check.length
        && !(least..=most).contains(&text.chars().count())
    {
        return refuse(&format!("{least} to {most} characters"));
    }
    None
}

/// Whether a text has a form.
pub(crate) fn has_format(name: &str, text: &str) -> bool {
    match name {
        "cidr" => is_network(text),
        "json" => serde_json::from_str::<serde_json::Value>(text).is_ok(),
        "container_definitions" => {
            serde_json::from_str(text).is_ok_and(|value: serde_json::Value| {
                value.as_array().is_some_and(|containers| {
                    containers.iter().all(|container| {
                        container["name"].is_string() && container["image"].is_string()
                    })
                })
            })
        }
        _ => Rules::get().format(name).pattern.as_ref().is_none_or(|pattern| {
            regex_lite::Regex::new(pattern).expect("a test compiles every pattern").is_match(text)
        }),
    }
}

/// Whether it is a network: an address, how many bits of it count, and nothing but zeros after those.
fn is_network(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else { return false };
    let (Ok(address), Ok(bits)) = (address.parse::<IpAddr>(), bits.parse::<u32>()) else {
        return false;
    };
    match address {
        IpAddr::V4(address) => {
            bits <= 32 && address.to_bits().checked_shl(bits).is_none_or(|host| host == 0)
        }
        IpAddr::V6(address) => {
            bits <= 128 && address.to_bits().checked_shl(bits).is_none_or(|host| host == 0)
        }
    }
}

fn is_set(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::List(values) => !values.is_empty(),
        _ => true,
    }
}

fn check_number(config: &Object, names: &[String], exactly: bool) -> Option<Diagnostic> {
    let set: Vec<_> = names.iter().filter(|name| is_set(attribute(config, name))).collect();
    let all = || names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match set[..] {
        [] if exactly => {
            Some(problem("an argument is missing", &format!("one of {} must be given", all())))
        }
        [] | [_] => None,
        // One of them may turn out to be null.
        [..] if set.iter().filter(|name| !attribute(config, name).is_unknown()).count() < 2 => None,
        [first, ..] => Some(about(
            vec![name_step(first)],
            "arguments conflict",
            &format!("only one of {} may be given", all()),
        )),
    }
}

/// Rules about several attributes: where, and what is wrong.
fn check_together(type_name: &str, config: &Object) -> Vec<(&'static str, String)> {
    let number = |name: &str| match attribute(config, name) {
        Value::Number(number) => Some(*number),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    let text = |name: &str| attribute(config, name).as_str();
    let mut found = Vec::new();
    match type_name {
        "aws_ecs_task_definition" => {
            let compatible = attribute(config, "requires_compatibilities");
            if compatible.as_list().unwrap_or_default().contains(&"FARGATE".into()) {
                for name in ["cpu", "memory"] {
                    if attribute(config, name).is_null() {
                        found.push((name, "a task on Fargate needs `cpu` and `memory`".to_owned()));
                    }
                }
                if !matches!(text("network_mode"), Some("awsvpc"))
                    && !attribute(config, "network_mode").is_unknown()
                {
                    found.push((
                        "network_mode",
                        "a task on Fargate needs the network mode `awsvpc`".to_owned(),
                    ));
                }
                if let (Some(cpu), Some(memory)) = (number("cpu"), number("memory"))
                    && !fits_fargate(cpu, memory)
                {
                    found.push((
                        "cpu",
                        format!(
                            "Fargate has no task of {cpu} CPU units with {memory} MiB of memory"
                        ),
                    ));
                }
            }
        }
        "aws_vpc_security_group_ingress_rule" | "aws_vpc_security_group_egress_rule" => {
            let ports = ["from_port", "to_port"].map(|name| attribute(config, name));
            match text("ip_protocol") {
                Some("-1") if ports.iter().any(|port| !port.is_null() && !port.is_unknown()) => {
                    found.push((
                        "from_port",
                        "with all protocols (`-1`) no port may be named".to_owned(),
                    ));
                }
                Some("tcp" | "udp" | "6" | "17") if ports.iter().any(|port| port.is_null()) => {
                    found.push((
                        "from_port",
                        "this protocol needs `from_port` and `to_port`".to_owned(),
                    ));
                }
                _ => {}
            }
        }
        "aws_autoscaling_group" => {
            let sizes = ["min_size", "desired_capacity", "max_size"].map(number);
            let known: Vec<_> = sizes.into_iter().flatten().collect();
            if known.windows(2).any(|pair| pair[0] > pair[1]) {
                found.push((
                    "desired_capacity",
                    "it lies between `min_size` and `max_size`".to_owned(),
                ));
            }
        }
        "aws_lb_target_group" => {
            let health = |name: &str| match at(config, &format!("health_check.0.{name}")) {
                Value::Number(number) => Some(*number),
                _ => None,
            };
            if let (Some(interval), Some(timeout)) = (health("interval"), health("timeout"))
                && timeout >= interval
            {
                found.push((
                    "health_check",
                    "the timeout must be shorter than the interval".to_owned(),
                ));
            }
        }
        _ => {}
    }
    found
}

fn fits_fargate(cpu: f64, memory: f64) -> bool {
    FARGATE.iter().any(|(units, listed, [least, most, step])| {
        let stepped = || (*least..=*most).contains(&memory) && memory % step == 0.0;
        (*units - cpu).abs() < 0.5
            && if listed.is_empty() { stepped() } else { listed.contains(&memory) }
    })
}

fn about(steps: Vec<Step>, summary: &str, detail: &str) -> Diagnostic {
    Diagnostic { attribute: Some(AttributePath { steps }), ..problem(summary, detail) }
}

fn name_step(name: &str) -> Step {
    Step { attribute_name: Some(name.to_owned()), ..Step::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_have_no_host_bits() {
        for right in ["10.0.0.0/8", "0.0.0.0/0", "192.0.2.1/32", "::/0", "2001:db8::/32", "::1/128"]
        {
            assert!(is_network(right), "{right}");
        }
        for wrong in ["10.0.0.1/8", "10.0.0.0", "10.0.0.0/33", "::1/127", "x/8", "", "10.0.0.0/-1"]
        {
            assert!(!is_network(wrong), "{wrong}");
        }
    }

    #[test]
    fn fargate_has_fixed_sizes() {
        for (cpu, memory) in [(256.0, 512.0), (512.0, 4096.0), (16384.0, 122_880.0)] {
            assert!(fits_fargate(cpu, memory));
        }
        for (cpu, memory) in [(256.0, 3072.0), (300.0, 1024.0), (8192.0, 17408.0), (256.0, 0.0)] {
            assert!(!fits_fargate(cpu, memory), "{cpu} {memory}");
        }
    }
}
