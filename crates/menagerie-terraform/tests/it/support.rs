//! A root module in a temporary directory, and short ways to run commands in it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use menagerie_plan::{Event, StateFile};
use menagerie_terraform::{
    ApplyDone, ApplyOptions, Cancel, Ended, Journal, Notice, PlanDone, PlanOptions, RunError,
    Search, Terraform, Workdir, closed_environment,
};
use tempfile::TempDir;

/// A root module with all that its runs need beside it.
pub(crate) struct Root {
    pub(crate) terraform: Terraform,
    pub(crate) workdir: Workdir,
    pub(crate) cancel: Cancel,
    scratch: TempDir,
}

impl Root {
    /// Makes a root module of one file; `None`, with the reason printed, where there is no Terraform.
    pub(crate) fn new(main: &str) -> Option<Self> {
        let search =
            Search { environment: closed_environment(std::env::vars_os()), ..Search::default() };
        match Terraform::discover(&search) {
            Ok(terraform) => Some(Self::with(terraform, main)),
            Err(error) => {
                skip(&error.to_string());
                None
            }
        }
    }

    pub(crate) fn with(terraform: Terraform, main: &str) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let workdir = workdir(scratch.path());
        fs::write(workdir.directory.join("main.tf"), main).unwrap();
        Self { terraform, workdir, cancel: Cancel::default(), scratch }
    }

    /// Returns a path beside the root module.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.workdir.directory.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn plan_options(&self, name: &str) -> PlanOptions {
        PlanOptions { out: Some(self.beside(name)), ..PlanOptions::default() }
    }

    pub(crate) fn plan(&self, name: &str) -> Ended<PlanDone> {
        self.workdir
            .plan(&self.terraform, &self.plan_options(name), &mut ignore, &self.cancel)
            .unwrap()
    }

    pub(crate) fn try_apply(&self, name: &str) -> Result<Ended<ApplyDone>, RunError> {
        let options = ApplyOptions::new(self.beside(name));
        self.workdir.apply(&self.terraform, &options, &mut ignore, &self.cancel)
    }

    pub(crate) fn apply(&self, name: &str) -> Ended<ApplyDone> {
        self.try_apply(name).unwrap()
    }

    /// Plans and applies, and expects both to work.
    pub(crate) fn apply_all(&self) -> ApplyDone {
        assert!(done(self.plan("all.tfplan")).changes);
        done(self.apply("all.tfplan"))
    }

    pub(crate) fn state(&self) -> StateFile {
        state(&self.workdir.directory.join("terraform.tfstate"))
    }

    /// Returns the commands that were run, in order.
    pub(crate) fn commands(&self) -> Vec<String> {
        let files = fs::read_dir(&self.workdir.runs_directory).unwrap();
        let mut names: Vec<String> =
            files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        let logs = names.iter().filter_map(|name| name.strip_suffix(".err"));
        logs.map(|name| name.rsplit('-').next().unwrap().to_owned()).collect()
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        // What a mirror holds cannot be removed as it is, except by root.
        let mirror = self.beside("mirror");
        if mirror.exists() {
            duct::cmd!("chmod", "-R", "u+w", mirror).run().unwrap();
        }
    }
}

pub(crate) fn workdir(scratch: &Path) -> Workdir {
    for directory in ["root", "runs"] {
        fs::create_dir_all(scratch.join(directory)).unwrap();
    }
    let environment = closed_environment(std::env::vars_os());
    let workdir = Workdir::new(scratch.join("root"), scratch, environment);
    Workdir { journal: Some(Journal::new(scratch.join("journal.jsonl"))), ..workdir }
}

pub(crate) fn state(path: &Path) -> StateFile {
    StateFile::from_json(&fs::read(path).unwrap()).unwrap()
}

pub(crate) fn is_required() -> bool {
    std::env::vars_os()
        .any(|variable| variable == (OsString::from("MENAGERIE_REQUIRE"), OsString::from("all")))
}

/// Says why a test is skipped, or fails it where nothing may be.
#[track_caller]
pub(crate) fn skip(reason: &str) {
    assert!(!is_required(), "MENAGERIE_REQUIRE=all: {reason}");
    println!("skipped: {reason}");
}

/// Returns the path that a variable names, else the one where CI puts it.
pub(crate) fn setting(variable: &str, otherwise: &str) -> PathBuf {
    let named = std::env::vars_os().find(|(name, _)| name == variable);
    let otherwise = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/ci").join(otherwise);
    named.map_or(otherwise, |(_, path)| path.into())
}

pub(crate) fn ignore(_: Notice<'_>) {}

/// Returns what a command gave, or shows how else it ended.
#[track_caller]
pub(crate) fn done<T>(ended: Ended<T>) -> T {
    match ended {
        Ended::Done(value) => value,
        other => panic!("{other}"),
    }
}

/// Calls back once, when a provisioner has started: then something is in flight.
pub(crate) fn on_provision(mut act: impl FnMut()) -> impl FnMut(Notice<'_>) {
    move |notice| {
        if let Notice::Event(Event::ProvisionStart(_)) = notice {
            act();
        }
    }
}
