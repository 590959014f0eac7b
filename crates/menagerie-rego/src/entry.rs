//! [`Group`]: what is one rule to a person: the rules of a package that say `deny`, `warn` and the like under one id.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use menagerie_compliance::{About, OnUnknown, RuleId, Severity};
use menagerie_config::Problem;
use regorus::unstable::Rule;

use crate::error::Notes;
use crate::graph::Graph;
use crate::metadata::{self, Metadata, Scope};
use crate::policy::Options;
use crate::rewrite::Rewrite;
use crate::source::Module;
use crate::walk;

/// A rule as a person knows it.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) about: About,
    pub(crate) on_unknown: OnUnknown,
    pub(crate) file: PathBuf,
    pub(crate) entries: Vec<Entry>,
}

/// A rule that is asked for its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) package: Vec<String>,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) severity: Severity,
}

/// What the elements of a rule's value are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Failures.
    Deny,
    /// What is told and does not count.
    Warn,
    /// What can't be told yet.
    Unknown,
}

impl Kind {
    /// Returns what a rule of this name is, as conftest has it: `deny`, `violation`, `warn`, or one of them with `_…`.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let is_plain = |part: &str| {
            !part.is_empty() && part.chars().all(|letter| letter.is_ascii_alphanumeric())
        };
        let (first, rest) =
            name.split_once('_').map_or((name, None), |(first, rest)| (first, Some(rest)));
        if !rest.is_none_or(|rest| rest.split('_').all(is_plain)) {
            return None;
        }
        match first {
            "deny" | "violation" => Some(Self::Deny),
            "warn" => Some(Self::Warn),
            "unknown" => Some(Self::Unknown),
            _ => None,
        }
    }
}

impl Entry {
    /// Returns the name by which `exception` speaks of it, which is how conftest cuts it.
    pub(crate) fn short_name(&self) -> &str {
        let prefixes = ["violation_", "deny_", "warn_"];
        let name = as_written(&self.name);
        prefixes.iter().fold(name, |name, prefix| name.strip_prefix(prefix).unwrap_or(name))
    }

    /// Returns its name as it is written.
    pub(crate) fn written_name(&self) -> &str {
        as_written(&self.name)
    }

    /// Returns the path of its value, as a query.
    pub(crate) fn query(&self) -> String {
        query(&self.package, &self.name)
    }

    /// Returns its path.
    pub(crate) fn path(&self) -> Vec<String> {
        self.package.iter().cloned().chain([self.name.clone()]).collect()
    }
}

/// Returns a query for the value of a rule.
pub(crate) fn query(package: &[String], name: &str) -> String {
    let parts = package.iter().map(String::as_str).chain([name]);
    parts.fold("data".to_owned(), |query, part| {
        query + &format!("[{}]", serde_json::Value::from(part))
    })
}

/// What is put behind the name of a rule that has an id of its own among others of its name.
const CLAUSE: &str = "__clause_";

/// Returns the name as it is written.
fn as_written(name: &str) -> &str {
    match name.split_once(CLAUSE) {
        Some((name, number)) if number.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => name,
    }
}

/// Gives rules of one name that have several ids several names, so that each is asked for its own value.
///
/// Policies for conftest are often written so: a dozen `deny` in one package, each below its `# METADATA`. Where another rule
/// asks for the value of all of them, they stay together.
pub(crate) fn split(modules: &mut [Module], graph: &Graph, notes: &mut Notes) {
    let mut ids: BTreeMap<(Vec<String>, String), BTreeSet<String>> = BTreeMap::new();
    for module in &*modules {
        for (_, name, id) in clauses(module) {
            ids.entry((module.package.clone(), name)).or_default().insert(id);
        }
    }
    ids.retain(|(package, name), ids| {
        let path: Vec<String> = package.iter().chain([name]).cloned().collect();
        ids.len() > 1 && !graph.nodes.values().any(|node| node.rules.contains(&path))
    });
    // The same id has the same number in all of a package: `unknown` goes with its `deny`.
    let mut numbers: BTreeMap<Vec<String>, BTreeSet<String>> = BTreeMap::new();
    for ((package, _), ids) in &ids {
        numbers.entry(package.clone()).or_default().extend(ids.iter().cloned());
    }
    for module in modules {
        let mut rewrite = Rewrite::default();
        for (end, name, id) in clauses(module) {
            if ids.contains_key(&(module.package.clone(), name)) {
                let number = numbers[&module.package].iter().position(|known| *known == id);
                rewrite.insert(end, format!("{CLAUSE}{}", number.unwrap_or_default()));
            }
        }
        if let Err(problem) = module.rewrite(rewrite) {
            notes.note(&module.path.clone(), problem);
        }
    }
}

