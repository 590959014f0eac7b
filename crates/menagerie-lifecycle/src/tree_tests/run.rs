//! The tests of one directory, and what is made of Terraform's events.

use super::scratch::Scratch;
use super::{TestDirectory, TreeRun, TreeTestError, TreeVerdict};
use crate::image;
use crate::session::{Progress, Session};
use menagerie_plan::{Diagnostic, Event, Severity, TestProgress, TestRun, TestStatus};
use menagerie_terraform::{Cancel, Ended, InitOptions, Notice, Terraform, TestOptions, Workdir};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant};

/// What all tests have in common.
pub(super) struct Stage<'a> {
    pub(super) scratch: &'a Scratch,
    pub(super) provider: &'a Path,
    pub(super) terraform: &'a Terraform,
    pub(super) cancel: &'a Cancel,
    pub(super) variables: &'a BTreeMap<OsString, OsString>,
    /// The application, where a test runs it.
    pub(super) image: Option<PathBuf>,
}

/// Builds the application as `menagerie.toml` says, and takes a copy of it.
pub(super) fn image(
    session: &mut Session<'_>,
    scratch: &Scratch,
) -> Result<PathBuf, TreeTestError> {
    let project = session.repository.project()?;
    let run = project.application.run()?;
    let root = session.repository.root().to_owned();
    if let Some(build) = &project.application.build {
        (session.observer)(Progress::Note(
            "building the application, which the local hosting is tested with",
        ));
        image::build(&root, build, &session.cancel)?;
    }
    Ok(image::store(&root, run, &scratch.images())?)
}

impl Stage<'_> {
    /// Runs the tests of a directory.
    pub(super) fn test(
        &self,
        index: usize,
        directory: &TestDirectory,
    ) -> Result<Vec<TreeRun>, TreeTestError> {
        let providers = self.scratch.serve(index, self.provider)?;
        let runs = self.run(index, directory, &providers.reattach);
        let ended = providers.end();
        let runs = runs?;
        ended.map(|()| runs)
    }

    fn run(
        &self,
        index: usize,
        directory: &TestDirectory,
        reattach: &str,
    ) -> Result<Vec<TreeRun>, TreeTestError> {
        let run = self.scratch.run(index);
        let mut workdir =
            Workdir::new(self.scratch.directory(&directory.path), &run, self.environment());
        workdir.reattach_providers = Some(reattach.to_owned());
        workdir.journal = Some(self.scratch.journal(index));
        if let (Some(image), true) = (&self.image, self.scratch.needs_image(&directory.path)) {
            workdir.environment.insert("TF_VAR_image".into(), image.into());
        }
        let failed = |command, source| TreeTestError::Terraform {
            directory: directory.path.clone(),
            command,
            source,
        };
        let init = InitOptions {
            without_backend: true,
            // Nothing is in there: what is not served can be neither fetched nor run.
            plugin_directories: vec![run.join("plugins")],
            ..InitOptions::default()
        };
        let initialised = workdir
            .init(self.terraform, &init, &mut |_| {}, self.cancel)
            .map_err(|source| failed("init", source))?;
        if let Some(run) = broken(directory, "init", initialised)? {
            return Ok(vec![run]);
        }
        let options = TestOptions {
            filters: directory.files.iter().map(PathBuf::from).collect(),
            ..TestOptions::default()
        };
        let mut listener = Listener::new(&directory.path, self.scratch);
        let mut notices = |notice: Notice<'_>| {
            if let Notice::Event(event) = notice {
                listener.hear(event);
            }
        };
        let tested = workdir
            .test(self.terraform, &options, &mut notices, self.cancel)
            .map_err(|source| failed("test", source))?;
        // Terraform's errors came as events, but where it said nothing at all.
        match broken(directory, "test", tested)? {
            Some(run) if listener.runs.is_empty() => Ok(vec![run]),
            _ => Ok(listener.end()),
        }
    }

    /// Nothing of a test reaches an account or a database of the user's.
    fn environment(&self) -> BTreeMap<OsString, OsString> {
        let is_kept = |name: &OsString| {
            !name.to_str().is_some_and(|name| name.starts_with("AWS_") || name.starts_with("PG"))
        };
        let kept = self.variables.iter().filter(|(name, _)| is_kept(name));
        kept.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

/// Returns what to tell of a command that did not do what it was asked.
fn broken<T>(
    directory: &TestDirectory,
    command: &str,
    ended: Ended<T>,
) -> Result<Option<TreeRun>, TreeTestError> {
    let (diagnostics, remarks) = match ended {
        Ended::Done(_) => return Ok(None),
        Ended::Cancelled { .. } => return Err(TreeTestError::Interrupted),
        Ended::Failed(failure) if !failure.diagnostics.is_empty() => {
            let errors = failure.diagnostics.into_iter().filter(is_error);
            (errors.map(|error| placed(error, &directory.path)).collect(), Vec::new())
        }
        other => (Vec::new(), vec![other.to_string()]),
    };
    Ok(Some(TreeRun {
        directory: directory.path.clone(),
        file: directory.path.clone(),
        line: None,
        name: command.to_owned(),
        time: Duration::ZERO,
        verdict: TreeVerdict::Failed { diagnostics, remarks },
    }))
}

/// Makes runs of events. What Terraform says of a run follows its end.
struct Listener<'a> {
    directory: &'a str,
    scratch: &'a Scratch,
    runs: Vec<TreeRun>,
    /// What is being tested: a file, or before the first one the directory.
    file: String,
    started: Option<Instant>,
}

