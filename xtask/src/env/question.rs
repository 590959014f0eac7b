//! What destroys asks for the name: on a terminal by a question, elsewhere by `--confirm`.

use std::io::{self, IsTerminal as _, Write as _};

use anyhow::Context as _;
use menagerie_naming::EnvName;

use crate::exit;
use crate::output;
use crate::report::Problem;

/// A question that only the name of the environment answers.
#[derive(Debug)]
pub(crate) struct Question<'a> {
    pub(crate) name: &'a EnvName,
    /// What is about to be done: `destroy it`.
    pub(crate) action: &'static str,
    /// What is so without an answer: `… is not destroyed`.
    pub(crate) refused: String,
    /// The command, to which `--confirm` is missing.
    pub(crate) command: String,
}

impl Question<'_> {
    /// Takes the answer that was given, else asks on the terminal, else refuses. What is at stake is shown before the question.
    pub(crate) fn confirm(
        &self,
        given: Option<&str>,
        at_stake: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        match given {
            Some(answer) => self.check(answer)?,
            None if io::stdin().is_terminal() && io::stderr().is_terminal() => {
                output::say(&at_stake());
                self.check(&self.ask()?)?;
            }
            None => return Err(self.unconfirmed("was not confirmed").into()),
        }
        Ok(())
    }

    fn ask(&self) -> anyhow::Result<String> {
        // Whoever sees no question can't answer it, so a failure to print it is not passed over.
        write!(io::stderr(), "Type `{}` to {}: ", self.name, self.action)
            .context("failed to ask for the name")?;
        let mut answer = String::new();
        if io::stdin().read_line(&mut answer).context("failed to read the name")? == 0 {
            // The input has ended, and no newline of the user's ends the question.
            output::say("");
        }
        Ok(answer.trim().to_owned())
    }

    /// Refuses a name that is another one.
    pub(crate) fn check(&self, answer: &str) -> Result<(), Problem> {
        match answer {
            _ if answer == self.name.as_str() => Ok(()),
            "" => Err(self.unconfirmed("was not confirmed")),
            _ => Err(self.unconfirmed("was confirmed with another name")),
        }
    }

    fn unconfirmed(&self, what: &str) -> Problem {
        Problem::new(exit::REFUSED, format!("{}: it {what}", self.refused))
            .hint(format!("`{} --confirm {}`, if that is what you want", self.command, self.name))
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::output::Styles;
    use crate::report;

    #[test]
    fn a_name_confirms_only_itself() {
        let name = "calm-otter".parse().unwrap();
        let question = crate::env::destroy::question(&name);
        assert!(question.check("calm-otter").is_ok());
        for answer in ["", "y", "yes", "Calm-Otter", "calm-otter2"] {
            let error = anyhow::Error::from(question.check(answer).unwrap_err());
            assert_eq!(report::code(&error), exit::REFUSED, "{answer}");
        }
        assert_snapshot!(report::render(&question.check("lost-lynx").unwrap_err().into(), Styles::PLAIN), @"
        error: `calm-otter` is not destroyed: it was confirmed with another name
        hint: `cargo xtask env destroy calm-otter --confirm calm-otter`, if that is what you want
        ");
    }
}
