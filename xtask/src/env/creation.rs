//! The options with which an environment is created, for `env new` and `env up`.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use menagerie_config::{Defaults, Hosting, Owner, OwnerError, Settings, Size, Ttl, TtlError};
use menagerie_lifecycle::{Repository, Request};
use menagerie_naming::EnvName;

use crate::report::Problem;
use crate::surroundings;

/// What a new environment should be; what is absent is as `menagerie.toml` has it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of a new environment")]
pub(crate) struct Creation {
    /// Run it on this hosting [default: `environment.hosting` of menagerie.toml]
    #[arg(long, value_parser = choice::<Hosting>(Hosting::ALL, Hosting::as_str))]
    hosting: Option<Hosting>,

    /// Let it live this long: `30m`, `8h`, `2d`, `1h30m` [default: `environment.ttl` of menagerie.toml]
    // A negative one is refused for what it is, not taken for an option.
    #[arg(long, value_parser = parse_ttl, allow_hyphen_values = true)]
    ttl: Option<Ttl>,

    /// Name who answers for it [default: git's user.email, else the variable USER]
    #[arg(long, value_parser = parse_owner)]
    owner: Option<Owner>,

    /// Give it this much of what it runs on [default: `environment.size` of menagerie.toml]
    #[arg(long, value_parser = choice::<Size>(Size::ALL, Size::as_str))]
    size: Option<Size>,

    /// Set what it has otherwise than the others; may be given several times
    ///
    /// These can be set, as docs/configuration.md describes:
    /// - `desired_count=N`: how many replicas run, 0 to 20
    /// - `port=N`: the port of the URL, 1024 to 65535
    /// - `health_check_path=PATH`: the path that answers 200 when it is ready
    /// - `log_retention_days=N`: how many days logs are kept, 1 to 3653
    /// - `database_engine=ENGINE`: postgres or sqlite
    /// - `observability=BACKEND`: cloudwatch, datadog, newrelic, elk or tick, where it is not on this machine
    /// - `environment.NAME=TEXT`: a variable of the application
    // Text, since clap repeats a value that it refuses, and this one may be a secret that belongs elsewhere.
    #[arg(long = "set", value_name = "KEY=VALUE", verbatim_doc_comment)]
    settings: Vec<String>,

    /// Draw the name from this number: the same one gives the same name
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

impl Creation {
    /// Returns the first option that was given.
    pub(crate) fn given(&self) -> Option<&'static str> {
        [
            (self.hosting.is_some(), "--hosting"),
            (self.ttl.is_some(), "--ttl"),
            (self.owner.is_some(), "--owner"),
            (self.size.is_some(), "--size"),
            (!self.settings.is_empty(), "--set"),
            (self.seed.is_some(), "--seed"),
        ]
        .into_iter()
        .find_map(|(given, option)| given.then_some(option))
    }

    /// Returns what is asked for, with the project's defaults and within its limits.
    pub(crate) fn request(
        self,
        name: Option<EnvName>,
        repository: &Repository,
    ) -> anyhow::Result<Request> {
        if name.is_some() && self.seed.is_some() {
            return Err(Problem::usage("`--seed` draws a name, but NAME is given")
                .hint("leave out one of them")
                .into());
        }
        let settings = settings(&self.settings)?;
        let defaults = repository.project()?.environment;
        let ttl = ttl(self.ttl, &defaults)?;
        let owner = match self.owner {
            Some(owner) => owner,
            None => default_owner(repository)?,
        };
        Ok(Request {
            name,
            hosting: self.hosting.unwrap_or(defaults.hosting),
            size: self.size.unwrap_or(defaults.size),
            owner,
            ttl,
            settings,
            seed: self.seed,
        })
    }
}

/// Returns a parser of one of a few words, which help lists.
pub(crate) fn choice<T>(
    all: &'static [T],
    word: fn(T) -> &'static str,
) -> impl clap::builder::TypedValueParser<Value = T>
where
    T: Copy + std::str::FromStr<Err: std::error::Error + Send + Sync> + Send + Sync + 'static,
{
    PossibleValuesParser::new(all.iter().map(|choice| word(*choice)))
        .try_map(|text| text.parse::<T>())
}

fn parse_ttl(text: &str) -> Result<Ttl, String> {
    text.parse().map_err(|error: TtlError| {
        format!("{error}\nhint: give it a time such as `8h`; a new one can be made when it is over")
    })
}

fn parse_owner(text: &str) -> Result<Owner, String> {
    text.parse().map_err(|error: OwnerError| {
        format!("{error}\nhint: an address or a team: `ada@example.com`, `team/web`")
    })
}

fn ttl(given: Option<Ttl>, defaults: &Defaults) -> Result<Ttl, Problem> {
    given.unwrap_or(defaults.ttl).within(defaults.max_ttl).map_err(|error| {
        Problem::usage(format!("wrong `--ttl`: {error}"))
            .hint("the maximum is `environment.max_ttl` of `menagerie.toml`")
    })
}

