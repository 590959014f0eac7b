//! [`Environment`]: `env.toml`.

mod plain;

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use jiff::Timestamp;
use menagerie_naming::EnvName;
use thiserror::Error;
use toml_edit::{Datetime, DocumentMut, Item, value};

use crate::document::Document;
use crate::{ConfigErrors, Hosting, Owner, ReadError, Settings, Size, Template, keys};

/// What one environment is meant to be: `tf/envs/<name>/env.toml`.
///
/// It is intent only: phase, health and drift are never written here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Its name, which is its directory's.
    pub name: EnvName,
    /// Who answers for it.
    pub owner: Owner,
    /// When it was asked for.
    pub created: Timestamp,
    /// When it is no longer wanted; after `created`.
    pub expires: Timestamp,
    /// Where it runs.
    pub hosting: Hosting,
    /// How much it gets.
    pub size: Size,
    /// What it has otherwise than the others.
    pub settings: Settings,
    /// What its root module was generated from.
    pub template: Template,
}

/// A directory and the `env.toml` in it disagree.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`{directory}/env.toml` says that the environment is called `{name}`, but its directory isn't"
)]
pub struct WrongDirectory {
    directory: String,
    name: EnvName,
}

const HEADER: &str = "\
# What this environment is meant to be; `cargo xtask env new` wrote it, and `docs/configuration.md` describes each key.
# What it is at the moment never stands here: `cargo xtask env status` tells that.

";

/// The keys that can't be absent, each with an example.
const REQUIRED: &[(&str, &str)] = &[
    ("name", "\"calm-otter\""),
    ("owner", "\"ada\""),
    ("created", "2026-07-24T10:00:00Z"),
    ("expires", "2026-07-24T18:00:00Z"),
    ("hosting", "\"local\""),
    ("size", "\"small\""),
    ("template.version", "1"),
];

impl Environment {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        let mut text = String::with_capacity(2048);
        File::open(path)
            // There may be ten thousand: `File`'s own `read_to_string` would ask each one first how long it is.
            .and_then(|file| file.take(u64::MAX).read_to_string(&mut text))
            .map_err(|source| ReadError::Io { path: path.to_owned(), source })?;
        Ok(Self::parse(&text, path)?)
    }

    /// Parses the text of a file; `file` is what its errors call it.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigErrors> {
        plain::read(text).map_or_else(|| Self::parse_any(text, file), Ok)
    }

    fn parse_any(text: &str, file: &Path) -> Result<Self, ConfigErrors> {
        let mut document = Document::parse(text, keys::ENVIRONMENT);
        for (path, example) in REQUIRED {
            document.require(path, example);
        }
        let name = document.string("name");
        let owner = document.string("owner");
        let created = document.timestamp("created");
        let expires = document.timestamp("expires");
        if created.is_some() && expires.is_some() && expires <= created {
            document.refuse("expires", "`expires` is not after `created`".to_owned());
        }
        let hosting = document.string("hosting");
        let size = document.string("size");
        let settings = Settings::read(&mut document);
        let template = Template::read(&mut document);
        match (name, owner, created, expires, hosting, size, template) {
            (
                Some(name),
                Some(owner),
                Some(created),
                Some(expires),
                Some(hosting),
                Some(size),
                Some(template),
            ) if document.is_right() => {
                Ok(Self { name, owner, created, expires, hosting, size, settings, template })
            }
            _ => Err(document.into_errors(file)),
        }
    }

    /// Returns the text of the file, the same for the same environment.
    pub fn to_toml(&self) -> String {
        let mut document = DocumentMut::new();
        document["name"] = value(self.name.as_str());
        document["owner"] = value(self.owner.as_str());
        document["created"] = value(date_time(self.created));
        document["expires"] = value(date_time(self.expires));
        document["hosting"] = value(self.hosting.as_str());
        document["size"] = value(self.size.as_str());
        let settings = self.settings.to_table();
        if !settings.is_empty() {
            document["settings"] = Item::Table(settings);
        }
        document["template"] = Item::Table(self.template.to_table());
        format!("{HEADER}{document}")
    }

    /// Checks that the environment lies in the directory of its name; `directory` is that
    /// directory's own name.
    pub fn check_directory(&self, directory: &str) -> Result<(), WrongDirectory> {
        if directory == self.name.as_str() {
            return Ok(());
        }
        Err(WrongDirectory { directory: directory.to_owned(), name: self.name.clone() })
    }
}

