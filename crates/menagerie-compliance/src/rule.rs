//! [`Rule`]: one sentence of a security team, as a file.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use menagerie_config::ConfigErrors;
use thiserror::Error;

use crate::assertion::{Assertion, Count, Operator, Position, held};
use crate::glob::Glob;
use crate::need::Need;
use crate::record::Source;
use crate::severity::Severity;
use crate::table::{Reader, Table};

/// A rule: which resources it is about, and what must hold of each.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What a person reads of it.
    pub about: About,
    /// What it is about.
    pub input: Source,
    /// What becomes of a value that is known after apply only.
    pub on_unknown: OnUnknown,
    /// How many resources it must be about, where that matters.
    pub expect: Option<Count>,
    /// Whether a resource that it is about is wrong by being there.
    pub forbid: bool,
    /// What must hold.
    pub assertions: Vec<Assertion>,
    pub(crate) subject: Subject,
}

/// What a person reads of a rule, however it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Its name, which is used once.
    pub id: RuleId,
    /// What it wants, in one line.
    pub title: String,
    /// How bad it is where it does not hold.
    pub severity: Severity,
    /// What of which standards it belongs to.
    pub frameworks: Vec<String>,
    /// Why it is there.
    pub rationale: String,
    /// What to do where it does not hold.
    pub remediation: String,
}

/// Which resources a rule is about.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) kinds: Vec<Glob>,
    pub(crate) except_kinds: Vec<Glob>,
    pub(crate) addresses: Vec<Glob>,
    pub(crate) modules: Vec<Glob>,
    pub(crate) mode: Mode,
    pub(crate) actions: Vec<Action>,
    pub(crate) tags: BTreeMap<String, Glob>,
    pub(crate) conditions: Vec<Assertion>,
}

/// Letters, digits, `-`, `_` and `.`, so that it can be the name of a file and of a page.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(String);

/// A text that is no id.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{}` is no id: it is of at most 64 letters, digits, `-`, `_` and `.`, and begins with a letter", .0.escape_debug())]
pub struct RuleIdError(String);

macro_rules! word {
    ($(#[$doc:meta])* $visibility:vis $name:ident, $kind:literal { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $visibility enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    other => Err(format!(
                        concat!("there is no ", $kind, " `{}`; there is {}"),
                        other.escape_debug(),
                        [$(concat!("`", $word, "`")),+].join(", "),
                    )),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(match self {
                    $(Self::$variant => $word,)+
                })
            }
        }
    };
}

word! {
    /// What becomes of a value that is known after apply only.
    pub OnUnknown, "way with the unknown" {
        /// It counts as a failure.
        Deny = "deny",
        /// It is told, and does not count.
        Warn = "warn",
        /// It is told as what the applied state will show.
        Defer = "defer",
    }
}

word! {
    /// Whether Terraform manages a resource or only reads it.
    pub(crate) Mode, "mode" {
        Managed = "managed",
        Data = "data",
    }
}

word! {
    /// What happens to a resource.
    pub(crate) Action, "action" {
        NoOp = "no-op",
        Create = "create",
        Update = "update",
        Replace = "replace",
        Delete = "delete",
        Forget = "forget",
        Read = "read",
    }
}

const KEYS: &[&str] = &[
    "id",
    "title",
    "severity",
    "frameworks",
    "rationale",
    "remediation",
    "input",
    "on_unknown",
    "expect",
    "forbid",
    "match",
    "assert",
];
const SUBJECT_KEYS: &[&str] =
    &["type", "except_type", "address", "module", "mode", "action", "tags", "where"];

/// Only a plan has modes, actions and tags.
const RECORD_KEYS: &[&str] = &["type", "except_type", "address", "module", "where"];

