//! Many plans at once, against the same commands by `xargs -P`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::num::NonZeroUsize;
use std::time::Duration;

use anyhow::Context as _;
use menagerie_terraform::{
    Cancel, Ended, JobEnd, Journal, Load, Notice, PlanOptions, Pool, Terraform, Workdir,
    default_limit, plan_arguments,
};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

use crate::report::{Limit, Measure, Of, Unit};
use crate::row::Setting;
use crate::row::terraform::root_module;
use crate::sample::{Pairs, interleaved, milliseconds};

pub(crate) fn parallel(setting: &mut Setting) -> anyhow::Result<Vec<Measure>> {
    let (terraform, environment) = setting.terraform()?;
    let roots = if setting.is_judged() { 16 } else { 4 };
    let mut workdirs = Vec::new();
    for _ in 0..roots {
        let place = setting.directory()?;
        let directory = place.join("root");
        fs::create_dir(&directory)?;
        root_module(&directory, 10)?;
        let journal = Some(Journal::new(place.join("journal.jsonl")));
        workdirs.push(Workdir { journal, ..Workdir::new(directory, &place, environment.clone()) });
    }
    let at_once = default_limit(Load::Computing);
    let plans = Plans { workdirs, at_once, terraform, environment };
    let (mut our_cpu, mut their_cpu) = (Vec::new(), Vec::new());
    let wall = interleaved(
        setting.rounds(11),
        || with_cpu(&mut our_cpu, || plans.by_pool()),
        || with_cpu(&mut their_cpu, || plans.by_xargs()),
    )?;
    // The first pair of processor times is the one that does not count.
    let cpu = Pairs { ours: our_cpu.split_off(1), baseline: their_cpu.split_off(1) };
    let what = format!("{roots} plans, {at_once} at once");
    let judged = setting.is_judged();
    let against = |what: String, pairs: &Pairs, bar: f64| {
        Measure::against(what, Unit::Milliseconds, "the same commands by `xargs -P`", pairs)
            .with_bar(Of::Ratio, Limit::AtMost, bar, judged)
    };
    Ok(vec![
        against(what.clone(), &wall, 1.10),
        against(format!("{what}: processor time"), &cpu, 1.05),
    ])
}

/// Root modules, and two ways to plan all of them.
struct Plans {
    workdirs: Vec<Workdir>,
    at_once: NonZeroUsize,
    terraform: Terraform,
    environment: BTreeMap<OsString, OsString>,
}

impl Plans {
    /// The plan is written into the root module, by a relative path, in both ways.
    fn options() -> PlanOptions {
        PlanOptions { out: Some("plan.tfplan".into()), ..PlanOptions::default() }
    }

    fn by_pool(&self) -> anyhow::Result<()> {
        let cancel = Cancel::default();
        let mut events = 0_usize;
        let mut observer = |_: usize, _: Notice<'_>| events += 1;
        let ends = Pool::new(self.at_once).run(&self.workdirs, &mut observer, &cancel, |job| {
            let mut notices = |notice: Notice<'_>| job.notice(notice);
            job.input.plan(&self.terraform, &Self::options(), &mut notices, &cancel)
        });
        let is_planned = |end: &JobEnd<Ended<_>, _>| matches!(end, JobEnd::Done(Ended::Done(_)));
        anyhow::ensure!(ends.iter().all(is_planned) && events > 0, "a plan failed");
        Ok(())
    }

    fn by_xargs(&self) -> anyhow::Result<()> {
        let mut arguments: Vec<OsString> =
            ["-P", &self.at_once.to_string(), "-I{}"].map(Into::into).to_vec();
        arguments.push(self.terraform.path().into());
        arguments.push("-chdir={}".into());
        arguments.extend(plan_arguments(&Self::options()));
        let directories: Vec<_> =
            self.workdirs.iter().map(|workdir| workdir.directory.to_string_lossy()).collect();
        let output = duct::cmd("xargs", arguments)
            .full_env(&self.environment)
            .stdin_bytes(directories.join("\n"))
            .stdout_null()
            .stderr_capture()
            .unchecked()
            .run()
            .context("failed to start `xargs`")?;
        // A plan with changes ends with 2, and xargs makes 123 of it.
        anyhow::ensure!(
            output.status.code() == Some(123),
            "`xargs` ended with {}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }
}

/// Returns how long it takes, and notes how much processor time goes into it, in milliseconds.
fn with_cpu(
    noted: &mut Vec<f64>,
    work: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<f64> {
    let before = cpu()?;
    let taken = milliseconds(work)?;
    noted.push(cpu()? - before);
    Ok(taken)
}

/// Returns the processor time until now, in milliseconds, of this process and of those that it has waited for.
fn cpu() -> anyhow::Result<f64> {
    let mut cpu = Duration::ZERO;
    for who in [UsageWho::RUSAGE_SELF, UsageWho::RUSAGE_CHILDREN] {
        let usage = getrusage(who).context("the system does not tell processor times")?;
        cpu += duration(usage.user_time()) + duration(usage.system_time());
    }
    Ok(cpu.as_secs_f64() * 1000.0)
}

fn duration(time: TimeVal) -> Duration {
    let seconds = u64::try_from(time.tv_sec()).unwrap_or_default();
    let microseconds = u64::try_from(time.tv_usec()).unwrap_or_default();
    Duration::from_secs(seconds) + Duration::from_micros(microseconds)
}
