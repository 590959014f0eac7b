//! Every key that there is: what is not here is an unknown key, and what is here stands in
//! `docs/configuration.md`.

/// A key of a file, by its path from the root.
pub(crate) struct Key {
    pub(crate) path: &'static str,
    pub(crate) kind: Kind,
}

/// What a key holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// More keys of this list.
    Table,
    /// A value of the type that is named so.
    Value(&'static str),
    /// A table of strings, with keys of the writer's choice.
    Map,
    /// An array of tables, each with more keys of this list.
    Tables,
}

pub(crate) const STRING: Kind = Kind::Value("string");
pub(crate) const INTEGER: Kind = Kind::Value("integer");
pub(crate) const BOOLEAN: Kind = Kind::Value("boolean");
const WORDS: Kind = Kind::Value("array of strings");
const TIME: Kind = Kind::Value("date-time");

/// The keys of `menagerie.toml`.
pub(crate) const PROJECT: &[Key] = &[
    Key { path: "application", kind: Kind::Table },
    Key { path: "application.build", kind: WORDS },
    Key { path: "application.run", kind: WORDS },
    Key { path: "application.health_check_path", kind: STRING },
    Key { path: "application.environment", kind: Kind::Map },
    Key { path: "environment", kind: Kind::Table },
    Key { path: "environment.hosting", kind: STRING },
    Key { path: "environment.size", kind: STRING },
    Key { path: "environment.ttl", kind: STRING },
    Key { path: "environment.max_ttl", kind: STRING },
    Key { path: "database", kind: Kind::Table },
    Key { path: "database.engine", kind: STRING },
    Key { path: "aws", kind: Kind::Table },
    Key { path: "aws.region", kind: STRING },
    Key { path: "backend", kind: Kind::Table },
    Key { path: "backend.s3", kind: Kind::Table },
    Key { path: "backend.s3.bucket", kind: STRING },
    Key { path: "backend.s3.region", kind: STRING },
    Key { path: "backend.s3.kms_key_id", kind: STRING },
    Key { path: "ingress", kind: Kind::Table },
    Key { path: "ingress.cidrs", kind: WORDS },
    Key { path: "ingress.public", kind: BOOLEAN },
    Key { path: "ingress.domain", kind: Kind::Table },
    Key { path: "ingress.domain.name", kind: STRING },
    Key { path: "ingress.domain.zone_id", kind: STRING },
    Key { path: "ingress.domain.certificate_arn", kind: STRING },
    Key { path: "observability", kind: Kind::Table },
    Key { path: "observability.backend", kind: STRING },
    Key { path: "observability.collector_image", kind: STRING },
    Key { path: "observability.endpoint", kind: STRING },
    Key { path: "observability.secret", kind: STRING },
    Key { path: "test", kind: Kind::Table },
    Key { path: "test.command", kind: WORDS },
    Key { path: "test.timeout", kind: STRING },
    Key { path: "test.request", kind: Kind::Tables },
    Key { path: "test.request.name", kind: STRING },
    Key { path: "test.request.method", kind: STRING },
    Key { path: "test.request.path", kind: STRING },
    Key { path: "test.request.headers", kind: Kind::Map },
    Key { path: "test.request.body", kind: STRING },
    Key { path: "test.request.status", kind: INTEGER },
    Key { path: "test.request.contains", kind: STRING },
    Key { path: "test.request.timeout", kind: STRING },
];

/// The keys of `env.toml`.
pub(crate) const ENVIRONMENT: &[Key] = &[
    Key { path: "name", kind: STRING },
    Key { path: "owner", kind: STRING },
    Key { path: "created", kind: TIME },
    Key { path: "expires", kind: TIME },
    Key { path: "hosting", kind: STRING },
    Key { path: "size", kind: STRING },
    Key { path: "settings", kind: Kind::Table },
    Key { path: "settings.desired_count", kind: INTEGER },
    Key { path: "settings.port", kind: INTEGER },
    Key { path: "settings.health_check_path", kind: STRING },
    Key { path: "settings.log_retention_days", kind: INTEGER },
    Key { path: "settings.database_engine", kind: STRING },
    Key { path: "settings.observability", kind: STRING },
    Key { path: "settings.environment", kind: Kind::Map },
    Key { path: "template", kind: Kind::Table },
    Key { path: "template.version", kind: INTEGER },
    Key { path: "template.checksums", kind: Kind::Map },
    Key { path: "template.overrides", kind: Kind::Map },
];

/// Returns the table of a path, empty for the root, and the last key of it.
pub(crate) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('.').unwrap_or(("", path))
}