fn date_time(time: Timestamp) -> Datetime {
    time.to_string()
        .parse()
        .expect("RFC 3339 with four digits for the year, unless a clock is millennia off")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;
    use crate::{Checksum, DatabaseEngine, Observability, VariableName};

    fn parse(text: &str) -> Result<Environment, ConfigErrors> {
        Environment::parse(text, Path::new("tf/envs/calm-otter/env.toml"))
    }

    fn environment() -> Environment {
        Environment {
            name: "calm-otter".parse().unwrap(),
            owner: "Ada \"${x}\" Lovelace".parse().unwrap(),
            created: "2026-07-24T10:00:00Z".parse().unwrap(),
            expires: "2026-07-24T18:00:00Z".parse().unwrap(),
            hosting: Hosting::Local,
            size: Size::Small,
            settings: Settings::default(),
            template: Template {
                version: 1,
                checksums: [("main.tf".to_owned(), Checksum::from_sha256([0xab; 32]))].into(),
                overrides: [].into(),
            },
        }
    }

    #[test]
    fn the_file() {
        assert_snapshot!(environment().to_toml(), @r#"
        # What this environment is meant to be; `cargo xtask env new` wrote it, and `docs/configuration.md` describes each key.
        # What it is at the moment never stands here: `cargo xtask env status` tells that.

        name = "calm-otter"
        owner = 'Ada "${x}" Lovelace'
        created = 2026-07-24T10:00:00Z
        expires = 2026-07-24T18:00:00Z
        hosting = "local"
        size = "small"

        [template]
        version = 1

        [template.checksums]
        "main.tf" = "sha256:abababababababababababababababababababababababababababababababab"
        "#);
    }

    #[test]
    fn the_file_with_every_setting() {
        let mut environment = environment();
        for assignment in [
            "desired_count=2",
            "port=8080",
            "health_check_path=/readyz",
            "log_retention_days=7",
            "database_engine=postgres",
            "observability=datadog",
            "environment.LOG_LEVEL=debug",
            "environment.MOTTO=a \"b\"\n${c}",
        ] {
            environment.settings.set(assignment).unwrap();
        }
        let text = environment.to_toml();
        assert_snapshot!(text, @r#"
        # What this environment is meant to be; `cargo xtask env new` wrote it, and `docs/configuration.md` describes each key.
        # What it is at the moment never stands here: `cargo xtask env status` tells that.

        name = "calm-otter"
        owner = 'Ada "${x}" Lovelace'
        created = 2026-07-24T10:00:00Z
        expires = 2026-07-24T18:00:00Z
        hosting = "local"
        size = "small"

        [settings]
        desired_count = 2
        port = 8080
        health_check_path = "/readyz"
        log_retention_days = 7
        database_engine = "postgres"
        observability = "datadog"

        [settings.environment]
        LOG_LEVEL = "debug"
        MOTTO = """
        a "b"
        ${c}"""

        [template]
        version = 1

        [template.checksums]
        "main.tf" = "sha256:abababababababababababababababababababababababababababababababab"
        "#);
        assert_eq!(parse(&text).unwrap(), environment);
    }

    /// Else ten thousand of them take five times as long, and nobody notices here.
    #[test]
    fn what_env_new_writes_is_read_at_a_glance() {
        let environment =
            Environment { owner: "ada@example.com".parse().unwrap(), ..environment() };
        assert_eq!(plain::read(&environment.to_toml()), Some(environment));
    }

    #[test]
    fn all_problems_at_once() {
        let errors = parse(
            r#"
name = "Calm Otter"
owner = "a\nb"
created = "2026-07-24T10:00:00Z"
expires = 2026-07-24
phase = "deployed"

[settings]
port = "8080"
desired_count = 99999999999999999999
health_check_path = "x"
log_retention_days = 0x0
environment = { MENAGERIE_X = "1" }

[template]
version = 0
checksums = { "main.tf" = "sha256:AB" }
"#,
        )
        .unwrap_err();
        assert_snapshot!(errors, @r#"
        tf/envs/calm-otter/env.toml:1:1: `hosting` is missing
          = hint: for example `hosting = "local"`

        tf/envs/calm-otter/env.toml:1:1: `size` is missing
          = hint: for example `size = "small"`

        tf/envs/calm-otter/env.toml:2:8: a name is lower-case, but character 1 is `C`
          |
        2 | name = "Calm Otter"
          |        ^^^^^^^^^^^^

        tf/envs/calm-otter/env.toml:3:9: an owner is one line of text, but character 2 is `\n`
          |
        3 | owner = "a\nb"
          |         ^^^^^^

        tf/envs/calm-otter/env.toml:4:11: `created` is a date-time (without quotes), not a string
          |
        4 | created = "2026-07-24T10:00:00Z"
          |           ^^^^^^^^^^^^^^^^^^^^^^

        tf/envs/calm-otter/env.toml:5:11: `expires` is a date, a time and an offset, such as `2026-07-24T18:00:00Z`
          |
        5 | expires = 2026-07-24
          |           ^^^^^^^^^^

        tf/envs/calm-otter/env.toml:6:1: unknown key `phase`
          |
        6 | phase = "deployed"
          | ^^^^^

        tf/envs/calm-otter/env.toml:9:8: `settings.port` is an integer, not a string
          |
        9 | port = "8080"
          |        ^^^^^^

        tf/envs/calm-otter/env.toml:10:17: `settings.desired_count` has too many digits
           |
        10 | desired_count = 99999999999999999999
           |                 ^^^^^^^^^^^^^^^^^^^^

        tf/envs/calm-otter/env.toml:11:21: a health check path starts with `/`
           |
        11 | health_check_path = "x"
           |                     ^^^

        tf/envs/calm-otter/env.toml:12:22: `log_retention_days` is a whole number from 1 to 3653, not `0`
           |
        12 | log_retention_days = 0x0
           |                      ^^^

        tf/envs/calm-otter/env.toml:13:17: `MENAGERIE_X` is set by the hosting, so it can't be given
           |
        13 | environment = { MENAGERIE_X = "1" }
           |                 ^^^^^^^^^^^

        tf/envs/calm-otter/env.toml:16:11: a template's version is a whole number from 1
           |
        16 | version = 0
           |           ^

        tf/envs/calm-otter/env.toml:17:27: a checksum is `sha256:` and 64 lower-case hexadecimal digits
           |
        17 | checksums = { "main.tf" = "sha256:AB" }
           |                           ^^^^^^^^^^^
        "#);
    }

    #[test]
    fn an_empty_file() {
        let expected =
            REQUIRED.iter().map(|(path, _)| format!("`{path}` is missing")).collect::<Vec<_>>();
        let errors = parse("").unwrap_err();
        assert_eq!(
            errors.problems().iter().map(|problem| problem.message.clone()).collect::<Vec<_>>(),
            expected
        );
        assert!(
            errors.to_string().starts_with("tf/envs/calm-otter/env.toml:1:1: `name` is missing\n"),
            "{errors}"
        );
    }

    #[test]
    fn it_ends_after_it_begins() {
        let text = environment().to_toml().replace("T18:", "T10:");
        assert_snapshot!(parse(&text).unwrap_err(), @"
        tf/envs/calm-otter/env.toml:7:11: `expires` is not after `created`
          |
        7 | expires = 2026-07-24T10:00:00Z
          |           ^^^^^^^^^^^^^^^^^^^^
        ");
    }

    #[test]
    fn any_offset_is_read() {
        let text = environment().to_toml().replace("18:00:00Z", "20:00:00+02:00");
        assert_eq!(parse(&text).unwrap(), environment());
    }

    #[test]
    fn the_directory_has_the_name() {
        assert_eq!(environment().check_directory("calm-otter"), Ok(()));
        assert_snapshot!(environment().check_directory("lost-lynx").unwrap_err(), @"`lost-lynx/env.toml` says that the environment is called `calm-otter`, but its directory isn't");
    }

    /// Texts that mean something to TOML, HCL, a shell or a terminal.
    fn any_text() -> impl Strategy<Value = String> {
        const MEANING: &[&str] = &[
            "${", "%{", "}", "\"", "\"\"\"", "'", "'''", "\\", "\n", "\r\n", "\r", "\t", "# ",
            "\u{85}", "\u{feff}",
        ];
        let part = prop_oneof![
            "\\PC{0,9}",
            any::<String>(),
            prop::sample::select(MEANING).prop_map(str::to_owned)
        ];
        prop::collection::vec(part, 0..6).prop_map(|parts| parts.concat())
    }

    fn any_settings() -> impl Strategy<Value = Settings> {
        let variables = prop::collection::btree_map("[A-Za-z_][A-Za-z0-9_]{0,9}", any_text(), 0..4);
        let numbers = (
            prop::option::of(0..=20_u32),
            prop::option::of(1024..=65535_u16),
            prop::option::of(1..=3653_u32),
        );
        let path = prop::option::of("/[a-z0-9/?=&%~.:]{0,20}");
        let engine = prop::option::of(prop::sample::select(DatabaseEngine::ALL));
        let backend = prop::option::of(prop::sample::select(Observability::ALL));
        (numbers, path, engine, backend, variables).prop_map(
            |(numbers, path, engine, backend, variables)| Settings {
                desired_count: numbers.0,
                port: numbers.1,
                log_retention_days: numbers.2,
                health_check_path: path.map(|path| path.parse().unwrap()),
                database_engine: engine,
                observability: backend,
                environment: variables
                    .into_iter()
                    .filter_map(|(name, text)| {
                        Some((name.parse::<VariableName>().ok()?, text.parse().ok()?))
                    })
                    .collect(),
            },
        )
    }

    fn any_environment() -> impl Strategy<Value = Environment> {
        let owner = any_text().prop_filter_map("no owner", |text| text.parse().ok());
        // From 1970 to the end of 9998, to the nanosecond.
        let created = (0..253_370_764_800_i64, 0..1_000_000_000_i32);
        let checksums = || {
            prop::collection::btree_map(
                any_text(),
                any::<[u8; 32]>().prop_map(Checksum::from_sha256),
                0..4,
            )
        };
        let template = (1..u32::MAX, checksums(), checksums())
            .prop_map(|(version, checksums, overrides)| Template { version, checksums, overrides });
        let size = prop::sample::select(Size::ALL);
        (owner, created, 1..31_536_000_i64, size, any_settings(), template).prop_map(
            |(owner, (second, nanosecond), ttl, size, settings, template)| Environment {
                owner,
                created: Timestamp::new(second, nanosecond).unwrap(),
                expires: Timestamp::new(second + ttl, nanosecond).unwrap(),
                size,
                settings,
                template,
                ..environment()
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(environment in any_environment()) {
            let text = environment.to_toml();
            prop_assert_eq!(Environment::parse_any(&text, Path::new("")), Ok(environment.clone()), "{}", text);
            prop_assert_eq!(parse(&text), Ok(environment), "{}", text);
        }

        #[test]
        fn what_is_read_at_a_glance_is_what_the_parser_reads(
            environment in any_environment(),
            cuts in prop::collection::vec(
                (any::<prop::sample::Index>(), 0..6_u8, "\\PC{0,3}|[\r\n\t \\[\\]=.\"'\\\\#0-9a-z]{1,3}"),
                0..3,
            ),
        ) {
            let environment = Environment { settings: Settings::default(), ..environment };
            let mut lines: Vec<String> = environment.to_toml().split_inclusive('\n').map(str::to_owned).collect();
            for (index, kind, put) in cuts {
                let at = index.index(lines.len());
                match kind {
                    0 => drop(lines.remove(at)),
                    1 => lines.insert(at, lines[at].clone()),
                    2 => lines.swap(at, 0),
                    _ => {
                        let place = index.index(lines[at].len() + 1);
                        let place = lines[at].floor_char_boundary(place);
                        lines[at].insert_str(place, &put);
                    }
                }
                if lines.is_empty() {
                    break;
                }
            }
            let text = lines.concat();
            if let Some(glanced) = plain::read(&text) {
                prop_assert_eq!(Environment::parse_any(&text, Path::new("")), Ok(glanced), "{}", text);
            }
        }

        #[test]
        fn parsing_never_panics(cut in 0_usize..400, put in "\\PC{0,4}|[\n\\[\\]=.\"']{1,4}") {
            let mut text = environment().to_toml();
            let start = text.floor_char_boundary(cut);
            text.insert_str(start, &put);
            let _ = parse(&text);
        }
    }
}
