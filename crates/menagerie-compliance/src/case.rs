//! [`Cases`]: the tests of a rule, as a file beside it.

use std::path::Path;

use menagerie_config::{ConfigErrors, Problem};
use serde_json::{Map, Value, json};

use crate::address::Address;
use crate::evaluate::{Evaluation, judge_with};
use crate::finding::Verdict;
use crate::input::InputError;
use crate::path::AttributePath;
use crate::record::{Input, Record, Source};
use crate::rule::{Rule, RuleId};
use crate::table::{Reader, Table};

/// The tests of a rule: `<id>.test.toml`.
#[derive(Clone, Debug, PartialEq)]
pub struct Cases {
    /// The rule, by the name of the file.
    pub rule: RuleId,
    /// The cases.
    pub cases: Vec<Case>,
}

/// Resources, and what the rule says of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// The worst verdict that the rule finds.
    pub verdict: Verdict,
    /// The attributes of all findings, where the case names them.
    pub attributes: Option<Vec<String>>,
    pub(crate) resources: Vec<Fixture>,
    /// What would be wrong, for a rule that is a program.
    pub(crate) changes: Vec<Change>,
}

/// A change of a case that passes, after which it must not.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Change {
    /// Of which resource or record.
    pub(crate) address: String,
    /// What becomes of which attribute; none where the resource is taken away.
    pub(crate) to: Option<(AttributePath, Value)>,
    /// Whether the attribute can't be unknown.
    pub(crate) is_known: bool,
}

/// A resource of a case.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fixture {
    pub(crate) address: String,
    /// What it is, of a record; a resource of a plan has it in its address.
    pub(crate) kind: Option<String>,
    /// What a record is a part of, where its rule is a program.
    pub(crate) input: Option<Source>,
    pub(crate) action: String,
    pub(crate) values: Value,
    pub(crate) unknown: Value,
    pub(crate) sensitive: Value,
    /// By attribute, what the configuration names in it.
    pub(crate) references: Vec<(String, Vec<String>)>,
}

/// A case whose rule says something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseFailure {
    /// The case.
    pub case: String,
    /// What it says instead.
    pub message: String,
}

impl Cases {
    /// Parses the text of a file, whose name says which rule it tests.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigErrors> {
        let stem = file.file_name().and_then(|name| name.to_str());
        let stem = stem.and_then(|name| name.strip_suffix(".test.toml")).unwrap_or_default();
        let rule: RuleId = stem.parse().map_err(|_| {
            let message = "the name of the file is not `<id of the rule>.test.toml`".to_owned();
            ConfigErrors::new(file.to_owned(), vec![Problem::of_file(message, None)])
        })?;
        let (mut reader, root) = Reader::parse(text);
        let table = Table::root(&root);
        reader.allow(&table, &["case"]);
        reader.require(&table, "case", "[{ name = \"…\", verdict = \"pass\", resource = [] }]");
        let cases: Vec<Option<Case>> = reader
            .tables(&table, "case")
            .iter()
            .map(|table| Case::read(&mut reader, table))
            .collect();
        reader.end(file)?;
        Ok(Self { rule, cases: cases.into_iter().flatten().collect() })
    }
}

