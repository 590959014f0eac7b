//! [`cases`]: the environments that `cargo xtask template check` renders to see that all templates hold.

use std::path::Path;

use jiff::Timestamp;
use menagerie_config::{Hosting, Platform, Project, Settings, Size};
use menagerie_naming::EnvName;

use crate::{Root, Tags};

/// An environment that shows whether the templates hold.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it is about, such as `size medium`.
    pub label: String,
    /// Its name, which no other one has.
    pub name: EnvName,
    /// Where it would run.
    pub hosting: Hosting,
    /// How much it would get.
    pub size: Size,
    /// What it has otherwise than the others.
    pub settings: Settings,
    /// What all environments of its project have.
    pub project: Project,
    /// Whose it is.
    pub owner: String,
}

impl Case {
    /// Returns it as it is rendered.
    pub fn root(&self) -> Root<'_> {
        let Self { name, hosting, size, settings, project, owner, .. } = self;
        let tags = Tags {
            owner,
            created: Timestamp::UNIX_EPOCH,
            expires: Timestamp::MAX,
            repository: owner,
        };
        Root { name, hosting: *hosting, size: *size, tags, settings, project }
    }
}

/// Returns the environments to check: for a hosting on this machine and for one that is not, each size, each setting by itself
/// at its limits, all of them together, and texts that would be something else if they were pasted into HCL. The other
/// hostings share nearly all templates with the second one: of them, only what touches their own.
pub fn cases() -> Vec<Case> {
    Hosting::ALL.iter().flat_map(|hosting| of(*hosting)).collect()
}

/// Each setting with values at its limits, as in `--set`.
const SETTINGS: &[&str] = &[
    "desired_count=0",
    "desired_count=20",
    "port=1024",
    "port=65535",
    "health_check_path=/",
    "health_check_path=/a$(b)'c;&*%24%7B%22?d=~e",
    "log_retention_days=1",
    "log_retention_days=3653",
    "database_engine=postgres",
    "database_engine=sqlite",
    "observability=cloudwatch",
    "observability=datadog",
    "observability=newrelic",
    "observability=elk",
    "observability=tick",
    "environment.GREETING=hello",
];

/// Texts that would be something else if they were pasted into HCL, into a template of Tera, or onto a terminal.
const ADVERSARIAL: &[&str] = &[
    "",
    "\"",
    "\\",
    "${path.module} $${x} %{ if true } %%{y} ${",
    "%{ for a in b }%{ endfor }",
    "\"}\n}\nresource \"terraform_data\" \"pwned\" {}\n",
    "\" + file(\"/etc/hostname\") + \"",
    "\\\" \\n \\u0041 \r\n\t\u{1}\u{7f}\u{1b}[31m",
    "<<EOT\n${x}\nEOT\n",
    "EOT\n}",
    "# // /* */ {{ name }} {% raw %} {#",
    "漢字 é e\u{301} 👨‍👩‍👧",
    "\u{202e}txt.exe\u{202c} \u{feff}\u{200b}\u{ad}\u{2028}\u{85}\u{e0041}",
    "null",
    "[1]",
];

/// How long the longest texts are, in bytes: the time that `terraform fmt` takes grows faster than they do.
const LONG: usize = 10_000;