impl Rule {
    /// Parses the text of a file; `file` is what its errors call it.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigErrors> {
        let (mut reader, root) = Reader::parse(text);
        let table = Table::root(&root);
        reader.allow(&table, KEYS);
        for (key, example) in [
            ("id", "\"S3-001\""),
            ("title", "\"Buckets are encrypted\""),
            ("severity", "\"high\""),
            ("rationale", "\"why it is there\""),
            ("remediation", "\"what to do\""),
            ("match", "{ type = \"aws_s3_bucket\" }"),
        ] {
            reader.require(&table, key, example);
        }
        let id = reader.parsed(&table, "id");
        let title = reader.string(&table, "title");
        let severity = reader.parsed(&table, "severity");
        let rationale = reader.string(&table, "rationale");
        let remediation = reader.string(&table, "remediation");
        let input = reader.parsed(&table, "input").unwrap_or_default();
        let subject = reader.table(&table, "match");
        let subject = subject.map(|table| Subject::read(&mut reader, &table, input));
        let assertions = Assertion::read_all(&mut reader, &table, "assert", Position::Top);
        let forbid = reader.boolean(&table, "forbid").unwrap_or_default();
        let frameworks = reader.list(&table, "frameworks");
        let on_unknown = reader.parsed(&table, "on_unknown").unwrap_or(OnUnknown::Defer);
        let expect = reader.parsed(&table, "expect");
        if reader.is_right() {
            if input != Source::Plan {
                let asks_for_references = |assertion: &Assertion| {
                    assertion
                        .operators
                        .iter()
                        .any(|operator| matches!(operator, Operator::ReferencedBy(_)))
                };
                if assertions.iter().any(asks_for_references) {
                    let message = format!("`referenced_by` is of a plan, not of the {input}");
                    reader.note(&table.span_of("assert"), message);
                }
            }
            if assertions.is_empty() && !forbid && expect.is_none() {
                let hint = "`[[assert]]`, `forbid = true` or `expect = \">=1\"`";
                reader.note_with_hint(
                    &table.span(),
                    "this rule asks nothing of what it is about",
                    hint,
                );
            }
            if forbid && !assertions.is_empty() {
                let message = "`forbid` refuses each resource: nothing is left to assert";
                reader.note(&table.span_of("forbid"), message);
            }
        }
        reader.end(file)?;
        let complete = (id, title, severity, rationale, remediation, subject);
        let (
            Some(id),
            Some(title),
            Some(severity),
            Some(rationale),
            Some(remediation),
            Some(subject),
        ) = complete
        else {
            unreachable!("what is missing or wrong was noted")
        };
        Ok(Self {
            about: About { id, title, severity, frameworks, rationale, remediation },
            input,
            on_unknown,
            expect,
            forbid,
            assertions,
            subject,
        })
    }

    /// Needs what it reads of a resource.
    pub(crate) fn add_needs(&self, need: &mut Need) {
        for assertion in self.assertions.iter().chain(&self.subject.conditions) {
            assertion.add_needs(need);
        }
        for tag in self.subject.tags.keys() {
            need.key("tags").key(tag).all();
            need.key("tags_all").key(tag).all();
        }
    }

    /// Returns what it is about, in words.
    pub fn subject(&self) -> String {
        if self.input == Source::Plan {
            return self.subject.to_string();
        }
        format!("of the {}: {}", self.input, self.subject)
    }
}

impl Subject {
    fn read<'a>(reader: &mut Reader<'a>, table: &Table<'_, 'a>, input: Source) -> Self {
        reader.allow(table, if input == Source::Plan { SUBJECT_KEYS } else { RECORD_KEYS });
        reader.require(table, "type", "\"aws_s3_bucket\"");
        let globs = |reader: &mut Reader<'a>, key: &str| -> Vec<Glob> {
            reader.list::<String>(table, key).into_iter().map(Glob::new).collect()
        };
        Self {
            kinds: globs(reader, "type"),
            except_kinds: globs(reader, "except_type"),
            addresses: globs(reader, "address"),
            modules: globs(reader, "module"),
            mode: reader.parsed(table, "mode").unwrap_or(Mode::Managed),
            actions: reader.list(table, "action"),
            tags: reader
                .strings(table, "tags")
                .into_iter()
                .map(|(key, glob)| (key, Glob::new(glob)))
                .collect(),
            conditions: Assertion::read_all(reader, table, "where", Position::Inner),
        }
    }

    /// Returns whether it is about resources of this type at all.
    pub(crate) fn is_about(&self, kind: &str) -> bool {
        self.kinds.iter().any(|glob| glob.matches(kind))
            && !self.except_kinds.iter().any(|glob| glob.matches(kind))
    }

    /// Returns whether it is about what happens: where nothing else is said, all that will be there.
    pub(crate) fn is_about_action(&self, action: Action) -> bool {
        if self.actions.is_empty() {
            return !matches!(action, Action::Delete | Action::Forget);
        }
        self.actions.contains(&action)
    }

    /// Returns whether it is about resources of this address.
    pub(crate) fn is_about_address(&self, address: &str, module: &str) -> bool {
        let allows = |globs: &[Glob], text: &str| {
            globs.is_empty() || globs.iter().any(|glob| glob.matches(text))
        };
        allows(&self.addresses, address) && allows(&self.modules, module)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |globs: &[Glob]| {
            globs.iter().map(|glob| format!("`{glob}`")).collect::<Vec<_>>().join(", ")
        };
        if self.mode == Mode::Data {
            formatter.write_str("data sources ")?;
        }
        formatter.write_str(&list(&self.kinds))?;
        if !self.except_kinds.is_empty() {
            write!(formatter, " but not {}", list(&self.except_kinds))?;
        }
        if !self.addresses.is_empty() {
            write!(formatter, " at {}", list(&self.addresses))?;
        }
        if !self.modules.is_empty() {
            write!(formatter, " in {}", list(&self.modules))?;
        }
        if !self.actions.is_empty() {
            let actions: Vec<String> = self.actions.iter().map(ToString::to_string).collect();
            write!(formatter, " that Terraform would {}", actions.join(" or "))?;
        }
        for (key, glob) in &self.tags {
            write!(formatter, ", whose tag `{key}` is `{glob}`")?;
        }
        for condition in &self.conditions {
            write!(formatter, ", where {}", held(std::slice::from_ref(condition)))?;
        }
        Ok(())
    }
}

impl RuleId {
    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RuleId {
    type Err = RuleIdError;

    fn from_str(text: &str) -> Result<Self, RuleIdError> {
        let is_right = text.len() <= 64
            && text.starts_with(|first: char| first.is_ascii_alphabetic())
            && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter));
        if is_right { Ok(Self(text.to_owned())) } else { Err(RuleIdError(text.to_owned())) }
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}
