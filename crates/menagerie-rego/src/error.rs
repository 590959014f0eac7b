//! [`RegoErrors`], what is wrong with a policy, and [`RegoError`], why an input could not be judged.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use menagerie_compliance::InputError;
use menagerie_config::{ConfigErrors, Problem};
use thiserror::Error;

/// All that is wrong with the files of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegoErrors(Vec<ConfigErrors>);

/// Why an input could not be judged.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RegoError {
    /// The plan or state is none.
    #[error(transparent)]
    Input(#[from] InputError),
    /// It took too long.
    #[error("the policy had not come to an end after {} s", .0.as_secs_f64())]
    TimeLimit(Duration),
    /// The rules could not be started at all.
    #[error("the policy could not be evaluated: {0}")]
    Policy(String),
}

impl RegoErrors {
    /// Returns what is wrong, file by file.
    pub fn files(&self) -> &[ConfigErrors] {
        &self.0
    }
}

impl fmt::Display for RegoErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        formatter.write_str(&texts.join("\n\n"))
    }
}

impl std::error::Error for RegoErrors {}

/// Problems of several files while they are found.
#[derive(Debug, Default)]
pub(crate) struct Notes(Vec<(PathBuf, Vec<Problem>)>);

impl Notes {
    pub(crate) fn note(&mut self, file: &Path, problem: Problem) {
        match self.0.iter_mut().find(|(path, _)| path == file) {
            Some((_, problems)) if problems.contains(&problem) => {}
            Some((_, problems)) => problems.push(problem),
            None => self.0.push((file.to_owned(), vec![problem])),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn end(mut self) -> Result<(), RegoErrors> {
        if self.0.is_empty() {
            return Ok(());
        }
        self.0.sort_by(|one, other| one.0.cmp(&other.0));
        let errors = self.0.into_iter().map(|(file, problems)| ConfigErrors::new(file, problems));
        Err(RegoErrors(errors.collect()))
    }
}

/// What regorus says of a place in a file, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The number of the file, line and column, where it says so.
    pub(crate) place: Option<(String, usize, usize)>,
    pub(crate) message: String,
}

impl Fault {
    /// Takes apart `\n--> FILE:LINE:COLUMN\n … \nerror: MESSAGE`.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        let text = error.to_string();
        let place = text.lines().find_map(|line| {
            let mut parts = line.strip_prefix("--> ")?.rsplitn(3, ':');
            let (column, line, file) = (parts.next()?, parts.next()?, parts.next()?);
            Some((file.to_owned(), line.parse().ok()?, column.parse().ok()?))
        });
        let message = match text.split_once("\nerror: ") {
            Some((_, message)) => message.lines().next().unwrap_or_default().to_owned(),
            None => text.trim().lines().next().unwrap_or_default().to_owned(),
        };
        Self { place, message }
    }

    /// Returns what helps, as far as the message tells.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        let has = |part: &str| self.message.contains(part);
        Some(match () {
            () if has("conflicts with rule") || has("multiple outputs") => {
                "a rule has one value: make the bodies exclude each other, or use `contains`"
            }
            () if has("could not parse string as number") => {
                "ask before, with `regex.match(`^[0-9]+$`, x)`"
            }
            () if has("divide by zero") => "ask before whether it is 0",
            () if has("recursion") => {
                "rules can't need themselves; `walk` goes through what is nested"
            }
            () if has("is unsafe") => "declare it with `some`, or see whether its name is right",
            () if has("`if` keyword is required") || has("`contains` keyword") => {
                "this is the syntax of OPA before 1.0: `opa fmt --v0-v1` rewrites it"
            }
            () => return None,
        })
    }
}

/// Returns line, column and reason of an error of YAML.
pub(crate) fn of_yaml(error: &serde_saphyr::Error) -> (usize, usize, String) {
    let number = |number: u64| usize::try_from(number).unwrap_or(1);
    let place = error.location();
    let place = place.map_or((1, 1), |place| (number(place.line()), number(place.column())));
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    let reason = line.split_once(" column ").and_then(|(_, rest)| rest.split_once(": "));
    (place.0, place.1, reason.map_or(line, |(_, reason)| reason).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults() {
        let error =
            anyhow::anyhow!("\n--> a:b.rego:3:17\n  |\n3 | x\n  | ^\nerror: divide by zero");
        let fault = Fault::of(&error);
        assert_eq!(fault.place, Some(("a:b.rego".to_owned(), 3, 17)));
        assert_eq!(fault.message, "divide by zero");
        assert!(fault.hint().is_some());
        assert_eq!(Fault::of(&anyhow::anyhow!("x")).message, "x");
    }
}
