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
        let parts: Vec<String> = counts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, verb)| format!("{count} to {verb}"))
            .collect();
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
    use crate::plan::{Plan, strategy};
    use proptest::prelude::*;

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
        insta::assert_snapshot!(Summary::of(&plan), @r#"
          + terraform_data.forgotten
              id: (known after apply)
              input: "f"
              output: (known after apply)
          + terraform_data.many["one"]
              id: (known after apply)
              input: "one"
              output: (known after apply)
          + terraform_data.many["two"]
              id: (known after apply)
              input: "two"
              output: (known after apply)
          + terraform_data.old_name
              id: (known after apply)
              input: "moved"
              output: (known after apply)
          + terraform_data.replaced
              id: (known after apply)
              input: "x"
              output: (known after apply)
              triggers_replace: ["one"]
          + terraform_data.same
              id: (known after apply)
              input: "same"
              output: (known after apply)
          + terraform_data.secret
              id: (known after apply)
              input.plain: "p"
              input.token: (sensitive)
              output: (known after apply)
          + terraform_data.updated
              id: (known after apply)
              input.size: 256
              input.tags: ["a"]
              output: (known after apply)
          + module.inner.terraform_data.this[0]
              id: (known after apply)
              input: 0
              output: (known after apply)
          + module.inner.terraform_data.this[1]
              id: (known after apply)
              input: 1
              output: (known after apply)
        Outputs:
          + gone: "bye"
          + token: (sensitive)
          + url: (known after apply)
        Plan: 10 to create
        "#);
    }

    #[test]
    fn every_kind_of_change() {
        let plan = Plan::from_json(include_bytes!("../../tests/fixtures/mixed.json")).unwrap();
        insta::assert_snapshot!(Summary::of(&plan), @r#"
         <= data.terraform_remote_state.later (its configuration is known after apply)
              backend: "local"
              config.path: (known after apply)
              outputs: (known after apply)
          . terraform_data.forgotten (no longer in the configuration)
          + terraform_data.fresh
              id: (known after apply)
              input: "./other.tfstate"
              output: (known after apply)
          ← terraform_data.imported (imported as "an-id")
          - terraform_data.many["one"] (its key is no longer in for_each)
          + terraform_data.many["three"]
              id: (known after apply)
              input: "three"
              output: (known after apply)
          > terraform_data.new_name (moved from terraform_data.old_name)
        -/+ terraform_data.replaced (cannot be updated in place)
              id: "1253cfae-bb55-156f-f7d8-fa29f36ad6c5" → (known after apply)
              output: "x" → (known after apply)
              triggers_replace[0]: "one" → "two" (forces replacement)
          ~ terraform_data.secret
              input.token: (sensitive) → (sensitive)
              output: (sensitive) → (known after apply)
          ~ terraform_data.updated
              input.size: 256 → 512
              input.tags: ["a"] → ["a","b"]
              output: {"size":256,"tags":["a"]} → (known after apply)
        Outputs:
          + fresh: (known after apply)
          - gone
          ~ token: (sensitive) → (sensitive)
          ~ url: {"size":256,"tags":["a"]} → (known after apply)
        Plan: 2 to create, 2 to update, 1 to replace, 1 to destroy, 1 to import, 1 to move, 1 to forget, 1 to read
        "#);
    }

    #[test]
    fn nothing_to_do() {
        let plan = Plan::from_json(br#"{"format_version": "1.2"}"#).unwrap();
        assert_eq!(Summary::of(&plan).to_string(), "No changes");
    }

    proptest! {
        #[test]
        fn no_secret_is_shown(plan in strategy::plan()) {
            let plan = Plan::from_json(plan.to_string().as_bytes()).unwrap();
            let summary = Summary::of(&plan);
            prop_assert!(!summary.to_string().contains(strategy::SECRET));
            let debug = format!("{summary:?}");
            prop_assert!(!debug.contains(strategy::SECRET));
            prop_assert_eq!(summary.is_empty(), !plan.has_changes());
        }
    }
}
