//! Printing: data to stdout, conversation to stderr, color only where it is wanted.

use std::fmt::Write as _;
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::time::Duration;

use anyhow::Context as _;
use clap::ValueEnum;
use rustix::event::{PollFd, PollFlags, Timespec};
use serde::Serialize;

use crate::surroundings;

/// How data is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// For programs: one object with a version
    Json,
}

/// When color is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal
    #[default]
    Auto,
    /// Everywhere
    Always,
    /// Nowhere
    Never,
}

/// Prints data. A reader that has gone away has what it wanted.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    print_bytes(text.as_bytes())
}

/// Prints data that may be no text.
pub(crate) fn print_bytes(bytes: &[u8]) -> anyhow::Result<()> {
    print_to_reader(bytes).map(drop)
}

/// Prints data that may be no text; returns whether the reader is still there.
pub(crate) fn print_to_reader(bytes: &[u8]) -> anyhow::Result<bool> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        printed => printed.map(|()| true).context("failed to write to standard output"),
    }
}

/// Waits, but not for one who reads no more: returns whether somebody still does.
pub(crate) fn pause(time: Duration) -> bool {
    let timeout = Timespec::try_from(time).expect("a pause of ours is short");
    let stdout = io::stdout();
    // Nothing is asked for, so only an error or a hang-up ends it early.
    let mut poll = [PollFd::new(&stdout, PollFlags::empty())];
    if rustix::event::poll(&mut poll, Some(&timeout)) == Ok(0) {
        return true;
    }
    // A signal, or on macOS a device that can't be asked.
    let is_left = poll[0].revents().intersects(PollFlags::ERR | PollFlags::HUP);
    if !is_left {
        std::thread::sleep(time);
    }
    !is_left
}

/// Prints data as JSON.
pub(crate) fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    print(&json(value))
}

/// Says one thing to the person who waits; nobody there to hear it is no failure.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", text.trim_end());
}

/// Standard error, as far as it differs from one run to the next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terminal {
    styles: Styles,
    is_interactive: bool,
}

/// Whether the words that begin a line of conversation are colored. The words themselves are always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Styles {
    color: bool,
}

impl Terminal {
    pub(crate) fn new(color: Color) -> Self {
        let no_color = surroundings::variable("NO_COLOR").is_some();
        let is_terminal = io::stderr().is_terminal();
        let is_dumb = surroundings::variable("TERM").is_some_and(|term| term == "dumb");
        Self {
            styles: Styles { color: is_colored(color, no_color, is_terminal) },
            is_interactive: is_terminal && !is_dumb,
        }
    }

    /// Returns whether what was said can be written over.
    pub(crate) fn is_interactive(self) -> bool {
        self.is_interactive
    }

    pub(crate) fn styles(self) -> Styles {
        self.styles
    }

    /// Says what a person should know beside.
    pub(crate) fn note(self, text: &str) {
        say(&format!("{} {text}", self.styles.note()));
    }

    /// Says what may go wrong.
    pub(crate) fn warn(self, text: &str) {
        say(&format!("{} {text}", self.styles.warning()));
    }

    /// Says what to do next.
    pub(crate) fn next(self, text: &str) {
        say(&format!("{} {text}", self.styles.next()));
    }
}

/// `NO_COLOR` wins over everything: <https://no-color.org>.
fn is_colored(color: Color, no_color: bool, is_terminal: bool) -> bool {
    match color {
        _ if no_color => false,
        Color::Auto => is_terminal,
        Color::Always => true,
        Color::Never => false,
    }
}

impl Styles {
    pub(crate) const PLAIN: Self = Self { color: false };

    pub(crate) fn error(self) -> String {
        self.paint("1;31", "error:")
    }

    pub(crate) fn warning(self) -> String {
        self.paint("1;33", "warning:")
    }

    pub(crate) fn hint(self) -> String {
        self.paint("1;36", "hint:")
    }

    pub(crate) fn note(self) -> String {
        self.paint("1;34", "note:")
    }

    pub(crate) fn next(self) -> String {
        self.paint("1;32", "next:")
    }

    fn paint(self, code: &str, word: &str) -> String {
        if self.color { format!("\u{1b}[{code}m{word}\u{1b}[0m") } else { word.to_owned() }
    }
}

/// Returns the text of a JSON document.
pub(crate) fn json(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value)
        .expect("our own structs of text, numbers and lists are JSON");
    text.push('\n');
    text
}

/// Returns lines of a label and a value, the values aligned; the further lines of a value are indented to it.
pub(crate) fn rows(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(label, _)| label.len()).max().unwrap_or_default();
    let mut text = String::new();
    for (label, value) in rows {
        let value = value.replace('\n', &format!("\n{:width$}  ", ""));
        writeln!(text, "{label:width$}  {value}").expect("writing to a string can't fail");
    }
    text
}

/// Returns a table whose columns are aligned, but for the last one, which nothing follows.
pub(crate) fn table<const COLUMNS: usize>(
    header: [&str; COLUMNS],
    lines: &[[String; COLUMNS]],
) -> String {
    let header = header.map(str::to_owned);
    let all = || std::iter::once(&header).chain(lines);
    let width =
        |column: usize| all().map(|line| line[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; COLUMNS] = std::array::from_fn(width);
    let mut text = String::new();
    for line in all() {
        let start = text.len();
        for (column, (cell, width)) in line.iter().zip(widths).enumerate() {
            let separator = if column == 0 { "" } else { "  " };
            write!(text, "{separator}{cell:width$}").expect("writing to a string can't fail");
        }
        text.truncate(start + text[start..].trim_end().len());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn no_color_wins() {
        assert!(!is_colored(Color::Always, true, true));
        assert!(!is_colored(Color::Auto, true, true));
        assert!(is_colored(Color::Always, false, false));
        assert!(is_colored(Color::Auto, false, true));
        assert!(!is_colored(Color::Auto, false, false));
        assert!(!is_colored(Color::Never, false, true));
    }

    #[test]
    fn a_word_stays_without_its_color() {
        assert_eq!(Styles { color: true }.error(), "\u{1b}[1;31merror:\u{1b}[0m");
        assert_eq!(Styles::PLAIN.error(), "error:");
    }

    #[test]
    fn labels_and_values() {
        assert_snapshot!(rows(&[("name", "calm-otter".to_owned()), ("expires", "now\nor later".to_owned())]), @r"
        name     calm-otter
        expires  now
                 or later
        ");
        assert_eq!(rows(&[]), "");
    }

    #[test]
    fn columns() {
        let lines = [
            ["calm-otter".to_owned(), "ü".to_owned(), String::new()],
            ["x".to_owned(), "yy".to_owned(), "z".to_owned()],
        ];
        assert_snapshot!(table(["NAME", "B", "C"], &lines), @r"
        NAME        B   C
        calm-otter  ü
        x           yy  z
        ");
    }
}