pub(crate) fn settings(assignments: &[String]) -> Result<Settings, Problem> {
    let mut settings = Settings::default();
    for assignment in assignments {
        settings.set(assignment).map_err(|error| {
            Problem::usage(format!("wrong `--set`: {error}")).hint(
                "docs/configuration.md lists what can be set, under `[settings]` of `env.toml`",
            )
        })?;
    }
    Ok(settings)
}

/// Returns who works here, as git or else the system knows them.
fn default_owner(repository: &Repository) -> anyhow::Result<Owner> {
    let user = || surroundings::variable("USER").and_then(|user| user.into_string().ok());
    let found = repository.git().user().or_else(user);
    let hint = "give `--owner`, or set it for good: `git config user.email YOU@EXAMPLE.COM`";
    let text = found.ok_or_else(|| {
        Problem::usage("nobody is known who would own the environment").hint(hint)
    })?;
    let owner = text.parse().map_err(|error: OwnerError| {
        Problem::usage(format!("the user of this machine can't be an owner: {error}")).hint(hint)
    })?;
    Ok(owner)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use insta::assert_snapshot;

    use super::*;

    #[derive(Debug, clap::Parser)]
    #[command(name = "new", no_binary_name = true)]
    struct Options {
        #[command(flatten)]
        creation: Creation,
    }

    fn parse(arguments: &[&str]) -> Result<Creation, String> {
        Options::try_parse_from(arguments)
            .map(|options| options.creation)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_given() {
        let creation = parse(&[]).unwrap();
        assert_eq!(creation.given(), None);
    }

    #[test]
    fn everything_given() {
        let arguments = [
            "--hosting",
            "local",
            "--ttl",
            "1h",
            "--owner",
            "ada",
            "--size",
            "large",
            "--set",
            "port=8080",
            "--seed",
            "1",
        ];
        let creation = parse(&arguments).unwrap();
        assert_eq!(creation.ttl.unwrap().to_string(), "1h");
        assert_eq!(creation.size, Some(Size::Large));
        for option in arguments.iter().filter(|argument| argument.starts_with("--")) {
            let value =
                arguments[arguments.iter().position(|argument| argument == option).unwrap() + 1];
            assert_eq!(parse(&[option, value]).unwrap().given(), Some(*option));
        }
    }

    #[test]
    fn wrong_times() {
        assert_snapshot!(parse(&["--ttl", "0"]).unwrap_err(), @"
        error: invalid value '0' for '--ttl <TTL>': a time to live can't be zero: the environment would be gone before it is used
        hint: give it a time such as `8h`; a new one can be made when it is over

        For more information, try '--help'.
        ");
        assert_snapshot!(parse(&["--ttl", "-1h"]).unwrap_err(), @"
        error: invalid value '-1h' for '--ttl <TTL>': a time to live can't be negative
        hint: give it a time such as `8h`; a new one can be made when it is over

        For more information, try '--help'.
        ");
        assert_snapshot!(parse(&["--ttl", "forever"]).unwrap_err(), @"
        error: invalid value 'forever' for '--ttl <TTL>': a time to live can't be infinite: an environment that nobody ends costs for ever
        hint: give it a time such as `8h`; a new one can be made when it is over

        For more information, try '--help'.
        ");
    }

    #[test]
    fn a_time_over_the_maximum_of_the_project() {
        let error = ttl(Some("8d".parse().unwrap()), &Defaults::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "wrong `--ttl`: a time to live of 8d is over the maximum of 7d"
        );
        assert_eq!(ttl(None, &Defaults::default()).unwrap(), Ttl::DEFAULT);
    }

    #[test]
    fn wrong_words() {
        assert_snapshot!(parse(&["--size", "huge"]).unwrap_err(), @"
        error: invalid value 'huge' for '--size <SIZE>'
          [possible values: small, medium, large]

        For more information, try '--help'.
        ");
        assert_snapshot!(parse(&["--owner", ""]).unwrap_err(), @"
        error: invalid value '' for '--owner <OWNER>': an owner can't be empty
        hint: an address or a team: `ada@example.com`, `team/web`

        For more information, try '--help'.
        ");
    }

    /// The error of a wrong key names them all.
    #[test]
    fn help_names_every_setting() {
        let error = settings(&["=".to_owned()]).unwrap_err().to_string();
        let (_, names) = error.split_once("there is `").expect("it lists what there is");
        let help = parse(&["--help"]).unwrap_err();
        for name in names.trim_end_matches('`').split("`, `") {
            assert!(help.contains(&format!("- `{name}=")), "`{name}` is not in {help}");
        }
    }

    #[test]
    fn a_wrong_setting_is_not_repeated() {
        let error = settings(&["hush".to_owned()]).unwrap_err();
        assert_eq!(error.to_string(), "wrong `--set`: a setting is written `KEY=VALUE`");
        let error = settings(&["environment.PORT=1".to_owned()]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "wrong `--set`: `PORT` is set by the hosting, so it can't be given"
        );
        assert_eq!(settings(&["port=8080".to_owned()]).unwrap().port, Some(8080));
    }
}
