//! [`Project`]: `menagerie.toml`.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use thiserror::Error;

use crate::document::Document;
use crate::{
    CommandLine, ConfigErrors, DatabaseEngine, HealthCheckPath, Hosting, Platform, ReadError, Size,
    Tests, Ttl, Variables, keys,
};

/// What `menagerie.toml` says: how the application is built and run, and what new environments are
/// like.
///
/// [`Project::default`] is what an absent file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Project {
    /// `[application]`.
    pub application: Application,
    /// `[environment]`: defaults and limits of new environments.
    pub environment: Defaults,
    /// `[database]`.
    pub database: Database,
    /// `[aws]`, `[backend]`, `[ingress]` and `[observability]`: what hostings other than `local` need.
    pub platform: Platform,
    /// `[test]`.
    pub tests: Tests,
}

/// How the application is built and run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Application {
    /// What builds it, run at the repository's root; `None` where nothing has to be built.
    pub build: Option<CommandLine>,
    /// What runs it, relative to the repository's root; see [`Application::run`].
    pub run: Option<CommandLine>,
    /// Where it says that it is ready.
    pub health_check_path: HealthCheckPath,
    /// What it is given besides what the hosting sets.
    pub environment: Variables,
}

/// Defaults and limits of new environments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defaults {
    /// Where they run.
    pub hosting: Hosting,
    /// How much they get.
    pub size: Size,
    /// How long they live; never more than `max_ttl`.
    pub ttl: Ttl,
    /// The longest that they can be asked to live.
    pub max_ttl: Ttl,
}

/// What the application keeps its data in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Database {
    /// The engine; `None` is PostgreSQL where it is installed, else SQLite.
    pub engine: Option<DatabaseEngine>,
}

/// `menagerie.toml` does not say how the application runs.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`application.run` is missing in `menagerie.toml`: it says how the application is run, such as `run = [\"target/debug/web\"]`"
)]
pub struct MissingRun;

impl Application {
    /// Returns what runs the application. The hosting `local` can't do without; what runs nothing
    /// can.
    pub fn run(&self) -> Result<&CommandLine, MissingRun> {
        self.run.as_ref().ok_or(MissingRun)
    }
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            hosting: Hosting::Local,
            size: Size::Small,
            ttl: Ttl::DEFAULT,
            max_ttl: Ttl::DEFAULT_MAXIMUM,
        }
    }
}

impl Project {
    /// Reads a file; one that is absent says nothing and is right.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        match fs::read_to_string(path) {
            Ok(text) => Ok(Self::parse(&text, path)?),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(ReadError::Io { path: path.to_owned(), source }),
        }
    }

    /// Parses the text of a file; `file` is what its errors call it.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigErrors> {
        let mut document = Document::parse(text, keys::PROJECT);
        let project = Self {
            application: Application {
                build: command_line(&mut document, "application.build"),
                run: command_line(&mut document, "application.run"),
                health_check_path: document
                    .string("application.health_check_path")
                    .unwrap_or_default(),
                environment: document.map("application.environment"),
            },
            environment: defaults(&mut document),
            database: Database { engine: document.string("database.engine") },
            platform: Platform::read(&mut document),
            tests: Tests::read(&mut document),
        };
        if document.is_right() { Ok(project) } else { Err(document.into_errors(file)) }
    }
}

pub(crate) fn command_line(document: &mut Document<'_>, path: &str) -> Option<CommandLine> {
    let words = document.words(path)?;
    CommandLine::new(words).map_err(|error| document.refuse(path, error.to_string())).ok()
}

