//! The machine that was measured on, so that a figure is never without it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::Path;
use std::thread;

use jiff::Timestamp;
use serde::Serialize;

/// What a figure depends on; what the system does not say is null.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    /// When the measuring began.
    pub(crate) at: Timestamp,
    /// How many threads it runs at once.
    cores: usize,
    memory_mib: Option<u64>,
    system: Option<String>,
    /// How busy it was in the minute before, in running processes.
    load: Option<f64>,
    commit: Option<String>,
    terraform: Option<String>,
    git: Option<String>,
    rust: Option<String>,
}

impl Machine {
    pub(crate) fn look(repository: &Path, environment: &BTreeMap<OsString, OsString>) -> Self {
        let ask = |program: &str, arguments: &[&str]| {
            let answer = duct::cmd(program, arguments)
                .dir(repository)
                .full_env(environment)
                .stdin_null()
                .stderr_null()
                .read();
            answer.ok().and_then(|text| text.lines().next().map(|line| line.trim().to_owned()))
        };
        Self {
            at: Timestamp::now(),
            cores: thread::available_parallelism().map_or(1, std::num::NonZero::get),
            memory_mib: memory_mib()
                .or_else(|| Some(ask("sysctl", &["-n", "hw.memsize"])?.parse::<u64>().ok()? >> 20)),
            system: ask("uname", &["-srm"]),
            load: fs::read_to_string("/proc/loadavg")
                .ok()
                .and_then(|text| text.split(' ').next()?.parse().ok()),
            commit: ask("git", &["describe", "--always", "--dirty"]),
            terraform: ask("terraform", &["version"]),
            git: ask("git", &["--version"]),
            rust: ask("rustc", &["--version"]),
        }
    }
}

fn memory_mib() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}

impl fmt::Display for Machine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = |fact: &Option<String>| fact.clone().unwrap_or_else(|| "?".to_owned());
        let number = |fact: Option<String>| fact.unwrap_or_else(|| "?".to_owned());
        writeln!(
            formatter,
            "{}, {} cores, {} MiB, load {}, {}",
            self.at.strftime("%Y-%m-%d %H:%M UTC"),
            self.cores,
            number(self.memory_mib.map(|memory| memory.to_string())),
            number(self.load.map(|load| load.to_string())),
            known(&self.system),
        )?;
        writeln!(
            formatter,
            "commit {}, {}, {}, {}",
            known(&self.commit),
            known(&self.terraform),
            known(&self.git),
            known(&self.rust),
        )
    }
}
