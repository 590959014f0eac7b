//! [`read_inventory`]: the environments that are wanted, and who answers for them.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use menagerie_config::{DatabaseEngine, Environment, HealthCheckPath, Observability, VariableName};
use serde::Deserialize;
use serde_json::{Value, json};
use toml::Spanned;

use crate::fields::Fields;
use crate::text::Text;
use crate::{Evidence, Files, Unreadable, tree};

/// Where environments lie, each in a directory of its name.
const ENVIRONMENTS: &str = "tf/envs";

const DAY: i64 = 24 * 60 * 60;

/// Reads each environment's `env.toml`; `today` is the day, in UTC, by which they have expired.
///
/// ```
/// use menagerie_evidence::{Texts, read_inventory};
///
/// let text = r#"
/// name = "calm-otter"
/// owner = "ada"
/// created = 2026-07-24T10:00:00Z
/// expires = 2026-07-25T18:00:00Z
/// hosting = "local"
/// size = "small"
/// [template]
/// version = 1
/// "#;
/// let files: Texts = [("tf/envs/calm-otter/env.toml", text)].into_iter().collect();
/// let evidence = read_inventory(&files, "2026-07-26".parse()?);
/// let [environment, owner] = &evidence.records[..] else { panic!("there are two") };
/// assert_eq!((&environment.values["days"], &environment.values["is_expired"]), (&2.into(), &true.into()));
/// assert_eq!(owner.values["environments"], 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_inventory(files: &dyn Files, today: Date) -> Evidence {
    let mut evidence = Evidence::default();
    let mut owners = BTreeMap::<String, Vec<String>>::new();
    for (directory, is_directory) in tree::list(files, ENVIRONMENTS, &mut evidence) {
        let name = directory.rsplit('/').next().unwrap_or(&directory);
        if !is_directory || name.starts_with('.') {
            continue;
        }
        if let Some(environment) = read_environment(files, &directory, today, &mut evidence) {
            let owner = environment.owner.as_str().to_owned();
            owners.entry(owner).or_default().push(environment.name.as_str().to_owned());
        }
    }
    for (name, environments) in owners {
        let mut fields = Fields::default();
        let address = format!("owner:{name}");
        fields.set("name", name);
        fields.set("environments", environments.len());
        fields.set("names", environments);
        evidence.records.push(fields.into_record("owner", address, None));
    }
    evidence
}

fn read_environment(
    files: &dyn Files,
    directory: &str,
    today: Date,
    evidence: &mut Evidence,
) -> Option<Environment> {
    let path = format!("{directory}/env.toml");
    let mut refuse = |line: usize, column: usize, message: String| {
        evidence.unreadable.push(Unreadable { file: path.clone(), line, column, message });
    };
    let content = match files.read(&path) {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            refuse(1, 1, "an environment without it is not known".to_owned());
            return None;
        }
        Err(error) => {
            refuse(1, 1, format!("can't be read: {error}"));
            return None;
        }
    };
    let environment = match Environment::parse(&content, Path::new(&path)) {
        Ok(environment) => environment,
        Err(errors) => {
            for problem in errors.problems() {
                refuse(problem.line, problem.column, problem.message.clone());
            }
            return None;
        }
    };
    let name = directory.rsplit('/').next().unwrap_or(directory);
    if let Err(error) = environment.check_directory(name) {
        refuse(1, 1, error.to_string());
        return None;
    }
    let place = name_span(&content).map(|span| Text::new(&path, &content).place(&span));
    let fields = fields(&environment, directory, today);
    let address = format!("environment:{}", environment.name);
    evidence.records.push(fields.into_record("environment", address, place));
    Some(environment)
}

/// Returns where its name stands.
fn name_span(content: &str) -> Option<std::ops::Range<usize>> {
    #[derive(Deserialize)]
    struct Named {
        name: Spanned<String>,
    }
    toml::from_str::<Named>(content).ok().map(|named| named.name.span())
}

fn fields(environment: &Environment, directory: &str, today: Date) -> Fields {
    let seconds = environment.expires.as_second() - environment.created.as_second();
    let last_day = TimeZone::UTC.to_datetime(environment.expires).date();
    let mut fields = Fields::default();
    fields.set("name", environment.name.as_str());
    fields.set("owner", environment.owner.as_str());
    fields.set("created", environment.created.to_string());
    fields.set("expires", environment.expires.to_string());
    fields.set("days", (seconds + DAY - 1).div_euclid(DAY));
    fields.set("is_expired", last_day < today);
    fields.set("hosting", environment.hosting.as_str());
    fields.set("is_cloud", environment.hosting.is_cloud());
    fields.set("size", environment.size.as_str());
    fields.set("directory", directory);
    fields.set("settings", settings(environment));
    fields
}

