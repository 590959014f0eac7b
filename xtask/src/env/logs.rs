//! `env logs`.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use anyhow::Context as _;
use clap::Args;
use menagerie_lifecycle::Log;
use menagerie_naming::EnvName;

use crate::env::name;
use crate::output::{self, Terminal};
use crate::report::Problem;
use crate::session;

/// Print the last lines that an environment's services wrote
#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// The environment
    #[arg(value_parser = name::parse)]
    name: EnvName,

    /// Print only this service's lines
    #[arg(long)]
    service: Option<String>,

    /// Print at most so many lines of each replica
    #[arg(long, value_name = "N", default_value_t = 100)]
    lines: usize,
}

impl Logs {
    pub(crate) fn run(self, terminal: Terminal) -> anyhow::Result<()> {
        let repository = session::repository()?;
        let logs = menagerie_lifecycle::logs(&repository, &self.name)?;
        if logs.is_empty() {
            terminal.note(&format!("`{}` has no logs on this machine", self.name));
            return Ok(());
        }
        for log in of_service(&logs, self.service.as_deref())? {
            let failed = || format!("failed to read `{}`", log.path.display());
            let mut file = File::open(&log.path).with_context(failed)?;
            let text = last_lines(&mut file, self.lines).with_context(failed)?;
            output::print_bytes(&prefixed(&text, &format!("{}/{} | ", log.service, log.replica)))?;
        }
        Ok(())
    }
}

/// Returns the logs of one service, or all.
fn of_service<'a>(logs: &'a [Log], service: Option<&str>) -> Result<Vec<&'a Log>, Problem> {
    let Some(service) = service else { return Ok(logs.iter().collect()) };
    let found: Vec<&Log> = logs.iter().filter(|log| log.service == service).collect();
    if found.is_empty() {
        let services: BTreeSet<String> =
            logs.iter().map(|log| format!("`{}`", log.service)).collect();
        let services = Vec::from_iter(services).join(", ");
        return Err(Problem::usage(format!("there is no service `{}`", service.escape_debug()))
            .hint(format!("there is {services}")));
    }
    Ok(found)
}

/// Returns the last lines of a file, of which only the end is read: a log can be large.
fn last_lines(file: &mut (impl Read + Seek), lines: usize) -> io::Result<Vec<u8>> {
    const BLOCK: u64 = 64 * 1024;
    let mut start = file.seek(SeekFrom::End(0))?;
    let mut blocks: Vec<Vec<u8>> = Vec::new();
    let mut found = 0;
    // One more than the lines: the newline at the very end ends the last of them.
    while start > 0 && found <= lines {
        let length = start.min(BLOCK);
        start -= length;
        file.seek(SeekFrom::Start(start))?;
        let mut block = Vec::new();
        file.take(length).read_to_end(&mut block)?;
        found += block.split(|byte| *byte == b'\n').count() - 1;
        blocks.push(block);
    }
    blocks.reverse();
    let text = blocks.concat();
    let all: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    Ok(all[all.len().saturating_sub(lines)..].concat())
}

/// Puts a prefix before each line, and a newline behind the last one where it is missing.
fn prefixed(text: &[u8], prefix: &str) -> Vec<u8> {
    let mut printed = Vec::new();
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        printed.extend_from_slice(prefix.as_bytes());
        printed.extend_from_slice(line);
    }
    if printed.last().is_some_and(|byte| *byte != b'\n') {
        printed.push(b'\n');
    }
    printed
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[track_caller]
    fn check(text: &str, lines: usize, expected: &str) {
        let found = last_lines(&mut Cursor::new(text), lines).unwrap();
        assert_eq!(String::from_utf8(found).unwrap(), expected);
    }

    #[test]
    fn the_last_lines() {
        check("a\nb\nc\n", 2, "b\nc\n");
        check("a\nb\nc", 2, "b\nc");
        check("a\nb\nc\n", 3, "a\nb\nc\n");
        check("a\n", 9, "a\n");
        check("\n\n", 1, "\n");
        check("a\nb\n", 0, "");
        check("", 5, "");
    }

    #[test]
    fn lines_longer_than_what_is_read_at_once() {
        let long = "x".repeat(200_000);
        check(&format!("a\n{long}\nb\n"), 2, &format!("{long}\nb\n"));
        check(&format!("{long}\n{long}"), 1, &long);
    }

    #[test]
    fn lines_say_whose_they_are() {
        assert_eq!(prefixed(b"a\n\nb", "web/0 | "), b"web/0 | a\nweb/0 | \nweb/0 | b\n");
        assert_eq!(prefixed(b"", "web/0 | "), b"");
    }

    #[test]
    fn one_service() {
        let log = |service: &str| Log {
            service: service.to_owned(),
            replica: "0".to_owned(),
            path: "/log".into(),
        };
        let logs = [log("web"), log("worker")];
        assert_eq!(of_service(&logs, None).unwrap().len(), 2);
        assert_eq!(of_service(&logs, Some("web")).unwrap(), [&logs[0]]);
        assert_eq!(
            of_service(&logs, Some("db\n")).unwrap_err().to_string(),
            r"there is no service `db\n`"
        );
    }
}
