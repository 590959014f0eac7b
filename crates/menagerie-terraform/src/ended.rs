//! How a command ended. None of these is an error of the runner: Terraform ran, and this is what it had to say.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;

use menagerie_plan::{Diagnostic, Output, Severity};

use crate::said::{self, Said};

/// How a command ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ended<T> {
    /// It did what it was asked.
    Done(T),
    /// It failed, and says why.
    Failed(Failure),
    /// It was interrupted; where `forced`, before it could write down what it had done.
    Cancelled {
        /// Whether it had to be killed, or was interrupted twice.
        forced: bool,
    },
    /// It took longer than allowed and was interrupted.
    TimedOut {
        /// Whether it had to be killed.
        forced: bool,
    },
    /// Another Terraform holds the state's lock.
    Locked(LockInfo),
    /// The root module must be initialised first; nothing was touched.
    NeedsInit(String),
    /// The saved plan was made for an earlier state; nothing was touched.
    Stale,
}

/// What a plan that was made says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanDone {
    /// Whether it would change anything.
    pub changes: bool,
}

/// What an apply that went through says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ApplyDone {
    /// The outputs; sensitive ones without their value.
    pub outputs: BTreeMap<String, Output>,
}

/// Why a command failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The command.
    pub command: &'static str,
    /// The exit code; `None` where a signal ended it.
    pub exit_code: Option<i32>,
    /// Its errors and warnings.
    pub diagnostics: Vec<Diagnostic>,
    /// What it printed beside events: about wrong arguments, a crash, or by a command that has no events.
    pub stderr: String,
    /// Where all of its output is.
    pub log: PathBuf,
}

impl Failure {
    /// Returns its errors: those of the stream, or what a command without one printed as text.
    pub(crate) fn errors(&self) -> Vec<Said<'_>> {
        let errors =
            self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
        let said: Vec<Said<'_>> = errors
            .map(|error| Said {
                summary: error.summary.as_str().into(),
                detail: error.detail.as_str().into(),
            })
            .collect();
        if said.is_empty() { said::in_text(&self.stderr) } else { said }
    }
}

impl fmt::Display for Failure {
    /// Writes the errors as a person reads them: with file, line and the line itself.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors =
            self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
        let texts: Vec<String> = errors.map(ToString::to_string).collect();
        if !texts.is_empty() {
            return formatter.write_str(texts.join("\n\n").trim_end());
        }
        if !self.stderr.trim().is_empty() {
            return formatter.write_str(self.stderr.trim());
        }
        match self.exit_code {
            Some(code) => write!(
                formatter,
                "it exited with {code} and said nothing; its output is `{}`",
                self.log.display()
            ),
            None => write!(
                formatter,
                "it was killed by a signal; its output is `{}`",
                self.log.display()
            ),
        }
    }
}

/// Who holds the lock of a state, as the error about it says. Empty where it does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockInfo {
    /// The lock's id, for `force-unlock`. The `pg` backend gives that of the one who asks instead.
    pub id: String,
    /// The state.
    pub path: String,
    /// What is done under it.
    pub operation: String,
    /// `user@host`.
    pub who: String,
    /// Since when.
    pub created: String,
}

impl LockInfo {
    /// Reads it out of the text of the error.
    pub(crate) fn from_detail(detail: &str) -> Self {
        let field = |name: &str| {
            let line =
                detail.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':'));
            line.unwrap_or_default().trim().to_owned()
        };
        Self {
            id: field("ID"),
            path: field("Path"),
            operation: field("Operation"),
            who: field("Who"),
            created: field("Created"),
        }
    }
}

impl fmt::Display for LockInfo {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.who.is_empty() {
            return formatter.write_str("somebody");
        }
        write!(
            formatter,
            "{} ({}, since {}, lock `{}`)",
            self.who, self.operation, self.created, self.id
        )
    }
}

impl<T> Ended<T> {
    /// Changes what a command gave, and leaves how it ended.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Ended<U> {
        self.and_then(|value| Ok::<_, Infallible>(Ended::Done(change(value))))
            .unwrap_or_else(|never| match never {})
    }

    /// Goes on with what a command gave, where it gave anything.
    pub fn and_then<U, E>(
        self,
        next: impl FnOnce(T) -> Result<Ended<U>, E>,
    ) -> Result<Ended<U>, E> {
        Ok(match self {
            Self::Done(value) => return next(value),
            Self::Failed(failure) => Ended::Failed(failure),
            Self::Cancelled { forced } => Ended::Cancelled { forced },
            Self::TimedOut { forced } => Ended::TimedOut { forced },
            Self::Locked(lock) => Ended::Locked(lock),
            Self::NeedsInit(reason) => Ended::NeedsInit(reason),
            Self::Stale => Ended::Stale,
        })
    }
}