/// Returns what it has otherwise than the others; of the application's variables only the names, since a value may be a secret.
fn settings(environment: &Environment) -> Value {
    let settings = &environment.settings;
    let variables: Vec<&str> = settings.environment.keys().map(VariableName::as_str).collect();
    json!({
        "desired_count": settings.desired_count,
        "port": settings.port,
        "health_check_path": settings.health_check_path.as_ref().map(HealthCheckPath::as_str),
        "log_retention_days": settings.log_retention_days,
        "database_engine": settings.database_engine.map(DatabaseEngine::as_str),
        "observability": settings.observability.map(Observability::as_str),
        "environment": variables,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Texts;

    const OTTER: &str = r#"# What this environment is meant to be.
name = "calm-otter"
owner = "ada"
created = 2026-11-20T10:00:00Z
expires = 2026-11-24T23:00:00Z
hosting = "ecs"
size = "small"
[settings]
desired_count = 2
[settings.environment]
TOKEN = "hunter2"
[template]
version = 1
"#;

    fn read(files: &[(&str, &str)]) -> Evidence {
        let files: Texts = files.iter().copied().collect();
        read_inventory(&files, "2026-11-24".parse().unwrap())
    }

    #[test]
    fn environments_and_owners() {
        let bold = OTTER.replace("calm-otter", "bold-lark").replace("24T23", "22T00");
        let evidence = read(&[
            ("tf/envs/calm-otter/env.toml", OTTER),
            ("tf/envs/bold-lark/env.toml", &bold),
            ("tf/envs/README.md", ""),
        ]);
        assert_eq!(evidence.unreadable, []);
        let [lark, otter, ada] = &evidence.records[..] else { panic!("three records") };
        assert_eq!(
            otter.values,
            json!({
                "name": "calm-otter", "owner": "ada", "created": "2026-11-20T10:00:00Z", "expires": "2026-11-24T23:00:00Z",
                "days": 5, "is_expired": false, "hosting": "ecs", "is_cloud": true, "size": "small",
                "directory": "tf/envs/calm-otter",
                "settings": {"desired_count": 2, "port": null, "health_check_path": null, "log_retention_days": null,
                    "database_engine": null, "observability": null, "environment": ["TOKEN"]},
            })
        );
        let place = otter.place.as_ref().unwrap();
        assert_eq!(
            (otter.address.as_str(), place.line, place.column),
            ("environment:calm-otter", 2, 8)
        );
        assert_eq!((&lark.values["days"], &lark.values["is_expired"]), (&json!(2), &json!(true)));
        assert_eq!(
            ada.values,
            json!({"name": "ada", "environments": 2, "names": ["bold-lark", "calm-otter"]})
        );
    }

    #[test]
    fn what_is_no_environment_is_told() {
        let evidence = read(&[
            ("tf/envs/calm-otter/env.toml", OTTER),
            ("tf/envs/bold-lark/env.toml", OTTER),
            ("tf/envs/dull-newt/env.toml", "name = \"dull-newt\"\nowner = 1\n"),
            ("tf/envs/lost-mole/main.tf", ""),
            ("tf/envs/.terraform/x", ""),
        ]);
        assert_eq!(evidence.records.len(), 2);
        let told: Vec<String> = evidence.unreadable.iter().map(ToString::to_string).collect();
        assert_eq!(
            told.first().unwrap(),
            "tf/envs/bold-lark/env.toml:1:1: `bold-lark/env.toml` says that the environment is called `calm-otter`, but its directory isn't"
        );
        assert!(told.iter().any(|it| it.starts_with("tf/envs/dull-newt/env.toml:2:")), "{told:?}");
        assert_eq!(
            told.last().unwrap(),
            "tf/envs/lost-mole/env.toml:1:1: an environment without it is not known"
        );
        assert_eq!(read(&[]).records, []);
    }

    proptest! {
        #[test]
        fn whatever_stands_there_nothing_panics(text in "(?s)\\PC{0,60}", line in 0..12_usize) {
            let mut lines: Vec<&str> = OTTER.lines().collect();
            lines.insert(line, &text);
            let evidence = read(&[("tf/envs/calm-otter/env.toml", &lines.join("\n"))]);
            prop_assert_eq!(evidence.records.is_empty(), !evidence.unreadable.is_empty());
        }
    }
}
