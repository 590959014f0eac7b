//! `comply waive`.

use std::path::PathBuf;

use clap::Args;
use jiff::civil::Date;

use super::policy::PolicyArgs;
use super::program::Call;
use crate::output::Color;
use crate::report::Problem;
use crate::session;

/// Answer for a finding until a day: write a waiver to `tf/compliance/waivers/<RULE>.toml`
///
/// The finding is one of the last run of `comply`. The waiver is bound to it: where the value changes, the finding is back.
/// Refused (7) is what would hold too long, would outlive its environment, or is waived already.
#[derive(Debug, Args)]
pub(super) struct Waive {
    /// The fingerprint that stands with the finding, or how it begins
    fingerprint: String,

    /// Why it is right for now
    #[arg(long, value_name = "TEXT")]
    reason: String,

    /// The last day, such as 2027-01-31
    #[arg(long, value_name = "DATE")]
    expires: Date,

    /// Who agreed to it
    #[arg(long, value_name = "WHO")]
    approved_by: String,

    /// Where it is written down
    #[arg(long, value_name = "TICKET")]
    ticket: String,

    /// Who puts it right [default: git's `user.email`]
    #[arg(long, value_name = "WHO")]
    owner: Option<String>,

    /// Find the finding in this report, which `--format json` printed [default: that of the last run]
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,

    #[command(flatten)]
    policy: PolicyArgs,
}

impl Waive {
    pub(super) fn run(self, color: Color) -> anyhow::Result<()> {
        let owner = match &self.owner {
            Some(owner) => owner.clone(),
            None => session::repository()?.git().user().ok_or_else(|| {
                Problem::usage("nobody answers for it: git knows no `user.email`")
                    .hint("give `--owner`")
            })?,
        };
        let last = match &self.from {
            Some(_) => None,
            None => Some(session::repository()?.home().judged()),
        };
        self.call(owner, last)?.make(color)
    }

    fn call(self, owner: String, last: Option<PathBuf>) -> anyhow::Result<Call> {
        let mut call = Call::new("waive");
        self.policy.tell(&mut call)?;
        call.option_if("--last", last);
        call.option_if("--from", self.from);
        call.option("--reason", self.reason);
        call.option("--expires", self.expires.to_string());
        call.option("--owner", owner);
        call.option("--approved-by", self.approved_by);
        call.option("--ticket", self.ticket);
        call.words([self.fingerprint]);
        Ok(call)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_passed_on() {
        let waive = Waive {
            fingerprint: "--last".to_owned(),
            reason: "--because".to_owned(),
            expires: "2027-01-31".parse().unwrap(),
            approved_by: "grace".to_owned(),
            ticket: "SEC-1".to_owned(),
            owner: None,
            from: None,
            policy: PolicyArgs::of("rules"),
        };
        waive.call("ada".to_owned(), Some("h/comply.json".into())).unwrap().check(
            "waive --policy=rules --last=h/comply.json --reason=--because --expires=2027-01-31 --owner=ada --approved-by=grace --ticket=SEC-1 -- --last",
        );
    }
}
