//! The checks: each says what it makes of facts that it is given.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use menagerie_config::{Project, ReadError};
use menagerie_lifecycle::{Entry, InventoryError, Phase};
use menagerie_terraform::{Terraform, closed_environment};
use rustix::fs::StatVfs;
use serde::Serialize;

use crate::output::Styles;
use crate::report::{self, Problem};

type Variables = BTreeMap<OsString, OsString>;

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub(crate) struct Check {
    pub(crate) verdict: Verdict,
    pub(crate) what: &'static str,
    /// What is there, or what is wrong.
    pub(crate) found: String,
    /// The way out.
    pub(crate) hint: Option<String>,
}

/// What it comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    Ok,
    /// It works without, or less well.
    Warning,
    /// It does not work.
    Error,
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

fn ok(what: &'static str, found: impl Into<String>) -> Check {
    Check { verdict: Verdict::Ok, what, found: found.into(), hint: None }
}

impl Check {
    fn but(self, verdict: Verdict, hint: impl Into<String>) -> Self {
        Self { verdict, hint: Some(hint.into()), ..self }
    }
}

pub(crate) fn system(system: &str, machine: &str, cores: usize) -> Check {
    let unit = if cores == 1 { "core" } else { "cores" };
    ok("system", format!("{system} {machine}, {cores} {unit}"))
}

/// A C compiler is the linker of Rust, and builds SQLite.
pub(crate) fn compiler(variables: &Variables) -> Check {
    const WHAT: &str = "C compiler";
    match find(variables, "cc") {
        Some(path) => ok(WHAT, path.display().to_string()),
        None => ok(WHAT, "there is no `cc` on the PATH").but(
            Verdict::Error,
            "install one: `apt-get install build-essential`, `dnf install gcc`, `xcode-select --install`",
        ),
    }
}

pub(crate) fn terraform(found: Result<Terraform, Problem>) -> Check {
    const WHAT: &str = "terraform";
    match found {
        Ok(terraform) => ok(
            WHAT,
            format!(
                "{} {}, {}",
                terraform.flavour(),
                terraform.version(),
                terraform.path().display()
            ),
        ),
        Err(problem) => told(WHAT, &anyhow::Error::new(problem)),
    }
}

/// What changes Terraform's meaning is kept from it, which surprises those who set it.
pub(crate) fn terraform_variables(variables: &Variables) -> Vec<Check> {
    const FILE: &str = "TF_CLI_CONFIG_FILE";
    const WHAT: &str = "variables";
    let mut checks = Vec::new();
    if let Some(file) = variables.get(OsStr::new(FILE))
        && !Path::new(file).is_file()
    {
        let found = format!("`{FILE}` names `{}`, which is no file", file.display());
        checks.push(
            ok(WHAT, found).but(Verdict::Warning, "it is passed over; correct it or unset it"),
        );
    }
    let passed = closed_environment(variables.clone());
    let kept: Vec<String> = variables
        .keys()
        .filter(|name| name.as_encoded_bytes().starts_with(b"TF_"))
        .filter(|name| *name != FILE && !passed.contains_key(*name))
        .map(|name| format!("`{}`", name.display()))
        .collect();
    if !kept.is_empty() {
        checks.push(ok(WHAT, format!("{} set, and kept from Terraform", kept.join(", "))).but(
            Verdict::Warning,
            "each of them changes what a command means; what an environment needs stands in its root module",
        ));
    }
    checks
}

pub(crate) fn postgresql(variables: &Variables) -> Check {
    const WHAT: &str = "postgresql";
    let packaged: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"))
        .collect();
    let is_server = |bin: &PathBuf| bin.join("postgres").is_file() && bin.join("initdb").is_file();
    match path(variables).chain(packaged).find(is_server) {
        Some(bin) => ok(WHAT, bin.display().to_string()),
        None => ok(WHAT, "not on the PATH, nor where Debian's packages have it").but(
            Verdict::Warning,
            "databases are SQLite then; `apt-get install postgresql`, `dnf install postgresql-server`, `brew install postgresql`",
        ),
    }
}

pub(crate) fn no_repository(error: &anyhow::Error) -> Check {
    told("repository", error)
}

pub(crate) fn repository(root: &Path) -> Check {
    ok("repository", root.display().to_string())
}

