//! `# METADATA`: what OPA's annotations say of a package or of a rule.

use menagerie_compliance::{OnUnknown, Severity};
use serde::Deserialize;

/// What stands in a block of comments below `# METADATA`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Metadata {
    pub(crate) id: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) severity: Option<Severity>,
    pub(crate) frameworks: Vec<String>,
    pub(crate) rationale: Option<String>,
    pub(crate) remediation: Option<String>,
    pub(crate) related: Vec<String>,
    pub(crate) on_unknown: Option<OnUnknown>,
}

/// A block, and what it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) metadata: Metadata,
    pub(crate) scope: Scope,
    /// The line of `# METADATA`.
    pub(crate) line: usize,
    /// The first line after it that holds something.
    pub(crate) before: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The rule that follows, and all of its name where it says `document`.
    Rule,
    Package,
}

/// What is wrong with a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) line: usize,
    pub(crate) message: String,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Written {
    scope: Option<String>,
    title: Option<String>,
    description: Option<String>,
    related_resources: Vec<Related>,
    custom: Custom,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Related {
    Address(String),
    Described { r#ref: String },
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Custom {
    id: Option<String>,
    severity: Option<String>,
    frameworks: Option<OneOrMany>,
    rationale: Option<String>,
    #[serde(alias = "recommended_action", alias = "recommended_actions")]
    remediation: Option<String>,
    on_unknown: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// Reads all blocks of a file.
pub(crate) fn blocks(text: &str) -> (Vec<Block>, Vec<Wrong>) {
    let lines: Vec<&str> = text.lines().collect();
    let (mut blocks, mut wrong) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < lines.len() {
        at += 1;
        if !is_start(lines[at - 1]) {
            continue;
        }
        let line = at;
        let mut yaml = String::new();
        while let Some(comment) = lines.get(at).and_then(|line| line.strip_prefix('#')) {
            yaml.push_str(comment.strip_prefix(' ').unwrap_or(comment));
            yaml.push('\n');
            at += 1;
        }
        let is_empty = |line: &&&str| line.trim().is_empty() || line.trim_start().starts_with('#');
        let gap = lines[at..].iter().take_while(is_empty).count();
        let before = at + gap + 1;
        let is_package =
            lines.get(before - 1).is_some_and(|line| line.trim_start().starts_with("package"));
        match read(&yaml, is_package) {
            Ok((metadata, scope)) => blocks.push(Block { metadata, scope, line, before }),
            Err((below, message)) => wrong.push(Wrong { line: line + below, message }),
        }
    }
    (blocks, wrong)
}

fn is_start(line: &str) -> bool {
    line.strip_prefix('#').is_some_and(|comment| comment.trim() == "METADATA")
}

fn read(yaml: &str, is_package: bool) -> Result<(Metadata, Scope), (usize, String)> {
    let written: Written = if yaml.trim().is_empty() {
        Written::default()
    } else {
        serde_saphyr::from_str(yaml).map_err(|error| {
            let (line, _, reason) = crate::error::of_yaml(&error);
            (line, format!("what `# METADATA` says is not as OPA wants it: {reason}"))
        })?
    };
    let line_of =
        |key: &str| yaml.lines().position(|line| line.contains(key)).map_or(0, |at| at + 1);
    let scope = match written.scope.as_deref() {
        Some("package" | "subpackages") => Scope::Package,
        None if is_package => Scope::Package,
        Some("rule" | "document") | None => Scope::Rule,
        Some(other) => {
            let message = format!(
                "there is no scope `{}`; there is `rule`, `document`, `package`, `subpackages`",
                other.escape_debug()
            );
            return Err((line_of("scope"), message));
        }
    };
    let custom = written.custom;
    let severity = custom
        .severity
        .map(|word| word.to_ascii_lowercase().parse())
        .transpose()
        .map_err(|error| (line_of("severity"), format!("{error}")))?;
    let on_unknown = custom
        .on_unknown
        .map(|word| word.parse())
        .transpose()
        .map_err(|error| (line_of("on_unknown"), error))?;
    let related = written.related_resources.into_iter().map(|related| match related {
        Related::Address(address) | Related::Described { r#ref: address } => address,
    });
    let metadata = Metadata {
        id: custom.id,
        title: written.title,
        description: written.description,
        severity,
        frameworks: match custom.frameworks {
            None => Vec::new(),
            Some(OneOrMany::One(framework)) => vec![framework],
            Some(OneOrMany::Many(frameworks)) => frameworks,
        },
        rationale: custom.rationale,
        remediation: custom.remediation,
        related: related.collect(),
        on_unknown,
    };
    Ok((metadata, scope))
}

impl Metadata {
    /// Takes from `other` what it does not say itself.
    pub(crate) fn or(self, other: &Self) -> Self {
        let either = |own: Option<String>, other: &Option<String>| own.or_else(|| other.clone());
        let list = |own: Vec<String>, other: &Vec<String>| {
            if own.is_empty() { other.clone() } else { own }
        };
        Self {
            id: either(self.id, &other.id),
            title: either(self.title, &other.title),
            description: either(self.description, &other.description),
            severity: self.severity.or(other.severity),
            frameworks: list(self.frameworks, &other.frameworks),
            rationale: either(self.rationale, &other.rationale),
            remediation: either(self.remediation, &other.remediation),
            related: list(self.related, &other.related),
            on_unknown: self.on_unknown.or(other.on_unknown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_package_and_of_a_rule() {
        let text = "# METADATA\n# title: All\n# custom:\n#   id: A-1\n#   severity: HIGH\n#   frameworks: CIS 1\npackage a\n\n\
            # METADATA\n# description: |\n#   One\n#   two.\n# related_resources:\n# - https://a.example\n# - ref: https://b.example\n\n# more\ndeny contains 1 if true\n";
        let (blocks, wrong) = blocks(text);
        assert_eq!(wrong, []);
        let [package, rule] = &blocks[..] else { panic!("{blocks:?}") };
        assert_eq!(
            (package.scope, package.before, rule.scope, rule.before),
            (Scope::Package, 7, Scope::Rule, 18)
        );
        let metadata = rule.metadata.clone().or(&package.metadata);
        assert_eq!(metadata.id.as_deref(), Some("A-1"));
        assert_eq!(metadata.severity, Some(Severity::High));
        assert_eq!(metadata.description.as_deref(), Some("One\ntwo.\n"));
        assert_eq!(metadata.related, ["https://a.example", "https://b.example"]);
        assert_eq!(metadata.frameworks, ["CIS 1"]);
    }

    #[track_caller]
    fn check(yaml: &str, line: usize, message: &str) {
        let comments: Vec<String> = yaml.lines().map(|line| format!("# {line}")).collect();
        let (_, wrong) = blocks(&format!("# METADATA\n{}\npackage a\n", comments.join("\n")));
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        assert!(wrong[0].message.contains(message) && wrong[0].line == line, "{wrong:?}");
    }

    #[test]
    fn what_is_wrong_has_its_line() {
        check("title: a\ncustom:\n  severity: urgent", 4, "there is no severity `urgent`");
        check("scope: world", 2, "there is no scope `world`");
        check("title: [", 2, "not as OPA wants it: expected string");
        check("custom:\n  on_unknown: pass", 3, "no way with the unknown `pass`");
    }
}
