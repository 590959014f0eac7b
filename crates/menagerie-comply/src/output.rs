//! Printing: data to stdout, conversation to stderr, color only where it is wanted.

use std::io::{self, ErrorKind, IsTerminal as _, Write as _};

use clap::ValueEnum;

use crate::exit;
use crate::problem::Problem;

/// When color is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal
    Auto,
    /// Everywhere
    Always,
    /// Nowhere
    Never,
}

/// Whether the words that begin a line of conversation are colored. The words themselves are always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Styles {
    color: bool,
}

impl Styles {
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self { color: false };

    /// Returns those of standard error.
    pub(crate) fn of(color: Color) -> Self {
        Self::for_stream(color, io::stderr().is_terminal())
    }

    /// Returns those of standard output.
    pub(crate) fn of_data(color: Color) -> Self {
        Self::for_stream(color, io::stdout().is_terminal())
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the convention is a variable: https://no-color.org"
    )]
    fn for_stream(color: Color, is_terminal: bool) -> Self {
        let is_refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let is_wanted = match color {
            Color::Auto => is_terminal,
            Color::Always => true,
            Color::Never => false,
        };
        Self { color: is_wanted && !is_refused }
    }

    pub(crate) fn is_colored(self) -> bool {
        self.color
    }

    pub(crate) fn error(self) -> String {
        self.paint("1;31", "error:")
    }

    pub(crate) fn hint(self) -> String {
        self.paint("1;36", "hint:")
    }

    fn paint(self, code: &str, word: &str) -> String {
        if self.color { format!("\u{1b}[{code}m{word}\u{1b}[0m") } else { word.to_owned() }
    }
}

/// Prints data. A reader that has gone away has what it wanted.
pub(crate) fn print(text: &str) -> Result<(), Problem> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        printed => printed.map_err(|error| {
            Problem::new(exit::FAILED, "failed to write to standard output").cause(error)
        }),
    }
}

/// Says one thing to the person who waits; nobody there to hear it is no failure.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", text.trim_end());
}