impl<'a> Listener<'a> {
    fn new(directory: &'a str, scratch: &'a Scratch) -> Self {
        let file = directory.to_owned();
        Self { directory, scratch, runs: Vec::new(), file, started: None }
    }

    fn hear(&mut self, event: &Event) {
        match event {
            Event::TestFile(file) => self.file = format!("{}/{}", self.directory, file.path),
            Event::TestRun(run) if run.progress == TestProgress::Starting => {
                self.started = Some(Instant::now());
            }
            Event::TestRun(run) if run.progress == TestProgress::Complete => self.add(run),
            Event::Diagnostic(diagnostic) if is_error(diagnostic) => {
                let diagnostic = placed(diagnostic.clone(), self.directory);
                self.failing().0.push(diagnostic);
            }
            Event::TestCleanup(cleanup) => {
                let left = cleanup.left.iter().map(|left| format!("`{}` is left", left.instance));
                self.failing().1.extend(left);
            }
            _ => {}
        }
    }

    fn add(&mut self, run: &TestRun) {
        let text = fs::read_to_string(self.scratch.directory(&self.file));
        let verdict = match run.status {
            Some(TestStatus::Pass) => TreeVerdict::Passed,
            Some(TestStatus::Skip | TestStatus::Pending) => TreeVerdict::Skipped,
            _ => TreeVerdict::Failed { diagnostics: Vec::new(), remarks: Vec::new() },
        };
        self.runs.push(TreeRun {
            directory: self.directory.to_owned(),
            file: self.file.clone(),
            line: text.ok().and_then(|text| line(&text, &run.run)),
            name: run.run.clone(),
            time: self.started.take().map_or(Duration::ZERO, |started| started.elapsed()),
            verdict,
        });
    }

    /// Returns why the run that ended last failed; where none of the file has ended yet, the file as a whole.
    fn failing(&mut self) -> (&mut Vec<Diagnostic>, &mut Vec<String>) {
        if self.runs.last().is_none_or(|run| run.file != self.file) {
            self.runs.push(TreeRun {
                directory: self.directory.to_owned(),
                file: self.file.clone(),
                line: None,
                name: "test".to_owned(),
                time: Duration::ZERO,
                verdict: TreeVerdict::Passed,
            });
        }
        self.runs.last_mut().expect("one was pushed where there was none").fail()
    }

    fn end(mut self) -> Vec<TreeRun> {
        if self.runs.is_empty() {
            self.failing().1.push("nothing was run: there is no `run` block".to_owned());
        }
        self.runs
    }
}

impl TreeRun {
    /// Makes it one that failed, and returns why.
    fn fail(&mut self) -> (&mut Vec<Diagnostic>, &mut Vec<String>) {
        if !matches!(self.verdict, TreeVerdict::Failed { .. }) {
            self.verdict = TreeVerdict::Failed { diagnostics: Vec::new(), remarks: Vec::new() };
        }
        match &mut self.verdict {
            TreeVerdict::Failed { diagnostics, remarks } => (diagnostics, remarks),
            _ => unreachable!("it was made one above"),
        }
    }
}

fn is_error(diagnostic: &Diagnostic) -> bool {
    diagnostic.severity == Severity::Error
}

/// Returns a diagnostic whose file is as seen from the top of the work tree.
pub(crate) fn placed(mut diagnostic: Diagnostic, directory: &str) -> Diagnostic {
    if let Some(range) = &mut diagnostic.range {
        range.filename = join(directory, &range.filename);
    }
    diagnostic
}

/// Resolves what a file is called from a directory, by the text alone.
fn join(directory: &str, file: &str) -> String {
    let mut joined = PathBuf::new();
    for component in Path::new(directory).join(file).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                joined.pop();
            }
            other => joined.push(other),
        }
    }
    joined.to_string_lossy().into_owned()
}

/// Finds the line of a `run` block.
fn line(text: &str, name: &str) -> Option<usize> {
    let begin = format!("run \"{name}\"");
    text.lines().position(|line| line.trim_start().starts_with(&begin)).map(|index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        assert_eq!(
            join("tf/modules/a/b", "tests/x.tftest.hcl"),
            "tf/modules/a/b/tests/x.tftest.hcl"
        );
        assert_eq!(join("tf/modules/a/b", "../../c/main.tf"), "tf/modules/c/main.tf");
        let text = "# run \"two\"\nrun \"one\" {\n}\n\nrun \"two\" {\n}\n";
        assert_eq!(
            (line(text, "one"), line(text, "two"), line(text, "three")),
            (Some(2), Some(5), None)
        );
    }
}
