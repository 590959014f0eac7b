//! The text of a [`Summary`].

use std::fmt;

use serde_json::Value;

use super::{AttributeChange, Counts, OutputSummary, ResourceSummary, Shown, Summary};
use crate::plan::ChangeKind;
use crate::printable::{is_control, one_line, push_escape};

/// A longer value is cut in the text: it is there to be recognised, and the plan has it in full.
const LONGEST_VALUE: usize = 120;

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for resource in &self.resources {
            writeln!(formatter, "{resource}")?;
        }
        if !self.outputs.is_empty() {
            writeln!(formatter, "Outputs:")?;
        }
        for output in &self.outputs {
            writeln!(formatter, "{output}")?;
        }
        if !self.drift.is_empty() {
            writeln!(formatter, "Changed outside of Terraform:")?;
        }
        for resource in &self.drift {
            writeln!(formatter, "{resource}")?;
        }
        match (self.is_empty(), self.resources.is_empty()) {
            (true, _) => formatter.write_str("No changes"),
            (false, true) => formatter.write_str("Plan: only outputs change"),
            (false, false) => write!(formatter, "Plan: {}", self.counts),
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            (self.create, "create"),
            (self.update, "update"),
            (self.replace, "replace"),
            (self.destroy, "destroy"),
            (self.import, "import"),
            (self.moved, "move"),
            (self.forget, "forget"),
            (self.read, "read"),
        ];
        let parts: Vec<String> =
            counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, verb)| format!("{count} to {verb}")).collect();
        formatter.write_str(if parts.is_empty() { "nothing to do" } else { "" })?;
        formatter.write_str(&parts.join(", "))
    }
}

impl fmt::Display for ResourceSummary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:>3} {}", self.symbol(), one_line(&self.address))?;
        let mut notes = Vec::new();
        if let Some(key) = &self.deposed {
            notes.push(format!("deposed {key}"));
        }
        if let Some(previous) = &self.previous_address {
            notes.push(format!("moved from {}", one_line(previous)));
        }
        match &self.importing {
            Some(Some(id)) => notes.push(format!("imported as {}", Value::from(one_line(id)))),
            Some(None) => notes.push("imported".to_owned()),
            None => {}
        }
        notes.extend(self.reason.as_deref().map(reason_in_words));
        if !notes.is_empty() {
            write!(formatter, " ({})", notes.join("; "))?;
        }
        for attribute in &self.attributes {
            write!(formatter, "\n      {attribute}")?;
        }
        Ok(())
    }
}

impl ResourceSummary {
    fn symbol(&self) -> &'static str {
        match self.kind {
            ChangeKind::NoOp if self.importing.is_some() => "←",
            ChangeKind::NoOp => ">",
            kind => symbol(kind),
        }
    }
}

fn symbol(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::NoOp => "",
        ChangeKind::Create => "+",
        ChangeKind::Update => "~",
        ChangeKind::Replace => "-/+",
        ChangeKind::Destroy => "-",
        ChangeKind::Forget => ".",
        ChangeKind::Read => "<=",
    }
}

/// Says Terraform's reason in words; the list: <https://developer.hashicorp.com/terraform/internals/machine-readable-ui>.
fn reason_in_words(reason: &str) -> String {
    match reason {
        "replace_because_tainted" | "tainted" => "its creation failed half-way",
        "replace_because_cannot_update" | "cannot_update" => "cannot be updated in place",
        "replace_by_request" | "requested" => "as requested",
        "replace_by_triggers" => "by replace_triggered_by",
        "delete_because_no_resource_config" => "no longer in the configuration",
        "delete_because_no_module" => "its module is no longer in the configuration",
        "delete_because_no_move_target" => "moved to what is not in the configuration",
        "delete_because_wrong_repetition" => "count or for_each was added or removed",
        "delete_because_count_index" => "its index is no longer in count",
        "delete_because_each_key" => "its key is no longer in for_each",
        "read_because_config_unknown" => "its configuration is known after apply",
        "read_because_dependency_pending" => "what it depends on changes",
        other => return one_line(other).replace('_', " "),
    }
    .to_owned()
}

impl fmt::Display for AttributeChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: ", one_line(&self.path))?;
        if self.before != Shown::Absent {
            write!(formatter, "{} → ", self.before)?;
        }
        write!(formatter, "{}", self.after)?;
        formatter.write_str(if self.forces_replacement { " (forces replacement)" } else { "" })
    }
}

impl fmt::Display for OutputSummary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:>3} {}", symbol(self.kind), one_line(&self.name))?;
        match self.kind {
            ChangeKind::Destroy | ChangeKind::Forget => Ok(()),
            ChangeKind::Create => write!(formatter, ": {}", self.after),
            _ => write!(formatter, ": {} → {}", self.before, self.after),
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => formatter.write_str("null"),
            Self::Sensitive => formatter.write_str("(sensitive)"),
            Self::Unknown => formatter.write_str("(known after apply)"),
            Self::Value(value) => formatter.write_str(&cut(&value.to_string())),
        }
    }
}

/// Cuts JSON text to [`LONGEST_VALUE`] characters and escapes what JSON leaves alone but a terminal obeys.
fn cut(json: &str) -> String {
    let mut shown = String::new();
    for (count, character) in json.chars().enumerate() {
        if count == LONGEST_VALUE {
            shown.push('…');
            break;
        }
        if is_control(character) {
            push_escape(&mut shown, character);
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;

    #[track_caller]
    fn check_value(value: &str, expected: &str) {
        assert_eq!(Shown::Value(Value::from(value)).to_string(), expected);
    }

    #[test]
    fn values_stay_on_one_short_harmless_line() {
        check_value("two\nlines", r#""two\nlines""#);
        check_value("\u{1b}[2J\u{9b}2J\u{202e}", r#""\u001b[2J\u{9b}2J\u{202e}""#);
        let long = Shown::Value(Value::from("ü".repeat(500))).to_string();
        assert_eq!(long.chars().count(), LONGEST_VALUE + 1);
    }

    #[test]
    fn first_plan() {
        let plan = Plan::from_json(include_bytes!("../../tests/fixtures/create.json")).unwrap();
        insta::assert_snapshot!(Summary::of(&plan), @"");
    }

    #[test]
    fn every_kind_of_change() {
        let plan = Plan::from_json(include_bytes!("../../tests/fixtures/mixed.json")).unwrap();
        insta::assert_snapshot!(Summary::of(&plan), @"");
    }

    #[test]
    fn nothing_to_do() {
        let plan = Plan::from_json(br#"{"format_version": "1.2"}"#).unwrap();
        assert_eq!(Summary::of(&plan).to_string(), "No changes");
    }
}