/// Returns rules that are asked for their values and have ids of their own: where the name ends, the name, and the id.
fn clauses(module: &Module) -> Vec<(usize, String, String)> {
    let (blocks, _) = metadata::blocks(&module.original);
    let rules = module.ast.policy.iter();
    let clauses = rules.filter_map(|rule| {
        let name = entry_name(rule)?;
        let line = rule.span().line as usize;
        let own = blocks.iter().find(|block| block.scope == Scope::Rule && block.before == line)?;
        let end = walk::first_name_end(walk::head(rule))?;
        Some((end, name, own.metadata.id.clone()?))
    });
    clauses.collect()
}

/// What a package says of a rule of one name.
#[derive(Default)]
struct Found {
    file: PathBuf,
    metadata: Metadata,
}

/// Finds the groups of all modules.
pub(crate) fn groups(modules: &[Module], options: &Options, notes: &mut Notes) -> Vec<Group> {
    let mut packages: BTreeMap<&[String], (Metadata, BTreeMap<String, Found>)> = BTreeMap::new();
    for module in modules {
        let (blocks, wrong) = metadata::blocks(&module.original);
        for wrong in wrong {
            notes.note(&module.path, module.problem(wrong.line, 1, &wrong.message, None));
        }
        let (package, _) = packages.entry(&module.package).or_default();
        for block in blocks.iter().filter(|block| block.scope == Scope::Package) {
            *package = std::mem::take(package).or(&block.metadata);
        }
    }
    for module in modules {
        let (blocks, _) = metadata::blocks(&module.original);
        for rule in &module.ast.policy {
            let Some(name) = entry_name(rule) else { continue };
            let line = rule.span().line as usize;
            let own =
                blocks.iter().find(|block| block.scope == Scope::Rule && block.before == line);
            let (_, rules) = packages.entry(&module.package).or_default();
            let found = rules.entry(name.clone()).or_insert_with(|| Found {
                file: module.path.clone(),
                metadata: Metadata::default(),
            });
            let Some(own) = own else { continue };
            let is_other = own.metadata.id.is_some()
                && found.metadata.id.is_some()
                && own.metadata.id != found.metadata.id;
            if is_other {
                let message = format!(
                    "`{name}`, which another rule asks for, has another id already: `{}`",
                    found.metadata.id.as_deref().unwrap_or_default()
                );
                let hint = format!("give each its name, such as `{name}_open` and `{name}_old`");
                notes.note(&module.path, module.problem(own.line, 1, &message, Some(&hint)));
            }
            found.metadata = std::mem::take(&mut found.metadata).or(&own.metadata);
        }
    }
    let mut groups: Vec<Group> = Vec::new();
    for (package, (of_package, rules)) in &packages {
        if options.namespaces.as_ref().is_some_and(|wanted| !wanted.contains(&package.join("."))) {
            continue;
        }
        for (name, found) in rules {
            let kind = Kind::of(as_written(name)).expect("only such names were found");
            add(&mut groups, package, name, kind, found, of_package, rules, notes);
        }
    }
    groups.sort_by(|one, other| one.about.id.cmp(&other.about.id));
    groups
}

