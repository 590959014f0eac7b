//! `cargo xtask schema …`: becomes `menagerie-schema`, which is built when it is needed.

use std::ffi::OsString;
use std::path::Path;

use clap::{Args, Subcommand, ValueEnum};
use menagerie_terraform::{Terraform, closed_environment};

use crate::{binary, output, session, surroundings};

/// The subcommands of `schema`.
#[derive(Debug, Subcommand)]
pub(crate) enum Schema {
    Update(Update),
    Compare(Compare),
}

/// Make the schema files anew from what their providers have, and print what changed
///
/// `crates/menagerie-provider/schemas/providers.toml` says which providers, versions and types. Terraform asks the registry for
/// each; where that does not answer, packages that are made from the same schemas are read.
#[derive(Debug, Args)]
pub(crate) struct Update {
    /// Only of these providers [default: all of `providers.toml`]
    #[arg(value_name = "PROVIDER")]
    providers: Vec<OsString>,

    /// Ask only there [default: the registry, and the package index where that does not answer]
    #[arg(long, value_name = "WHERE")]
    from: Option<From>,

    /// Write nothing, and fail where a file would change
    #[arg(long)]
    check: bool,
}

/// Compare two schemas attribute by attribute, over the types that both have
///
/// Each is a schema file (`.json.gz`), what `terraform providers schema -json` printed (`.json`), or a package of bindings (`.whl`).
#[derive(Debug, Args)]
pub(crate) struct Compare {
    #[arg(value_name = "A")]
    first: OsString,

    #[arg(value_name = "B")]
    second: OsString,

    /// Print each difference too
    #[arg(long)]
    list: bool,
}

/// Where a schema is asked for; the same words as `menagerie-schema` has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum From {
    /// Terraform, which fetches the provider from its registry
    Registry,
    /// The Python package index, which has packages made from the provider's schema; needs `python3` with `pip`
    Package,
}

impl Schema {
    /// Returns only if something does not build or start.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        const PROGRAM: &str = "menagerie-schema";
        let repository = session::repository()?;
        let root = repository.root();
        let arguments = match self {
            Self::Update(update) => {
                // Without one there still are the packages.
                let variables = closed_environment(surroundings::variables());
                let terraform =
                    session::terraform(&variables, Some(&repository.home().tools())).ok();
                update.arguments(root, terraform.as_ref().map(Terraform::path))
            }
            Self::Compare(compare) => compare.arguments(),
        };
        output::say(&format!("Building `{PROGRAM}`"));
        let program = binary::build(PROGRAM, root)?;
        Err(binary::become_program(&program, &arguments))
    }
}

impl Update {
    fn arguments(self, root: &Path, terraform: Option<&Path>) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec![
            "update".into(),
            "--schemas".into(),
            root.join("crates/menagerie-provider/schemas").into(),
            "--packages".into(),
            root.join("target/schema").into(),
        ];
        if let Some(terraform) = terraform {
            arguments.extend(["--terraform".into(), terraform.into()]);
        }
        if let Some(from) = self.from.as_ref().and_then(ValueEnum::to_possible_value) {
            arguments.extend(["--from".into(), from.get_name().into()]);
        }
        if self.check {
            arguments.push("--check".into());
        }
        arguments.push("--".into());
        arguments.extend(self.providers);
        arguments
    }
}

impl Compare {
    fn arguments(self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec!["compare".into()];
        if self.list {
            arguments.push("--list".into());
        }
        arguments.extend(["--".into(), self.first, self.second]);
        arguments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(arguments: &[OsString], expected: &str) {
        assert_eq!(arguments.join(std::ffi::OsStr::new(" ")), expected);
    }

    #[test]
    fn an_update() {
        let update = Update { providers: Vec::new(), from: None, check: false };
        check(
            &update.arguments(Path::new("/r"), None),
            "update --schemas /r/crates/menagerie-provider/schemas --packages /r/target/schema --",
        );
        let update = Update {
            providers: vec!["aws".into(), "nomad".into()],
            from: Some(From::Package),
            check: true,
        };
        check(
            &update.arguments(Path::new("/r"), Some(Path::new("/t/terraform"))),
            "update --schemas /r/crates/menagerie-provider/schemas --packages /r/target/schema --terraform /t/terraform --from package --check -- aws nomad",
        );
    }

    #[test]
    fn a_comparison() {
        let compare = Compare { first: "a.json".into(), second: "b.whl".into(), list: true };
        check(&compare.arguments(), "compare --list -- a.json b.whl");
    }
}