/// Who owns an environment that nobody is named for.
pub(crate) fn owner(user: Option<String>, variables: &Variables) -> Check {
    const WHAT: &str = "owner";
    match (user, variables.get(OsStr::new("USER"))) {
        (Some(user), _) => ok(WHAT, format!("{user}, by git")),
        (None, Some(user)) => ok(WHAT, format!("{}, by the variable USER", user.display())),
        (None, None) => ok(WHAT, "nobody is known who would own an environment").but(
            Verdict::Warning,
            "`git config user.email YOU@EXAMPLE.COM`, or give `--owner` each time",
        ),
    }
}

pub(crate) fn project(read: Result<Project, ReadError>) -> Check {
    const WHAT: &str = "configuration";
    match read {
        Ok(project) if project.application.run.is_none() => {
            ok(WHAT, "`menagerie.toml` does not say what runs the application")
                .but(Verdict::Warning, "set `application.run`: docs/configuration.md describes it")
        }
        Ok(_) => ok(WHAT, "`menagerie.toml` is valid"),
        Err(error) => told(WHAT, &anyhow::Error::new(error)),
    }
}

/// Where the records are: they must be writable, nobody else's business, and have room to grow.
pub(crate) fn records(
    home: &Path,
    metadata: io::Result<Metadata>,
    room: rustix::io::Result<StatVfs>,
) -> Check {
    const WHAT: &str = "records";
    const LEAST: u64 = 1024 * 1024 * 1024;
    let place = home.display();
    let (metadata, room) = match (metadata, room) {
        (Ok(metadata), Ok(room)) => (metadata, room),
        (Err(error), _) => return told(WHAT, &anyhow::Error::new(error)),
        (_, Err(error)) => return told(WHAT, &anyhow::Error::new(error)),
    };
    if rustix::fs::access(home, rustix::fs::Access::WRITE_OK).is_err() {
        return ok(WHAT, format!("`{place}` can't be written")).but(
            Verdict::Error,
            "see whose it is, and whether its disk is mounted to be read only",
        );
    }
    if metadata.mode() & 0o077 != 0 {
        return ok(
            WHAT,
            format!("`{place}` is open to others: its mode is {:03o}", metadata.mode() & 0o777),
        )
        .but(Verdict::Warning, format!("`chmod 700 {place}`"));
    }
    let free = room.f_bavail.saturating_mul(room.f_frsize);
    let found = format!("{place}, {} MiB free", free / (1024 * 1024));
    if free < LEAST {
        return ok(WHAT, found)
            .but(Verdict::Warning, "a database and the copies of programs want a gibibyte");
    }
    ok(WHAT, found)
}

pub(crate) fn environments(listed: Result<Vec<Entry>, InventoryError>) -> Check {
    const WHAT: &str = "environments";
    let entries = match listed {
        Ok(entries) => entries,
        Err(error) => return told(WHAT, &anyhow::Error::new(error)),
    };
    let count = |phase| entries.iter().filter(|entry| entry.phase == phase).count();
    let phases =
        [Phase::Wanted, Phase::Deployed, Phase::Destroying, Phase::DestroyFailed, Phase::Gone];
    let counts: Vec<String> = phases
        .into_iter()
        .filter(|phase| count(*phase) > 0)
        .map(|phase| format!("{} {phase}", count(phase)))
        .collect();
    let found = if counts.is_empty() { "none".to_owned() } else { counts.join(", ") };
    let noted: Vec<String> = entries
        .iter()
        .filter(|entry| !entry.notes.is_empty())
        .map(|entry| format!("`{}`", entry.name))
        .collect();
    if noted.is_empty() {
        return ok(WHAT, found);
    }
    ok(WHAT, found)
        .but(Verdict::Warning, format!("`cargo xtask env list` says more of {}", noted.join(", ")))
}

/// What an error says, and its hint, in the words that it has everywhere.
fn told(what: &'static str, error: &anyhow::Error) -> Check {
    let text = report::render(error, Styles::PLAIN);
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    match text.split_once("\nhint: ") {
        Some((found, hint)) => ok(what, found).but(Verdict::Error, hint),
        None => Check { verdict: Verdict::Error, ..ok(what, text) },
    }
}

fn path(variables: &Variables) -> impl Iterator<Item = PathBuf> {
    let path = variables.get(OsStr::new("PATH")).cloned().unwrap_or_default();
    std::env::split_paths(&path).collect::<Vec<_>>().into_iter()
}