impl Case {
    fn read<'a>(reader: &mut Reader<'a>, table: &Table<'_, 'a>) -> Option<Self> {
        reader.allow(table, &["name", "verdict", "attributes", "resource", "record", "change"]);
        reader.require(table, "name", "\"a bucket that is open\"");
        reader.require(table, "verdict", "\"fail\"");
        let verdict = match reader.string(table, "verdict").as_deref() {
            Some("pass") => Some(Verdict::Pass),
            Some("fail") => Some(Verdict::Fail),
            Some("unknown") => Some(Verdict::Unknown),
            Some("error") => Some(Verdict::Error),
            Some(other) => {
                let message = format!(
                    "there is no verdict `{}` of a case; there is `pass`, `fail`, `unknown`, `error`",
                    other.escape_debug()
                );
                reader.note(&table.span_of("verdict"), message);
                None
            }
            None => None,
        };
        let mut resources = Vec::new();
        for (key, is_record) in [("resource", false), ("record", true)] {
            for table in &reader.tables(table, key) {
                resources.extend(Fixture::read(reader, table, is_record));
            }
        }
        let attributes = table.has("attributes").then(|| reader.list(table, "attributes"));
        let tables = reader.tables(table, "change");
        let changes = tables.iter().filter_map(|table| Change::read(reader, table)).collect();
        let name = reader.string(table, "name")?;
        Some(Self { name, verdict: verdict?, attributes, resources, changes })
    }

    /// Returns the plan of these resources, as Terraform would print it.
    fn plan(&self) -> Vec<u8> {
        let of_plan = || self.resources.iter().filter(|fixture| fixture.kind.is_none());
        let changes: Vec<Value> = of_plan().map(Fixture::change).collect();
        let mut root = json!({"resources": [], "module_calls": {}});
        for fixture in of_plan() {
            let address = Address::parse(&fixture.address);
            let mut module = &mut root;
            for name in
                address.module_block.split('.').filter(|part| !matches!(*part, "module" | ""))
            {
                let call = &mut module["module_calls"][name];
                if call.is_null() {
                    *call = json!({"module": {"resources": [], "module_calls": {}}});
                }
                module = &mut call["module"];
            }
            let expressions: Map<String, Value> = fixture
                .references
                .iter()
                .map(|(attribute, names)| (attribute.clone(), json!({"references": names})))
                .collect();
            if let Some(resources) = module["resources"].as_array_mut() {
                resources.push(json!({"type": address.kind, "expressions": expressions}));
            }
        }
        let plan = json!({
            "format_version": "1.2",
            "resource_changes": changes,
            "configuration": {"root_module": root},
        });
        plan.to_string().into_bytes()
    }

    /// Judges what is in it by a rule.
    pub(crate) fn judge(&self, rule: &Rule) -> Result<Evaluation, InputError> {
        let records: Vec<Record> = self.resources.iter().filter_map(Fixture::record).collect();
        let plan = self.plan();
        let of = |source| (rule.input == source).then_some(&*records);
        let input = Input {
            plan: (rule.input == Source::Plan).then_some(&*plan),
            configuration: of(Source::Configuration),
            pipeline: of(Source::Pipeline),
            inventory: of(Source::Inventory),
            application: of(Source::Application),
            ..Input::default()
        };
        let differences = if rule.input == Source::Parity { &*records } else { &[] };
        judge_with(&[rule], &input, differences)
    }

    /// Calls what judges with its resources and records, each a part of the input that it names.
    pub(crate) fn judge_by<T>(&self, judge: impl FnOnce(&Input<'_>) -> T) -> T {
        let has_plan = self.resources.iter().any(|fixture| fixture.kind.is_none());
        let plan = has_plan.then(|| self.plan());
        let of = |source| -> Option<Vec<Record>> {
            let fixtures = self.resources.iter().filter(|fixture| fixture.input == Some(source));
            let records: Vec<Record> = fixtures.filter_map(Fixture::record).collect();
            (!records.is_empty()).then_some(records)
        };
        let (configuration, pipeline) = (of(Source::Configuration), of(Source::Pipeline));
        let (inventory, application) = (of(Source::Inventory), of(Source::Application));
        judge(&Input {
            plan: plan.as_deref(),
            configuration: configuration.as_deref(),
            pipeline: pipeline.as_deref(),
            inventory: inventory.as_deref(),
            application: application.as_deref(),
            ..Input::default()
        })
    }

    /// Returns what is wrong, if the rule says something else of it.
    pub(crate) fn check(&self, rule: &Rule) -> Result<(), CaseFailure> {
        let evaluation = self.judge(rule).map_err(|error| CaseFailure {
            case: self.name.clone(),
            message: format!("its resources are no plan: {error}"),
        })?;
        self.compare(&evaluation, rule.forbid || rule.expect.is_some())
    }

    /// Returns what is wrong, if this is something else than it says; `may_be_idle` allows that the rule examined nothing.
    pub(crate) fn compare(
        &self,
        evaluation: &Evaluation,
        may_be_idle: bool,
    ) -> Result<(), CaseFailure> {
        let failure = |message: String| CaseFailure { case: self.name.clone(), message };
        let worst = evaluation.findings.iter().map(|finding| finding.verdict).max();
        let actual = worst.unwrap_or(Verdict::Pass);
        if actual != self.verdict {
            let found = evaluation.findings.iter().map(|finding| {
                let attribute = finding.attribute.as_deref().unwrap_or("the resource");
                format!(
                    "{}: {attribute} {}",
                    finding.address.as_deref().unwrap_or("all"),
                    finding.message
                )
            });
            let found: Vec<String> = found.collect();
            let found =
                if found.is_empty() { String::new() } else { format!(": {}", found.join("; ")) };
            return Err(failure(format!(
                "the verdict is {}, not {}{found}",
                word(actual),
                word(self.verdict)
            )));
        }
        let is_idle = evaluation.coverage.iter().all(|coverage| coverage.examined == 0);
        if actual == Verdict::Pass && is_idle && !may_be_idle {
            return Err(failure(
                "the rule is about none of its resources, so that it shows nothing".to_owned(),
            ));
        }
        if let Some(expected) = &self.attributes {
            let mut found: Vec<String> = evaluation
                .findings
                .iter()
                .filter_map(|finding| finding.attribute.clone())
                .collect();
            found.sort_unstable();
            found.dedup();
            let mut expected = expected.clone();
            expected.sort_unstable();
            if found != expected {
                let message =
                    format!("it finds `{}`, not `{}`", found.join("`, `"), expected.join("`, `"));
                return Err(failure(message));
            }
        }
        Ok(())
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Waived => "waived",
        Verdict::Unknown => "unknown",
        Verdict::Fail => "fail",
        Verdict::Error => "error",
    }
}

