//! `waive`: somebody answers for a finding, until a day.

mod file;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::civil::Date;
use menagerie_compliance::Waiver;

use crate::policy::{PolicyArgs, Rules};
use crate::problem::Problem;
use crate::record::{self, Record, Told};
use crate::verdict::today;
use crate::{exit, output};

/// Write a waiver for a finding
#[derive(Debug, Args)]
pub(crate) struct Waive {
    /// The fingerprint that stands with the finding, or how it begins
    fingerprint: String,

    #[command(flatten)]
    policy: PolicyArgs,

    /// The report that has the finding
    #[arg(long, value_name = "FILE", required_unless_present = "last")]
    from: Option<PathBuf>,

    /// Where the report of the last run is kept, for where no other is named
    #[arg(long, value_name = "FILE")]
    last: Option<PathBuf>,

    /// Why it is right for now
    #[arg(long)]
    reason: String,

    /// The last day
    #[arg(long, value_name = "DATE")]
    expires: Date,

    /// Who puts it right
    #[arg(long)]
    owner: String,

    /// Who agreed
    #[arg(long)]
    approved_by: String,

    /// Where it is written down
    #[arg(long)]
    ticket: String,
}

impl Waive {
    pub(crate) fn run(self) -> Result<(), Problem> {
        let record = match (&self.from, &self.last) {
            (Some(from), _) => Record::read(from, false)?,
            (None, last) => Record::read(last.as_deref().expect("clap asks for one"), true)?,
        };
        let told = record.find(&self.fingerprint)?;
        let today = today();
        let mut texts = self.policy.texts()?;
        let rules = self.policy.parse(&texts)?;
        self.check(&record, told, &rules, today)?;

        let below = Path::new("waivers").join(format!("{}.toml", told.rule()?));
        let (path, name) = (self.policy.directory().join(&below), self.policy.name().join(&below));
        let failed = |error: io::Error| {
            let message = format!("failed to write `{}`", name.display());
            Problem::new(exit::FAILED, message).cause(error)
        };
        let before = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read.map_err(failed)?,
        };
        let text = file::with(&before, &self.waiver(told, today), today).map_err(|reason| {
            Problem::new(exit::REFUSED, format!("`{}` was not changed: {reason}", name.display()))
        })?;
        // Before it is written: what it says is what the next run reads, or it is not written at all.
        texts.put(name.clone(), text.clone());
        let is_there = |waiver: &Waiver| {
            is_for(waiver, told) && waiver.expires == self.expires && waiver.created == today
        };
        let waivers = self.policy.parse(&texts)?.native.waivers;
        if waivers.iter().filter(|waiver| is_there(waiver)).count() != 1 {
            let message = format!("`{}` can't hold a waiver of this rule", name.display());
            return Err(Problem::new(exit::REFUSED, message));
        }
        let directory = path.parent().expect("it is in `waivers`");
        fs::create_dir_all(directory).map_err(failed)?;
        record::write(&path, &text, 0o666).map_err(failed)?;

        output::print(&format!("{}\n", name.display()))?;
        output::say(&format!(
            "`{}` is waived until {}, for `{}`",
            told.rule,
            self.expires,
            told.address.as_deref().unwrap_or("the resources as a whole").escape_debug()
        ));
        output::say("commit the file: with `--base` it holds when it has been merged");
        Ok(())
    }

    /// Refuses what would not hold, or should not.
    fn check(
        &self,
        record: &Record,
        told: &Told,
        rules: &Rules,
        today: Date,
    ) -> Result<(), Problem> {
        let refused = |message: String| Err(Problem::new(exit::REFUSED, message));
        let rule = &told.rule;
        rules.find(rule)?;
        let policy = &rules.native;
        if told.verdict == "error" {
            let problem = Problem::new(exit::REFUSED, "what could not be judged can't be waived");
            return Err(problem
                .hint(format!("`cargo xtask comply explain {rule}` tells what the rule asks")));
        }
        if let Some(waiver) =
            policy.waivers.iter().find(|waiver| is_for(waiver, told) && waiver.holds_on(today))
        {
            return refused(format!(
                "it is waived until {} already, by {} ({})",
                waiver.expires, waiver.owner, waiver.ticket
            ));
        }
        if !told.counts && told.verdict != "waived" {
            return refused("it does not count, so there is nothing to waive".to_owned());
        }
        for (option, text) in [
            ("--reason", &self.reason),
            ("--owner", &self.owner),
            ("--approved-by", &self.approved_by),
            ("--ticket", &self.ticket),
        ] {
            if text.trim().is_empty() {
                return Err(Problem::usage(format!("`{option}` is empty")));
            }
        }
        if self.expires < today {
            return Err(Problem::usage(format!("{} is over already", self.expires)));
        }
        let most = policy.settings.max_waiver_days;
        let days = i64::from((self.expires - today).get_days());
        if days > most {
            let problem = format!("it would hold for {days} days, and at most {most} are allowed");
            let last = today.saturating_add(jiff::Span::new().days(most));
            return Err(Problem::new(exit::REFUSED, problem).hint(format!(
                "give `--expires {last}`; `max_waiver_days` in `policy.toml` sets the most"
            )));
        }
        let Some(environment) = &told.environment else { return Ok(()) };
        match record.expiry(environment) {
            Some(last) if self.expires > last => {
                let message = format!(
                    "`{environment}` ends on {last}, and no waiver outlives its environment"
                );
                Err(Problem::new(exit::REFUSED, message).hint(format!("give `--expires {last}`")))
            }
            Some(_) => Ok(()),
            None => Err(Problem::usage(format!(
                "the report does not say until when `{}` lives",
                environment.escape_debug()
            ))
            .hint("judge it again")),
        }
    }

    fn waiver<'a>(&'a self, told: &'a Told, today: Date) -> file::New<'a> {
        file::New {
            told,
            reason: &self.reason,
            owner: &self.owner,
            approved_by: &self.approved_by,
            ticket: &self.ticket,
            created: today,
            expires: self.expires,
        }
    }
}

/// Returns whether a waiver is for this very finding.
fn is_for(waiver: &Waiver, told: &Told) -> bool {
    waiver.rule.as_str() == told.rule
        && waiver.environment == told.environment
        && waiver.address.matches(told.address.as_deref().unwrap_or_default())
        && waiver
            .attribute
            .as_ref()
            .is_none_or(|attribute| told.attribute.as_ref() == Some(attribute))
        && waiver.fingerprints.iter().any(|of| of.to_string() == told.fingerprint)
}