fn defaults(document: &mut Document<'_>) -> Defaults {
    let absent = Defaults::default();
    let max_ttl = document.string("environment.max_ttl").unwrap_or(absent.max_ttl);
    let ttl = match document.string::<Ttl>("environment.ttl") {
        Some(ttl) => ttl.within(max_ttl).unwrap_or_else(|error| {
            document.refuse("environment.ttl", error.to_string());
            max_ttl
        }),
        // Who only lowers the limit lowers the default with it.
        None => absent.ttl.min(max_ttl),
    };
    Defaults {
        hosting: document.string("environment.hosting").unwrap_or(absent.hosting),
        size: document.string("environment.size").unwrap_or(absent.size),
        ttl,
        max_ttl,
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<Project, ConfigErrors> {
        Project::parse(text, Path::new("menagerie.toml"))
    }

    #[track_caller]
    fn check_words(command: Option<&CommandLine>, expected: &[&str]) {
        let command = command.unwrap();
        let arguments = command.arguments().iter().map(String::as_str);
        assert_eq!(
            std::iter::once(command.program()).chain(arguments).collect::<Vec<_>>(),
            expected
        );
    }

    #[test]
    fn everything_set() {
        let project = parse(
            r#"
            [application]
            build = ["make", "web"]
            run = ["bin/web", "--verbose"]
            health_check_path = "/readyz"
            environment = { LOG_LEVEL = "info", GREETING = "a ${b} \n" }
            [environment]
            hosting = "local"
            size = "large"
            ttl = "2d"
            max_ttl = "30d"
            [database]
            engine = "sqlite"
            "#,
        )
        .unwrap();
        check_words(project.application.build.as_ref(), &["make", "web"]);
        check_words(project.application.run().ok(), &["bin/web", "--verbose"]);
        assert_eq!(project.application.health_check_path.as_str(), "/readyz");
        let variables = project
            .application
            .environment
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        assert_eq!(
            variables.collect::<Vec<_>>(),
            [("GREETING", "a ${b} \n"), ("LOG_LEVEL", "info")]
        );
        assert_eq!(
            project.environment,
            Defaults {
                hosting: Hosting::Local,
                size: Size::Large,
                ttl: "2d".parse().unwrap(),
                max_ttl: "30d".parse().unwrap(),
            }
        );
        assert_eq!(project.database.engine, Some(DatabaseEngine::Sqlite));
    }

    #[test]
    fn nothing_set_is_the_default() {
        assert_eq!(parse("").unwrap(), Project::default());
        let error = Project::default().application.run().unwrap_err();
        assert_snapshot!(error, @r#"`application.run` is missing in `menagerie.toml`: it says how the application is run, such as `run = ["target/debug/web"]`"#);
    }

    #[test]
    fn a_lower_maximum_lowers_the_default() {
        let project = parse("environment.max_ttl = '1h'").unwrap();
        assert_eq!(project.environment.ttl.to_string(), "1h");
    }

    #[test]
    fn all_problems_at_once() {
        let errors = parse(
            r#"# Ours.
[aplication]
run = ["web"]

[application]
build = []
run = "target/debug/web"
health_check_path = "readyz"
environment = { PORT = "80", "LOG LEVEL" = "info", WORKERS = 4 }
ttl = "8h"

[environment]
hosting = "heroku"
size = 3
ttl = "9d"
max_tll = "1d"

[database]
engine = "mysql"
"#,
        )
        .unwrap_err();
        assert_snapshot!(errors, @r#"
        menagerie.toml:2:2: unknown key `aplication`
          |
        2 | [aplication]
          |  ^^^^^^^^^^
          = hint: did you mean `application`?

        menagerie.toml:6:9: the first word is the program, but there is none
          |
        6 | build = []
          |         ^^

        menagerie.toml:7:7: `application.run` is an array of strings, not a string
          |
        7 | run = "target/debug/web"
          |       ^^^^^^^^^^^^^^^^^^

        menagerie.toml:8:21: a health check path starts with `/`
          |
        8 | health_check_path = "readyz"
          |                     ^^^^^^^^

        menagerie.toml:9:17: `PORT` is set by the hosting, so it can't be given
          |
        9 | environment = { PORT = "80", "LOG LEVEL" = "info", WORKERS = 4 }
          |                 ^^^^

        menagerie.toml:9:30: `LOG LEVEL` is no name of a variable: it is letters, digits and `_`, and starts with no digit
          |
        9 | environment = { PORT = "80", "LOG LEVEL" = "info", WORKERS = 4 }
          |                              ^^^^^^^^^^^

        menagerie.toml:9:62: `application.environment.WORKERS` is a string, not an integer
          |
        9 | environment = { PORT = "80", "LOG LEVEL" = "info", WORKERS = 4 }
          |                                                              ^

        menagerie.toml:10:1: unknown key `application.ttl`
           |
        10 | ttl = "8h"
           | ^^^
           = hint: did you mean `environment.ttl`?

        menagerie.toml:13:11: there is no hosting `heroku`; there is `local`, `ec2_docker`, `ec2_compose`, `ecs`, `eks`, `kubernetes`, `nomad`
           |
        13 | hosting = "heroku"
           |           ^^^^^^^^

        menagerie.toml:14:8: `environment.size` is a string, not an integer
           |
        14 | size = 3
           |        ^

        menagerie.toml:15:7: a time to live of 9d is over the maximum of 7d
           |
        15 | ttl = "9d"
           |       ^^^^

        menagerie.toml:16:1: unknown key `environment.max_tll`
           |
        16 | max_tll = "1d"
           | ^^^^^^^
           = hint: did you mean `max_ttl`?

        menagerie.toml:19:10: there is no database engine `mysql`; there is `postgres`, `sqlite`
           |
        19 | engine = "mysql"
           |          ^^^^^^^
        "#);
    }

    #[test]
    fn times_to_live() {
        for ttl in ["0h", "-8h", "forever", "8", "9999d"] {
            let errors = parse(&format!("environment.ttl = '{ttl}'")).unwrap_err();
            let expected = ttl.parse::<Ttl>().unwrap_err().to_string();
            assert_eq!(
                errors.problems().iter().map(|problem| &problem.message).collect::<Vec<_>>(),
                [&expected]
            );
        }
    }

    #[test]
    fn files() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("menagerie.toml");
        assert_eq!(Project::read(&path).unwrap(), Project::default());

        fs::write(&path, "environment.size = 'medium'").unwrap();
        assert_eq!(Project::read(&path).unwrap().environment.size, Size::Medium);

        fs::write(&path, b"\xff").unwrap();
        let error = Project::read(&path).unwrap_err();
        assert!(
            matches!(&error, ReadError::Io { source, .. } if source.kind() == ErrorKind::InvalidData),
            "{error:?}"
        );

        let error = Project::read(directory.path()).unwrap_err();
        assert!(
            matches!(error, ReadError::Io { .. }),
            "a directory is not an absent file: {error:?}"
        );
    }

    /// The repository's own file is an example to others, so it has to be right.
    #[test]
    fn the_repositorys_own_file() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../menagerie.toml");
        assert!(path.exists());
        assert_eq!(
            Project::read(&path).unwrap().application.run().unwrap().program(),
            "target/debug/sample-app"
        );
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "\\PC*|(\\[?(application|environment|run|ttl|engine)[ =\\].'\\[{}0-9\n]{0,5}){0,9}") {
            let _ = parse(&text);
        }
    }
}