fn of(hosting: Hosting) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |label: String, size: Size, assignments: &[String], project: &Project| {
        let mut settings = Settings::default();
        for assignment in assignments {
            settings.set(assignment).expect("the settings above are right");
        }
        // Odd ones have as many characters as a name can have.
        let number = cases.len();
        let prefix = hosting.as_str().replace('_', "-");
        let longest = EnvName::MAX_LENGTH - prefix.len() - 1;
        let width = if number % 2 == 0 { 2 } else { longest };
        let name = format!("{prefix}-{number:0width$}");
        let name = name.parse().expect("it starts with a letter and is not too long");
        let owner = ADVERSARIAL[number % ADVERSARIAL.len()].to_owned();
        cases.push(Case { label, name, hosting, size, settings, project: project.clone(), owner });
    };
    let mut none = Project::default();
    none.platform = none.platform.with_stand_ins();
    for size in Size::ALL {
        add(format!("size {size}"), *size, &[], &none);
    }
    // A database on AWS is PostgreSQL only.
    let is_for = |setting: &&&str| !(hosting.is_cloud() && **setting == "database_engine=sqlite");
    let is_alike = hosting.is_cloud() && hosting != Hosting::Ecs;
    for setting in SETTINGS.iter().filter(is_for).filter(|_| !is_alike) {
        add((*setting).to_owned(), Size::Small, &[(*setting).to_owned()], &none);
    }
    let all: Vec<String> =
        SETTINGS.iter().filter(is_for).map(|setting| (*setting).to_owned()).collect();
    add("all settings".to_owned(), Size::Large, &all, &none);

    let mut texts: Vec<String> = variables(ADVERSARIAL.iter().map(|text| (*text).to_owned()));
    add("adversarial texts".to_owned(), Size::Small, &texts, &none);
    if !is_alike {
        let long = ["\"${é\\\n", "%{", "a", "👨‍👩‍👧"].map(|text| text.repeat(LONG / text.len()));
        add("long texts".to_owned(), Size::Small, &variables(long.into_iter()), &none);
        let many = (0..1_000).map(|number| format!("${{{number}}}"));
        add("many variables".to_owned(), Size::Small, &variables(many), &none);
    }

    // The same from `menagerie.toml`, with everything else set as well.
    let mut project = Settings::default();
    for text in texts.drain(..).chain(all) {
        project.set(&text).expect("they were right above");
    }
    let mut everything = Project { platform: platform(), ..Project::default() };
    everything.application.environment = project.environment;
    everything.application.health_check_path = project.health_check_path.unwrap_or_default();
    everything.database.engine = project.database_engine;
    add("everything from menagerie.toml".to_owned(), Size::Medium, &[], &everything);
    cases
}

/// Returns a platform with everything that can be said of one.
fn platform() -> Platform {
    let text = r#"
        aws.region = "eu-central-1"
        backend.s3 = { bucket = "acme-state", region = "eu-west-1", kms_key_id = "alias/acme_state-1" }
        [ingress]
        cidrs = ["0.0.0.0/0", "2001:db8::/32"]
        public = true
        domain = { name = "preview.example.com", zone_id = "Z${1}", certificate_arn = "arn:\"%{c}" }
        [observability]
        backend = "datadog"
        collector_image = "otel/opentelemetry-collector-contrib:0.119.0"
        endpoint = "https://otlp.example.com/${path}"
        secret = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:${datadog}:api-key::"
    "#;
    let project = Project::parse(text, Path::new("menagerie.toml"));
    project.expect("what stands above is right").platform
}

fn variables(texts: impl Iterator<Item = String>) -> Vec<String> {
    texts.enumerate().map(|(index, text)| format!("environment.TEXT_{index}={text}")).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::Templates;

    #[test]
    fn every_case_renders_under_a_name_of_its_own() {
        let cases = cases();
        for case in &cases {
            Templates::default().render(&case.root()).unwrap();
        }
        let names: BTreeSet<_> = cases.iter().map(|case| &case.name).collect();
        assert_eq!(names.len(), cases.len());
    }

    /// A new setting does not compile here before it has a case.
    #[test]
    fn every_setting_is_set_in_a_case_and_absent_in_another() {
        let cases = cases();
        let set: Vec<_> = cases
            .iter()
            .map(|case| {
                let Settings {
                    desired_count,
                    port,
                    health_check_path,
                    log_retention_days,
                    database_engine,
                    observability,
                    environment,
                } = &case.settings;
                [
                    desired_count.is_some(),
                    port.is_some(),
                    health_check_path.is_some(),
                    log_retention_days.is_some(),
                    database_engine.is_some(),
                    observability.is_some(),
                    !environment.is_empty(),
                ]
            })
            .collect();
        for setting in 0..set[0].len() {
            assert!(set.iter().any(|set| set[setting]) && set.iter().any(|set| !set[setting]));
        }
        for size in Size::ALL {
            assert!(cases.iter().any(|case| case.size == *size));
        }
    }
}
