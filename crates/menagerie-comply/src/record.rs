//! The report of a run as it is kept, for `waive` to find a finding in it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use jiff::civil::Date;
use menagerie_compliance::RuleId;
use serde::Deserialize;

use crate::exit;
use crate::problem::Problem;

/// What `waive` reads of a report.
#[derive(Debug, Deserialize)]
pub(crate) struct Record {
    version: u32,
    judged: Vec<Judged>,
    findings: Vec<Told>,
    head: Option<Head>,
}

#[derive(Debug, Deserialize)]
struct Judged {
    environment: Option<String>,
    expires: Option<Date>,
}

/// What only the rules of the checkout say.
#[derive(Debug, Deserialize)]
struct Head {
    new: Vec<Told>,
}

/// A finding as it was told.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Told {
    pub(crate) rule: String,
    pub(crate) verdict: String,
    pub(crate) counts: bool,
    pub(crate) environment: Option<String>,
    pub(crate) address: Option<String>,
    pub(crate) attribute: Option<String>,
    pub(crate) fingerprint: String,
}

impl Record {
    /// Reads a report that was kept, or that `--format json` printed.
    pub(crate) fn read(path: &Path, is_last: bool) -> Result<Self, Problem> {
        let again = "`cargo xtask comply` tells what there is to waive, and keeps it for this";
        let text = match fs::read(path) {
            Err(error) if is_last && error.kind() == io::ErrorKind::NotFound => {
                return Err(Problem::usage("nothing was judged here yet").hint(again));
            }
            read => read.map_err(|error| {
                let message = format!("failed to read `{}`", path.display());
                Problem::new(exit::FAILED, message).cause(error)
            })?,
        };
        let record: Self = serde_json::from_slice(&text).map_err(|error| {
            let message = format!("`{}` is no report of `comply`", path.display());
            Problem::usage(message).cause(error).hint("give what `--format json` printed")
        })?;
        if record.version != 1 {
            let message = format!("`{}` is a report of another version", path.display());
            return Err(Problem::usage(message).hint(again));
        }
        Ok(record)
    }

    /// Finds what has a fingerprint that begins so.
    pub(crate) fn find(&self, prefix: &str) -> Result<&Told, Problem> {
        if prefix.len() < 4 {
            return Err(Problem::usage("give at least 4 characters of a fingerprint"));
        }
        let head = self.head.iter().flat_map(|head| &head.new);
        let mut found: Vec<&Told> = Vec::new();
        for told in self.findings.iter().chain(head) {
            if told.fingerprint.starts_with(prefix) && !found.contains(&told) {
                found.push(told);
            }
        }
        match found[..] {
            [told] => Ok(told),
            [] => {
                let message = format!("no finding has the fingerprint `{}`", prefix.escape_debug());
                let hint = "it stands with each finding; `cargo xtask comply` tells them anew, and `--from FILE` names another report";
                Err(Problem::usage(message).hint(hint))
            }
            _ => {
                let message = format!("{} findings have a fingerprint that begins so", found.len());
                let all: Vec<&str> = found.iter().map(|told| told.fingerprint.as_str()).collect();
                Err(Problem::usage(message).hint(format!("there is {}", all.join(", "))))
            }
        }
    }

    /// Returns the last day of an environment, as it was when it was judged.
    pub(crate) fn expiry(&self, environment: &str) -> Option<Date> {
        let of = |judged: &&Judged| judged.environment.as_deref() == Some(environment);
        self.judged.iter().find(of)?.expires
    }
}

impl Told {
    /// Returns the rule, if that can be one.
    pub(crate) fn rule(&self) -> Result<RuleId, Problem> {
        self.rule.parse().map_err(|error| Problem::usage("the report is damaged").cause(error))
    }
}

/// Writes a file at once, readable for its owner only where `mode` says so.
pub(crate) fn write(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let sibling = path.with_file_name(name);
    let written = (|| {
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&sibling)?;
        file.write_all(text.as_bytes())?;
        file.sync_data()?;
        fs::rename(&sibling, path)
    })();
    if written.is_err() {
        // The write's own error is the one to tell.
        let _ = fs::remove_file(&sibling);
    }
    written
}
