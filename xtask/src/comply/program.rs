//! The program that judges: how it is found, called and become.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::output::{self, Color};
use crate::{binary, surroundings};

const PROGRAM: &str = "menagerie-comply";

/// The arguments of a call.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Call(Vec<OsString>);

impl Call {
    pub(super) fn new(command: &str) -> Self {
        Self(vec![command.into()])
    }

    /// Adds an option; its value is one word with it, so that none can be taken for an option.
    pub(super) fn option(&mut self, name: &str, value: impl Into<OsString>) {
        let mut word = OsString::from(name);
        word.push("=");
        word.push(value.into());
        self.0.push(word);
    }

    /// Adds an option where there is a value for it.
    pub(super) fn option_if(&mut self, name: &str, value: Option<impl Into<OsString>>) {
        if let Some(value) = value {
            self.option(name, value);
        }
    }

    pub(super) fn flag(&mut self, name: &str) {
        self.0.push(name.into());
    }

    /// Adds what is no option, after all that are.
    pub(super) fn words(&mut self, words: impl IntoIterator<Item = impl Into<OsString>>) {
        self.0.push("--".into());
        self.0.extend(words.into_iter().map(Into::into));
    }

    /// Returns the option's value as clap spells it.
    pub(super) fn word(value: &impl ValueEnum) -> String {
        let value = value.to_possible_value().expect("no value of ours is hidden");
        value.get_name().to_owned()
    }

    /// Becomes the program; returns only if it does not build or start.
    pub(super) fn make(self, color: Color) -> anyhow::Result<()> {
        self.make_with(&program()?, color)
    }

    /// Becomes the program that is built already; returns only if it does not start.
    pub(super) fn make_with(mut self, program: &Path, color: Color) -> anyhow::Result<()> {
        let mut first = Self::default();
        first.option("--color", Self::word(&color));
        first.0.append(&mut self.0);
        Err(binary::become_program(program, &first.0))
    }

    #[cfg(test)]
    #[track_caller]
    pub(super) fn check(&self, expected: &str) {
        assert_eq!(self.0.join(std::ffi::OsStr::new(" ")), expected);
    }
}

/// Builds the program, where nobody names one, and returns its path.
pub(super) fn program() -> anyhow::Result<PathBuf> {
    // One that is built already.
    if let Some(path) = surroundings::variable("MENAGERIE_COMPLY") {
        return Ok(PathBuf::from(path));
    }
    output::say(&format!("Building `{PROGRAM}`"));
    // Not the current repository: a plan can be judged anywhere.
    binary::build(PROGRAM, Path::new(env!("CARGO_MANIFEST_DIR")))
}