/// Returns the key that is called `name` in the table at the path `parent`.
pub(crate) fn find(keys: &'static [Key], parent: &str, name: &str) -> Option<&'static Key> {
    // `"application.run"` in quotes is one name, which no table has.
    if name.contains('.') {
        return None;
    }
    let length = if parent.is_empty() { name.len() } else { parent.len() + 1 + name.len() };
    keys.iter().find(|key| {
        key.path.len() == length && key.path.starts_with(parent) && key.path.ends_with(name)
    })
}

/// Returns the settings of `env.toml` with what they hold, by their names in `--set NAME=VALUE`.
pub(crate) fn settings() -> impl Iterator<Item = (&'static str, Kind)> {
    ENVIRONMENT.iter().filter_map(|key| Some((key.path.strip_prefix("settings.")?, key.kind)))
}

/// Returns the one of `known` that `word` was most likely meant to be.
pub(crate) fn nearest(
    word: &str,
    known: impl IntoIterator<Item = &'static str>,
) -> Option<&'static str> {
    // A key that nobody could have meant is not worth the quadratic time.
    const LONGEST: usize = 64;
    if word.len() > LONGEST {
        return None;
    }
    let word = word.to_lowercase().replace('-', "_");
    let allowed = (word.len() / 3).max(1);
    let near = known.into_iter().map(|key| (strsim::osa_distance(&word, key), key));
    near.filter(|(distance, _)| *distance <= allowed).min().map(|(_, key)| key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(word: &str, expected: Option<&str>) {
        assert_eq!(nearest(word, ["port", "desired_count", "environment"]), expected);
    }

    #[test]
    fn near_words() {
        check("prot", Some("port"));
        check("desired-count", Some("desired_count"));
        check("Desired_Counts", Some("desired_count"));
        check("enviroment", Some("environment"));
        check("size", None);
        check("", None);
        check(&"port".repeat(1_000), None);
    }
}

#[cfg(test)]
mod page {
    //! `docs/configuration.md` and the code say the same.

    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::{Environment, Project, TestRequest, Tests};

    /// Returns what the page says of a file.
    fn section(file: &str) -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
        let page = fs::read_to_string(path).unwrap();
        let start =
            page.find(&format!("\n## `{file}`\n")).expect("the page has a section for each file")
                + 1;
        let rest = &page[start..];
        rest[..rest[1..].find("\n## ").map_or(rest.len(), |end| end + 1)].to_owned()
    }

    /// Returns the keys of a section with what stands behind `- Type: ` and `- Default: `.
    fn entries(section: &str) -> Vec<(String, String, String)> {
        let entry = |text: &str| {
            let field = |name: &str| {
                text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned()
            };
            let (path, _) = text.split_once('`').expect("the heading is a key in backticks");
            (path.to_owned(), field("- Type: "), field("- Default: "))
        };
        section.split("\n### `").skip(1).map(entry).collect()
    }

    fn example(section: &str) -> &str {
        let (_, rest) = section.split_once("```toml\n").expect("a section starts with an example");
        rest.split_once("```").expect("which ends").0
    }

    #[track_caller]
    fn check(file: &str, keys: &[Key]) {
        let documented: Vec<_> =
            entries(&section(file)).into_iter().map(|(path, kind, _)| (path, kind)).collect();
        let known = keys.iter().filter_map(|key| match key.kind {
            Kind::Table | Kind::Tables => None,
            Kind::Value(kind) => Some((key.path.to_owned(), kind.to_owned())),
            Kind::Map => Some((key.path.to_owned(), "table of strings".to_owned())),
        });
        assert_eq!(documented, known.collect::<Vec<_>>());
    }

    #[test]
    fn every_key_stands_there_and_no_other() {
        check("menagerie.toml", PROJECT);
        check("env.toml", ENVIRONMENT);
    }

    #[test]
    fn defaults_are_those_of_the_code() {
        let defaults =
            entries(&section("menagerie.toml")).into_iter().filter_map(|(path, _, default)| {
                let value = default.strip_prefix('`')?.strip_suffix('`')?;
                Some(format!("{path} = {value}\n"))
            });
        let (requests, text): (Vec<String>, Vec<String>) =
            defaults.partition(|line| line.starts_with("test.request."));
        let text = text.concat();
        assert_eq!(text.lines().count(), 8, "{text}");
        let project = Project::parse(&text, Path::new("page")).unwrap();
        let tests = Tests { timeout: Some(Tests::TIMEOUT), ..Tests::default() };
        assert_eq!(project, Project { tests, ..Project::default() });
        let start = "[[test.request]]\npath = '/'\n";
        let text = start.to_owned() + &requests.concat().replace("test.request.", "");
        assert_eq!(text.lines().count(), 5, "method, headers and timeout: {text}");
        let with = Project::parse(&text, Path::new("page")).unwrap().tests.requests.remove(0);
        let without = Project::parse(start, Path::new("page")).unwrap().tests.requests.remove(0);
        assert_eq!(with, TestRequest { timeout: Some(TestRequest::TIMEOUT), ..without });
    }

    #[test]
    fn examples_are_right_and_show_every_key() {
        let project = section("menagerie.toml");
        Project::parse(example(&project), Path::new("page")).unwrap();
        let environment = section("env.toml");
        Environment::parse(example(&environment), Path::new("page")).unwrap();
        for (section, keys) in [(&project, PROJECT), (&environment, ENVIRONMENT)] {
            for key in keys {
                let name = key.path.rsplit('.').next().unwrap();
                assert!(example(section).contains(name), "{}", key.path);
            }
        }
    }

    #[test]
    fn errors_look_so() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
        let text = "\n\n\n\n\n[environment]\nttl = \"9d\"\nhostin = \"local\"\n";
        let errors = Project::parse(text, Path::new("menagerie.toml")).unwrap_err();
        let page = fs::read_to_string(path).unwrap();
        assert!(page.contains(&format!("```text\n{errors}\n```\n")), "{errors}");
    }
}
