//! [`Policy`]: the rules, waivers and settings of a directory.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use menagerie_config::{ConfigErrors, Problem};

use crate::case::Cases;
use crate::rule::{Rule, RuleId};
use crate::severity::Severity;
use crate::table::{Reader, Table};
use crate::waiver::Waiver;

/// Rules with their tests, waivers and settings.
///
/// `policy.toml` holds the settings, `waivers.toml` and each file in a directory `waivers` holds waivers, `….test.toml` the
/// tests of a rule, and each other file that ends in `.toml` is a rule.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// The rules, by their ids.
    pub rules: Vec<Rule>,
    /// Where each rule was read.
    pub files: BTreeMap<RuleId, PathBuf>,
    /// The tests, by the ids of their rules.
    pub cases: BTreeMap<RuleId, Cases>,
    /// The waivers, in the order of their files.
    pub waivers: Vec<Waiver>,
    /// What holds for all of it.
    pub settings: Settings,
}

/// What holds for all rules and waivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// From which severity on a finding fails a run.
    pub threshold: Severity,
    /// For how many days a waiver may hold at most.
    pub max_waiver_days: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { threshold: Severity::Low, max_waiver_days: 90 }
    }
}

/// A file of a policy.
#[derive(Clone, Copy, Debug)]
pub struct PolicyFile<'a> {
    /// Its path, which also says what it holds.
    pub path: &'a Path,
    /// Its text.
    pub text: &'a str,
}

/// All that is wrong with the files of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyErrors(Vec<ConfigErrors>);

/// What a file holds, by its name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Settings,
    Waivers,
    Cases,
    Rule,
}

impl Policy {
    /// Parses the files of a policy; what ends in something else than `.toml` is passed over.
    pub fn parse(files: &[PolicyFile<'_>]) -> Result<Self, PolicyErrors> {
        let mut policy = Self::default();
        let mut errors = Vec::new();
        let of =
            |holds: Holds| files.iter().filter(move |file| Holds::of(file.path) == Some(holds));
        for file in of(Holds::Settings) {
            match Settings::parse(file.text, file.path) {
                Ok(settings) => policy.settings = settings,
                Err(error) => errors.push(error),
            }
        }
        for file in of(Holds::Rule) {
            match Rule::parse(file.text, file.path) {
                Ok(rule) => {
                    if let Some(other) = policy.files.get(&rule.about.id) {
                        let message =
                            format!("the id `{}` is taken by `{}`", rule.about.id, other.display());
                        errors.push(of_file(file.path, message, "each rule has an id of its own"));
                    } else {
                        policy.files.insert(rule.about.id.clone(), file.path.to_owned());
                        policy.rules.push(rule);
                    }
                }
                Err(error) => errors.push(error),
            }
        }
        // What judges by those has them read itself.
        let programs: Vec<&str> = files
            .iter()
            .filter(|file| file.path.extension().is_some_and(|extension| extension == "rego"))
            .filter_map(|file| file.path.file_stem()?.to_str())
            .collect();
        policy.rules.sort_by(|one, other| one.about.id.cmp(&other.about.id));
        for file in of(Holds::Cases) {
            match Cases::parse(file.text, file.path) {
                Ok(cases)
                    if policy.files.contains_key(&cases.rule)
                        || programs.contains(&cases.rule.as_str())
                        || !errors.is_empty() =>
                {
                    policy.cases.insert(cases.rule.clone(), cases);
                }
                Ok(cases) => {
                    let message = format!("there is no rule `{}` that this could test", cases.rule);
                    let hint = "the name of the file is `<id of the rule>.test.toml`";
                    errors.push(of_file(file.path, message, hint));
                }
                Err(error) => errors.push(error),
            }
        }
        for file in of(Holds::Waivers) {
            match Waiver::parse_all(file.text, file.path, policy.settings.max_waiver_days) {
                Ok(waivers) => policy.waivers.extend(waivers),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(policy) } else { Err(PolicyErrors(errors)) }
    }

    /// Returns the rule of an id.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.about.id.as_str() == id)
    }
}

impl Holds {
    fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let stem = name.strip_suffix(".toml")?;
        let is_in_waivers = path.parent().is_some_and(|parent| parent.ends_with("waivers"));
        Some(match stem {
            "policy" => Self::Settings,
            _ if stem.strip_suffix(".test").is_some() => Self::Cases,
            "waivers" => Self::Waivers,
            _ if is_in_waivers => Self::Waivers,
            _ => Self::Rule,
        })
    }
}

impl Settings {
    /// Parses the text of `policy.toml`.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigErrors> {
        let (mut reader, root) = Reader::parse(text);
        let table = Table::root(&root);
        reader.allow(&table, &["threshold", "max_waiver_days"]);
        let mut settings = Self::default();
        if let Some(threshold) = reader.parsed(&table, "threshold") {
            settings.threshold = threshold;
        }
        if let Some(value) = reader.value(&table, "max_waiver_days") {
            if let Some(days) = value.as_i64().filter(|days| (1..=3650).contains(days)) {
                settings.max_waiver_days = days;
            } else {
                let message = "`max_waiver_days` is a number of days from 1 to 3650";
                reader.note(&table.span_of("max_waiver_days"), message);
            }
        }
        reader.end(file)?;
        Ok(settings)
    }
}

fn of_file(file: &Path, message: String, hint: &str) -> ConfigErrors {
    ConfigErrors::new(file.to_owned(), vec![Problem::of_file(message, Some(hint.to_owned()))])
}

impl PolicyErrors {
    /// Returns what is wrong, file by file.
    pub fn files(&self) -> &[ConfigErrors] {
        &self.0
    }
}

impl fmt::Display for PolicyErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        formatter.write_str(&texts.join("\n\n"))
    }
}

impl std::error::Error for PolicyErrors {}