impl Change {
    fn read<'a>(reader: &mut Reader<'a>, table: &Table<'_, 'a>) -> Option<Self> {
        reader.allow(table, &["address", "attribute", "to", "remove", "known"]);
        reader.require(table, "address", "\"aws_lb.this\"");
        let is_removed = reader.boolean(table, "remove").unwrap_or_default();
        if !is_removed {
            reader.require(table, "attribute", "\"internal\"");
            reader.require(table, "to", "false");
        }
        let attribute: Option<AttributePath> = reader.parsed(table, "attribute");
        if let Some(path) = &attribute
            && !path.set(&mut json!({}), Value::Null)
        {
            reader.note(&table.span_of("attribute"), format!("`{path}` is no single place"));
        }
        let to = reader.value(table, "to");
        let is_known = reader.boolean(table, "known").unwrap_or_default();
        let address = reader.string(table, "address")?;
        let to = if is_removed { None } else { Some((attribute?, to?)) };
        Some(Self { address, to, is_known })
    }
}

impl Fixture {
    fn read<'a>(reader: &mut Reader<'a>, table: &Table<'_, 'a>, is_record: bool) -> Option<Self> {
        if is_record {
            reader.allow(table, &["address", "type", "input", "values", "unknown"]);
            reader.require(table, "address", "\"tf/production:module.network\"");
            reader.require(table, "type", "\"module\"");
        } else {
            const KEYS: &[&str] =
                &["address", "action", "values", "unknown", "sensitive", "references"];
            reader.allow(table, KEYS);
            reader.require(table, "address", "\"aws_s3_bucket.logs\"");
        }
        let action = reader.string(table, "action").unwrap_or_else(|| "create".to_owned());
        if !["no-op", "create", "update", "replace", "delete", "forget", "read"]
            .contains(&action.as_str())
        {
            reader.note(
                &table.span_of("action"),
                format!("there is no action `{}`", action.escape_debug()),
            );
        }
        let mut values = reader.value(table, "values").unwrap_or_else(|| json!({}));
        if !values.is_object() {
            reader.note(&table.span_of("values"), "`values` is a table of attributes");
        }
        let mut mask = |key: &str, is_removed: bool| {
            let mut mask = json!({});
            for path in reader.list::<AttributePath>(table, key) {
                if is_removed {
                    path.set(&mut values, Value::Null);
                }
                if !path.set(&mut mask, Value::Bool(true)) {
                    let message = format!("`{path}` is no single place");
                    reader.note(&table.span_of(key), message);
                }
            }
            mask
        };
        let (unknown, sensitive) = (mask("unknown", true), mask("sensitive", false));
        let references = match reader.table(table, "references") {
            Some(names) => {
                let keys: Vec<String> =
                    names.entries.keys().map(|key| key.get_ref().to_string()).collect();
                keys.into_iter().map(|key| (key.clone(), reader.list(&names, &key))).collect()
            }
            None => Vec::new(),
        };
        let address = reader.string(table, "address")?;
        let kind = reader.string(table, "type");
        let input = reader.parsed(table, "input");
        Some(Self { address, kind, input, action, values, unknown, sensitive, references })
    }

    fn record(&self) -> Option<Record> {
        Some(Record {
            kind: self.kind.clone()?,
            address: self.address.clone(),
            values: self.values.clone(),
            unknown: self.unknown.clone(),
            place: None,
        })
    }

    fn change(&self) -> Value {
        let address = Address::parse(&self.address);
        let is_gone = matches!(self.action.as_str(), "delete" | "forget");
        let actions = if self.action == "replace" {
            json!(["delete", "create"])
        } else {
            json!([self.action])
        };
        let (before, after) =
            if is_gone { (&self.values, &Value::Null) } else { (&Value::Null, &self.values) };
        json!({
            "address": self.address,
            "mode": if address.is_data { "data" } else { "managed" },
            "type": address.kind,
            "change": {
                "actions": actions,
                "before": before,
                "after": after,
                "after_unknown": self.unknown,
                "before_sensitive": if is_gone { &self.sensitive } else { &Value::Null },
                "after_sensitive": self.sensitive,
            },
        })
    }
}