#[expect(clippy::too_many_arguments, reason = "the parts of one loop")]
fn add(
    groups: &mut Vec<Group>,
    package: &[String],
    name: &str,
    kind: Kind,
    found: &Found,
    of_package: &Metadata,
    rules: &BTreeMap<String, Found>,
    notes: &mut Notes,
) {
    // `unknown_x` speaks for `deny_x`, and `unknown` for `deny`.
    let suffix = name.split_once('_').map_or(String::new(), |(_, rest)| format!("_{rest}"));
    let spoken_for = (kind == Kind::Unknown)
        .then(|| ["deny", "violation", "warn"].map(|first| format!("{first}{suffix}")))
        .and_then(|names| names.iter().find_map(|name| rules.get_key_value(name)));
    let (named, metadata) = match spoken_for {
        Some((other, of_other)) => (other.as_str(), found.metadata.clone().or(&of_other.metadata)),
        // Any other `unknown` is a name like all others.
        None if kind == Kind::Unknown && found.metadata.id.is_none() => return,
        None => (name, found.metadata.clone()),
    };
    let metadata = metadata.or(of_package);
    let written = metadata.id.clone();
    let id: RuleId = match written.as_deref().map(str::parse) {
        Some(Ok(id)) => id,
        Some(Err(error)) => {
            let problem =
                Problem::of_file(format!("{error}"), Some("`id` stands below `custom`".to_owned()));
            return notes.note(&found.file, problem);
        }
        None => fitted(package, named),
    };
    let severity = metadata.severity.unwrap_or(match kind {
        Kind::Warn => Severity::Info,
        Kind::Deny | Kind::Unknown => Severity::Medium,
    });
    let entry = Entry { package: package.to_vec(), name: name.to_owned(), kind, severity };
    if let Some(group) = groups.iter_mut().find(|group| group.about.id == id) {
        if group.entries[0].package == package {
            group.about.severity = group.about.severity.max(severity);
            group.entries.push(entry);
        } else {
            let message = format!("the id `{id}` is taken by `{}`", group.file.display());
            let hint = "each rule has an id of its own".to_owned();
            notes.note(&found.file, Problem::of_file(message, Some(hint)));
        }
        return;
    }
    let first_line = |text: &String| text.lines().next().unwrap_or_default().to_owned();
    let title = metadata.title.clone().or_else(|| metadata.description.as_ref().map(first_line));
    let mut rationale = metadata.rationale.or(metadata.description).unwrap_or_default();
    for related in &metadata.related {
        rationale = format!("{}\n\nSee <{related}>.", rationale.trim_end());
    }
    groups.push(Group {
        about: About {
            title: title.unwrap_or_else(|| format!("{}.{}", package.join("."), as_written(named))),
            id,
            severity,
            frameworks: metadata.frameworks,
            rationale: rationale.trim().to_owned(),
            remediation: metadata.remediation.unwrap_or_default().trim().to_owned(),
        },
        on_unknown: metadata.on_unknown.unwrap_or(OnUnknown::Defer),
        file: found.file.clone(),
        entries: vec![entry],
    });
}

/// Returns the name of a rule that is asked for its value.
fn entry_name(rule: &Rule) -> Option<String> {
    let (path, _) = walk::fixed_path(walk::head(rule));
    let is_asked = |name: &String| Kind::of(as_written(name)).is_some();
    path.into_iter().next().filter(|name| is_asked(name) && !walk::is_function(rule))
}

/// Returns `PACKAGE.RULE` as an id: other letters become `_`, and what is too long ends in a hash.
fn fitted(package: &[String], name: &str) -> RuleId {
    const LONGEST: usize = 64;
    let whole = package.iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join(".");
    let is_fit = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let mut fit: String =
        whole.chars().map(|letter| if is_fit(letter) { letter } else { '_' }).collect();
    if !fit.starts_with(|first: char| first.is_ascii_alphabetic()) {
        fit.insert(0, 'p');
    }
    if fit.len() > LONGEST || fit != whole {
        // FNV-1a: the same on every machine and in every version.
        let hash = whole.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        fit.truncate(LONGEST - 9);
        fit = format!("{fit}-{:08x}", hash >> 32);
    }
    fit.parse().expect("it was made to fit")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, expected) in [
            ("deny", Some(Kind::Deny)),
            ("violation_a1_b", Some(Kind::Deny)),
            ("warn_x", Some(Kind::Warn)),
            ("unknown", Some(Kind::Unknown)),
            ("deny_", None),
            ("denyall", None),
            ("allow", None),
        ] {
            assert_eq!(Kind::of(name), expected, "{name}");
        }
    }

    #[test]
    fn ids_without_metadata() {
        let of = |package: &[&str], name| {
            fitted(&package.iter().map(ToString::to_string).collect::<Vec<_>>(), name).to_string()
        };
        assert_eq!(of(&["main"], "deny"), "main.deny");
        assert!(of(&["a b"], "deny").starts_with("a_b.deny-"));
        assert_ne!(of(&["a b"], "deny"), of(&["a_b"], "deny"));
        assert_eq!(of(&["x"; 60], "deny").len(), 64);
    }
}
