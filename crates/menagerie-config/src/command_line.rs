//! [`CommandLine`]: a program and its arguments.

use thiserror::Error;

/// A program and its arguments, which no shell ever sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    words: Vec<String>,
}

/// Why words are no command line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CommandLineError {
    /// There is no program.
    #[error("the first word is the program, but there is none")]
    NoProgram,
    /// A word holds a zero byte, at which the operating system would end it.
    #[error("word {0} holds a zero byte")]
    ZeroByte(usize),
}

impl CommandLine {
    /// Returns the command line of these words, the program first.
    pub fn new(words: Vec<String>) -> Result<Self, CommandLineError> {
        if words.first().is_none_or(String::is_empty) {
            return Err(CommandLineError::NoProgram);
        }
        match words.iter().position(|word| word.contains('\0')) {
            Some(index) => Err(CommandLineError::ZeroByte(index + 1)),
            None => Ok(Self { words }),
        }
    }

    /// Returns the program.
    pub fn program(&self) -> &str {
        &self.words[0]
    }

    /// Returns what follows the program.
    pub fn arguments(&self) -> &[String] {
        &self.words[1..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(words: &[&str], expected: Result<(&str, usize), &str>) {
        let command = CommandLine::new(words.iter().map(|word| (*word).to_owned()).collect());
        let actual = command.as_ref().map(|command| (command.program(), command.arguments().len()));
        assert_eq!(actual.map_err(ToString::to_string), expected.map_err(str::to_owned));
    }

    #[test]
    fn words() {
        check(&["target/debug/web"], Ok(("target/debug/web", 0)));
        check(&["cargo", "build", ""], Ok(("cargo", 2)));
        check(&[], Err("the first word is the program, but there is none"));
        check(&["", "build"], Err("the first word is the program, but there is none"));
        check(&["cargo", "a\0b"], Err("word 2 holds a zero byte"));
    }
}