fn find(variables: &Variables, program: &str) -> Option<PathBuf> {
    path(variables).map(|directory| directory.join(program)).find(|candidate| candidate.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::facts::tests::{deployed, failed};
    use crate::exit;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    #[track_caller]
    fn check(check: &Check, expected: &str) {
        let hint = check.hint.as_deref().map(|hint| format!(" → {hint}")).unwrap_or_default();
        assert_eq!(format!("{}: {}{hint}", check.verdict, check.found), expected);
    }

    #[test]
    fn the_machine() {
        check(&system("linux", "aarch64", 1), "ok: linux aarch64, 1 core");
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_str().unwrap();
        assert_eq!(compiler(&variables(&[("PATH", path)])).verdict, Verdict::Error);
        fs::write(directory.path().join("cc"), "").unwrap();
        check(&compiler(&variables(&[("PATH", path)])), &format!("ok: {path}/cc"));
        for program in ["postgres", "initdb"] {
            fs::write(directory.path().join(program), "").unwrap();
        }
        check(&postgresql(&variables(&[("PATH", path)])), &format!("ok: {path}"));
    }

    #[test]
    fn a_missing_terraform() {
        let problem = Problem::new(exit::NO_TERRAFORM, "there is none").hint("get one");
        check(&terraform(Err(problem)), "error: there is none → get one");
    }

    #[test]
    fn variables_that_do_not_arrive() {
        let found = terraform_variables(&variables(&[
            ("TF_WORKSPACE", "x"),
            ("TF_VAR_image", "y"),
            ("TF_CLI_CONFIG_FILE", "/does/not/exist"),
            ("TF_INPUT", "0"),
            ("HOME", "/"),
        ]));
        assert_eq!(found.len(), 2);
        assert_eq!(
            found[0].found,
            "`TF_CLI_CONFIG_FILE` names `/does/not/exist`, which is no file"
        );
        assert_eq!(found[1].found, "`TF_VAR_image`, `TF_WORKSPACE` set, and kept from Terraform");
        assert!(terraform_variables(&variables(&[("HOME", "/")])).is_empty());
    }

    #[test]
    fn who_owns() {
        let user = variables(&[("USER", "ada")]);
        check(&owner(Some("ada@example.com".to_owned()), &user), "ok: ada@example.com, by git");
        check(&owner(None, &user), "ok: ada, by the variable USER");
        assert_eq!(owner(None, &variables(&[])).verdict, Verdict::Warning);
    }

    #[test]
    fn a_broken_configuration_is_told_as_everywhere() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("menagerie.toml");
        fs::write(&file, "[environment]\nhostin = \"local\"\n").unwrap();
        let broken = project(Project::read(&file));
        assert_eq!(broken.verdict, Verdict::Error);
        assert!(broken.found.contains("unknown key `environment.hostin`"), "{}", broken.found);
        fs::write(&file, "[application]\nrun = [\"x\"]\n").unwrap();
        check(&project(Project::read(&file)), "ok: `menagerie.toml` is valid");
        fs::write(&file, "").unwrap();
        assert_eq!(project(Project::read(&file)).verdict, Verdict::Warning);
    }

    #[test]
    fn records_are_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let home = directory.path();
        let look = || records(home, fs::metadata(home), rustix::fs::statvfs(home));
        fs::set_permissions(home, fs::Permissions::from_mode(0o700)).unwrap();
        assert!(look().found.ends_with(" MiB free"));
        fs::set_permissions(home, fs::Permissions::from_mode(0o755)).unwrap();
        check(
            &look(),
            &format!(
                "warning: `{0}` is open to others: its mode is 755 → `chmod 700 {0}`",
                home.display()
            ),
        );
        let gone = home.join("gone");
        let missing = records(&gone, fs::metadata(&gone), rustix::fs::statvfs(&gone));
        assert_eq!(missing.verdict, Verdict::Error);
    }

    #[test]
    fn environments_that_need_a_look() {
        check(&environments(Ok(vec![])), "ok: none");
        check(&environments(Ok(vec![deployed("calm-otter")])), "ok: 1 deployed");
        check(
            &environments(Ok(vec![deployed("calm-otter"), failed("lost-lynx")])),
            "warning: 1 deployed, 1 destroy-failed → `cargo xtask env list` says more of `lost-lynx`",
        );
    }
}