impl<T> fmt::Display for Ended<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(_) => formatter.write_str("done"),
            Self::Failed(failure) => failure.fmt(formatter),
            Self::Cancelled { .. } => formatter.write_str("interrupted"),
            Self::TimedOut { .. } => formatter.write_str("timed out"),
            Self::Locked(lock) => write!(formatter, "the state is locked by {lock}"),
            Self::NeedsInit(reason) => write!(formatter, "`init` is needed: {reason}"),
            Self::Stale => formatter.write_str("the saved plan is stale"),
        }
    }
}

/// The beginnings of the summaries of errors that only `init` mends, of Terraform 1.11; each comes before anything is touched.
const NEEDS_INIT: &[&str] = &[
    "Backend initialization required",
    "Inconsistent dependency lock file",
    "Missing required provider",
    "Module not installed",
    "Module source has changed",
    "Module version requirements have changed",
    "Required plugins are not installed",
];

/// Finds out from its errors why a command failed.
pub(crate) fn classify<T>(command: &str, failure: Failure) -> Ended<T> {
    let errors = failure.errors();
    let with_summary =
        |summary: &str| errors.iter().find(|error| error.summary.starts_with(summary));
    // A lock that could not be taken for another reason, such as a full disk, is held by nobody.
    if let Some(error) = with_summary("Error acquiring the state lock")
        && ["Lock Info:", "temporarily unavailable"].iter().any(|sign| error.detail.contains(sign))
    {
        return Ended::Locked(LockInfo::from_detail(&error.detail));
    }
    if with_summary("Saved plan is stale").is_some()
        || with_summary("Saved plan does not match the given state").is_some()
    {
        return Ended::Stale;
    }
    match NEEDS_INIT.iter().find_map(|beginning| with_summary(beginning)) {
        // From `init` itself these say that it cannot do what is needed.
        Some(error) if command != "init" => Ended::NeedsInit(error.summary.to_string()),
        _ => Ended::Failed(failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_is_read_out_of_the_error() {
        let detail = "Error message: resource temporarily unavailable\nLock Info:\n  ID:        8d6c-1\n  \
                      Path:      /s/terraform.tfstate\n  Operation: OperationTypeApply\n  Who:       ada@host\n  \
                      Version:   1.11.4\n  Created:   2026-11-24 09:00:00.1 +0000 UTC\n  Info:      \n\n\nTerraform acquires";
        let lock = LockInfo::from_detail(detail);
        insta::assert_snapshot!(lock, @"ada@host (OperationTypeApply, since 2026-11-24 09:00:00.1 +0000 UTC, lock `8d6c-1`)");
        assert_eq!(lock.path, "/s/terraform.tfstate");
        insta::assert_snapshot!(LockInfo::from_detail("nothing of it"), @"somebody");
    }

    #[test]
    fn a_failure_always_says_something() {
        let mut failure = Failure {
            command: "plan",
            exit_code: Some(1),
            diagnostics: vec![],
            stderr: String::new(),
            log: "runs/1.out".into(),
        };
        insta::assert_snapshot!(failure, @"it exited with 1 and said nothing; its output is `runs/1.out`");
        failure.exit_code = None;
        insta::assert_snapshot!(failure, @"it was killed by a signal; its output is `runs/1.out`");
        failure.stderr = "flag provided but not defined: -bogus\n".into();
        insta::assert_snapshot!(failure, @"flag provided but not defined: -bogus");
    }

    fn error(summary: &str) -> Failure {
        let diagnostic = serde_json::json!({"severity": "error", "summary": summary});
        let diagnostics = vec![serde_json::from_value(diagnostic).unwrap()];
        Failure {
            command: "plan",
            exit_code: Some(1),
            diagnostics,
            stderr: String::new(),
            log: "runs/1.out".into(),
        }
    }

    #[track_caller]
    fn check(command: &str, failure: Failure, expected: &str) {
        assert_eq!(classify::<()>(command, failure).to_string(), expected);
    }

    #[test]
    fn the_reason_is_found_among_the_errors() {
        check("plan", error("Module not installed"), "`init` is needed: Module not installed");
        check(
            "init",
            error("Backend initialization required, please run"),
            "error: Backend initialization required, please run",
        );
        check("apply", error("Saved plan is stale"), "the saved plan is stale");
        let lock = |detail: &str| {
            let mut failure = error("Error acquiring the state lock");
            failure.diagnostics[0].detail = detail.to_owned();
            failure
        };
        let held = "Error message: resource temporarily unavailable\nLock Info:\n  Who: ada@host\n";
        check("plan", lock(held), "the state is locked by ada@host (, since , lock ``)");
        check(
            "plan",
            lock("Error message: no space left on device"),
            "error: Error acquiring the state lock\n\nError message: no space left on device",
        );
        check("plan", error("Invalid value for variable"), "error: Invalid value for variable");
        let text = "╷\n│ Error: Module not installed\n│ \n│   on main.tf line 1:\n";
        let failure = Failure {
            command: "show",
            exit_code: Some(1),
            diagnostics: vec![],
            stderr: text.into(),
            log: "x.out".into(),
        };
        check("show", failure, "`init` is needed: Module not installed");
    }
}
