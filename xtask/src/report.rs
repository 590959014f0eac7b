//! Errors as the user reads them: what failed, why, and the way out; and the exit code.

use std::error::Error;
use std::fmt;

use menagerie_config::ReadError;
use menagerie_lifecycle::{
    AdoptionError, CheckTemplatesError, CreateError, Explain, InventoryError, OpenError,
    RehearsalError, RunError, TestError, TreeTestError,
};

use crate::exit;
use crate::output::Styles;

/// A failure that the front end finds by itself.
#[derive(Debug)]
pub(crate) struct Problem {
    code: u8,
    message: String,
    hint: Option<String>,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl Problem {
    pub(crate) fn new(code: u8, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, cause: None }
    }

    /// The command line is wrong in a way that clap can't see.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(exit::USAGE, message)
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    pub(crate) fn cause(self, cause: impl Error + Send + Sync + 'static) -> Self {
        Self { cause: Some(Box::new(cause)), ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl Error for Problem {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_ref().map(|cause| &**cause as &(dyn Error + 'static))
    }
}

/// Returns an error and its causes, and the hint of the first that has one.
pub(crate) fn render(error: &anyhow::Error, styles: Styles) -> String {
    let mut lines = vec![format!("{} {}", styles.error(), error.to_string().trim_end())];
    lines.extend(
        error.chain().skip(1).map(|cause| format!("  caused by: {}", indent(&cause.to_string()))),
    );
    lines.extend(error.chain().find_map(hint).map(|hint| format!("{} {hint}", styles.hint())));
    lines.join("\n")
}

/// Returns the exit code: that of the first in the chain that knows one.
pub(crate) fn code(error: &anyhow::Error) -> u8 {
    error.chain().find_map(cause_code).unwrap_or(exit::FAILED)
}

fn indent(text: &str) -> String {
    text.replace('\n', "\n    ")
}

fn hint(cause: &(dyn Error + 'static)) -> Option<String> {
    match cause.downcast_ref::<Problem>() {
        Some(problem) => problem.hint.clone(),
        None => explained(cause)?.hint(),
    }
}

fn cause_code(cause: &(dyn Error + 'static)) -> Option<u8> {
    if let Some(problem) = cause.downcast_ref::<Problem>() {
        return Some(problem.code);
    }
    if cause.is::<ReadError>() {
        return Some(exit::INVALID);
    }
    explained(cause).map(|error| exit::of(error.kind()))
}

/// Returns the error as one that explains itself; which ones do is only known by trying.
fn explained<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a dyn Explain> {
    fn of<'a, E: Explain + 'static>(cause: &'a (dyn Error + 'static)) -> Option<&'a dyn Explain> {
        cause.downcast_ref::<E>().map(|error| error as &dyn Explain)
    }
    None.or_else(|| of::<RunError>(cause))
        .or_else(|| of::<CreateError>(cause))
        .or_else(|| of::<InventoryError>(cause))
        .or_else(|| of::<OpenError>(cause))
        .or_else(|| of::<CheckTemplatesError>(cause))
        .or_else(|| of::<TestError>(cause))
        .or_else(|| of::<TreeTestError>(cause))
        .or_else(|| of::<AdoptionError>(cause))
        .or_else(|| of::<RehearsalError>(cause))
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;
    use insta::assert_snapshot;

    use super::*;

    fn refused() -> anyhow::Error {
        Problem::new(exit::REFUSED, "`calm-otter` was not confirmed")
            .hint("give `--confirm calm-otter`")
            .into()
    }

    #[test]
    fn an_error_with_its_way_out() {
        assert_snapshot!(render(&refused(), Styles::PLAIN), @r"
        error: `calm-otter` was not confirmed
        hint: give `--confirm calm-otter`
        ");
        assert_eq!(code(&refused()), exit::REFUSED);
    }

    #[test]
    fn a_chain_is_told_once_from_the_top() {
        let error =
            Err::<(), _>(refused()).context("failed to destroy").context("failed").unwrap_err();
        assert_snapshot!(render(&error, Styles::PLAIN), @r"
        error: failed
          caused by: failed to destroy
          caused by: `calm-otter` was not confirmed
        hint: give `--confirm calm-otter`
        ");
        assert_eq!(code(&error), exit::REFUSED);
    }

    #[test]
    fn an_error_of_a_library_explains_itself() {
        let error = InventoryError::NotFound {
            name: "calm-oter".parse().unwrap(),
            known: vec!["calm-otter".parse().unwrap()],
        };
        let error = anyhow::Error::new(error).context("failed to show it");
        assert_snapshot!(render(&error, Styles::PLAIN), @r"
        error: failed to show it
          caused by: there is no environment `calm-oter`
        hint: did you mean `calm-otter`?
        ");
        assert_eq!(code(&error), exit::NOT_FOUND);
    }

    #[test]
    fn an_unknown_error_is_a_failure() {
        assert_eq!(code(&anyhow::anyhow!("no")), exit::FAILED);
    }
}
