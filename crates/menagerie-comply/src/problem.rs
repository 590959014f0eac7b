//! [`Problem`]: what failed, why, and the way out; and the exit code.

use std::error::Error;

use crate::exit;
use crate::output::Styles;

/// Why a run does not return 0.
#[derive(Debug)]
pub(crate) struct Problem {
    code: u8,
    message: String,
    hint: Option<String>,
    cause: Option<Box<dyn Error>>,
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

    pub(crate) fn cause(self, cause: impl Error + 'static) -> Self {
        Self { cause: Some(Box::new(cause)), ..self }
    }

    pub(crate) fn code(&self) -> u8 {
        self.code
    }

    /// Returns what is said: the error, its causes, and the hint.
    pub(crate) fn render(&self, styles: Styles) -> String {
        let mut lines = vec![format!("{} {}", styles.error(), self.message.trim_end())];
        let mut cause = self.cause.as_deref();
        while let Some(error) = cause {
            lines.push(format!("  caused by: {}", error.to_string().replace('\n', "\n    ")));
            cause = error.source();
        }
        lines.extend(self.hint.as_ref().map(|hint| format!("{} {hint}", styles.hint())));
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn an_error_with_its_cause_and_the_way_out() {
        let problem = Problem::new(exit::POLICY, "failed to read it\n")
            .cause(io::Error::other("a line\nand another"))
            .hint("write it");
        assert_eq!(
            problem.render(Styles::PLAIN),
            "error: failed to read it\n  caused by: a line\n    and another\nhint: write it"
        );
        assert_eq!(problem.code(), 3);
    }
}
