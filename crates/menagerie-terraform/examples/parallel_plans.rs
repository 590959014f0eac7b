//! Measures what a pool of plans costs over the same commands by `xargs -P`: interleaved pairs, median of the ratios.
//!
//! ```sh
//! cargo run --release -p menagerie-terraform --example parallel_plans -- [ROOTS] [AT-ONCE] [PAIRS]
//! ```

#![expect(clippy::print_stdout, reason = "an example prints what it found")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::{Duration, Instant};

use menagerie_terraform::{
    Cancel, Ended, JobEnd, Journal, Load, Notice, PlanOptions, Pool, Search, Terraform, Workdir,
    closed_environment, default_limit, plan_arguments,
};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let numbers: Vec<usize> =
        std::env::args().skip(1).map(|number| number.parse()).collect::<Result<_, _>>()?;
    let number = |index: usize, default: usize| {
        NonZeroUsize::new(numbers.get(index).copied().unwrap_or(default)).ok_or("0 of them")
    };
    let roots = number(0, 16)?.get();
    let at_once = number(1, default_limit(Load::Computing).get())?;
    let pairs = number(2, 11)?.get();

    let environment = closed_environment(std::env::vars_os());
    let terraform =
        Terraform::discover(&Search { explicit: None, environment: environment.clone() })?;
    let scratch = tempfile::tempdir()?;
    let bench = Bench::new(scratch.path(), roots, at_once, terraform, environment)?;
    bench.pool()?;
    bench.xargs()?;
    let (mut time, mut cpu) = (Vec::new(), Vec::new());
    for pair in 0..pairs {
        // Who is first takes turns too.
        let (ours, theirs) = if pair % 2 == 0 {
            let ours = measure(|| bench.pool())?;
            (ours, measure(|| bench.xargs())?)
        } else {
            let theirs = measure(|| bench.xargs())?;
            (measure(|| bench.pool())?, theirs)
        };
        println!("pool {ours}   xargs {theirs}");
        time.push(ours.wall.as_secs_f64() / theirs.wall.as_secs_f64());
        cpu.extend(ours.cpu.zip(theirs.cpu).map(|(ours, theirs)| ours / theirs));
    }
    println!("{roots} plans, {at_once} at once, {pairs} pairs: pool / xargs");
    println!("time {}", spread(time));
    if !cpu.is_empty() {
        println!("cpu  {}", spread(cpu));
    }
    Ok(())
}

/// Root modules, and two ways to plan all of them.
struct Bench {
    workdirs: Vec<Workdir>,
    pool: Pool,
    at_once: NonZeroUsize,
    terraform: Terraform,
    environment: BTreeMap<OsString, OsString>,
}

impl Bench {
    fn new(
        scratch: &Path,
        roots: usize,
        at_once: NonZeroUsize,
        terraform: Terraform,
        environment: BTreeMap<OsString, OsString>,
    ) -> Result<Self, Failure> {
        let workdir = |root: usize| {
            let place = scratch.join(root.to_string());
            let directory = place.join("root");
            fs::create_dir_all(&directory)?;
            let main = "resource \"terraform_data\" \"this\" {\n  count = 10\n  input = \"x\"\n}\n";
            fs::write(directory.join("main.tf"), main)?;
            let journal = Some(Journal::new(place.join("journal.jsonl")));
            Ok(Workdir { journal, ..Workdir::new(directory, &place, environment.clone()) })
        };
        let workdirs = (0..roots).map(workdir).collect::<Result<_, std::io::Error>>()?;
        Ok(Self { workdirs, pool: Pool::new(at_once), at_once, terraform, environment })
    }

    fn options() -> PlanOptions {
        // Relative to the root module, in both ways.
        PlanOptions { out: Some("a.tfplan".into()), ..PlanOptions::default() }
    }

    fn pool(&self) -> Result<(), Failure> {
        let cancel = Cancel::default();
        let mut events = 0_usize;
        let mut observer = |_: usize, _: Notice<'_>| events += 1;
        let ends = self.pool.run(&self.workdirs, &mut observer, &cancel, |job| {
            let mut notices = |notice: Notice<'_>| job.notice(notice);
            job.input.plan(&self.terraform, &Self::options(), &mut notices, &cancel)
        });
        let is_planned = |end: &JobEnd<Ended<_>, _>| matches!(end, JobEnd::Done(Ended::Done(_)));
        if ends.iter().all(is_planned) && events > 0 { Ok(()) } else { Err("a plan failed".into()) }
    }

    fn xargs(&self) -> Result<(), Failure> {
        let mut arguments: Vec<OsString> =
            ["-P", &self.at_once.to_string(), "-I{}"].map(Into::into).to_vec();
        arguments.push(self.terraform.path().into());
        arguments.push("-chdir={}".into());
        arguments.extend(plan_arguments(&Self::options()));
        let directories: Vec<String> = self
            .workdirs
            .iter()
            .map(|workdir| workdir.directory.to_string_lossy().into_owned())
            .collect();
        let output = duct::cmd("xargs", arguments)
            .full_env(self.environment.clone())
            .stdin_bytes(directories.join("\n"))
            .stdout_null()
            .unchecked()
            .run()?;
        // Each plan exits with 2, as there are changes, and xargs calls that 123.
        if output.status.code() == Some(123) { Ok(()) } else { Err("xargs failed".into()) }
    }
}

/// How long something took, and how many seconds of processor time.
#[derive(Clone, Copy)]
struct Cost {
    wall: Duration,
    cpu: Option<f64>,
}

impl std::fmt::Display for Cost {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:.3} s", self.wall.as_secs_f64())?;
        self.cpu.map_or(Ok(()), |cpu| write!(formatter, " (cpu {cpu:.2} s)"))
    }
}

fn measure(work: impl FnOnce() -> Result<(), Failure>) -> Result<Cost, Failure> {
    let (started, before) = (Instant::now(), ticks());
    work()?;
    let wall = started.elapsed();
    let cpu = ticks().zip(before).map(|(after, before)| f64::from(after - before) / 100.0);
    Ok(Cost { wall, cpu })
}

/// Returns the processor time of this process and of its children that have ended, in hundredths of a second; Linux only.
fn ticks() -> Option<u32> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // proc_pid_stat(5) counts the state as field 3, and utime, stime, cutime, cstime as 14 to 17.
    let (_, fields) = stat.rsplit_once(") ")?;
    let times: Vec<u32> = fields
        .split(' ')
        .skip(11)
        .take(4)
        .map(|field| field.parse().ok())
        .collect::<Option<_>>()?;
    Some(times.iter().sum())
}

fn spread(mut ratios: Vec<f64>) -> String {
    ratios.sort_by(f64::total_cmp);
    let (least, most) = (ratios[0], ratios[ratios.len() - 1]);
    format!("{:.3} (median; {least:.3} to {most:.3})", ratios[ratios.len() / 2])
}
