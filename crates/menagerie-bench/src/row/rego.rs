//! Judging a plan by rules in Rego, the whole process, against Open Policy Agent with the same rules and the same plan.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;

use super::compliance::plan;
use crate::report::{Limit, Measure, Of, Unit};
use crate::row::Setting;
use crate::sample::{interleaved, milliseconds};
use crate::statistics::{Distribution, Fit};

/// Ten rules.
const POLICY: &str = include_str!("rego/ten.rego");

/// What is asked of Open Policy Agent: what conftest asks, too.
const QUERY: &str = r#"{"deny": data.main.deny, "warn": data.main.warn}"#;

/// What `menagerie-comply` returns where it found something.
const FOUND: i32 = 1;

pub(crate) fn rego(setting: &mut Setting) -> anyhow::Result<Vec<Measure>> {
    let is_judged = setting.is_judged();
    let sizes: &[usize] = if is_judged { &[1_000, 3_000, 10_000, 30_000] } else { &[100, 400] };
    // The size that the bars are about.
    let usual = if is_judged { 10_000 } else { 400 };
    let engines = Engines::new(setting)?;
    let (mut points, mut measures, mut time) = (Vec::new(), Vec::new(), None);
    for &size in sizes {
        let plan = engines.plan(size)?;
        let found = messages(&engines.ours(&plan)?, "/findings", "/message")?;
        let theirs = engines.theirs(&plan)?;
        let both = [messages(&theirs, "/deny", "/msg")?, messages(&theirs, "/warn", "")?].concat();
        let both: BTreeSet<String> = both.into_iter().collect();
        let is_same = found.iter().cloned().collect::<BTreeSet<_>>() == both;
        anyhow::ensure!(is_same && !both.is_empty(), "both must find the same, and something");
        let rounds = setting.rounds(if size > usual { 3 } else { 7 });
        let pairs = interleaved(
            rounds,
            || milliseconds(|| engines.ours(&plan)),
            || milliseconds(|| engines.theirs(&plan)),
        )?;
        points.push((f64::from(u32::try_from(size)?), Distribution::of(&pairs.ours).median));
        if size == usual {
            let megabytes = fs::metadata(&plan)?.len() / 1_000_000;
            let what = format!("ten rules in Rego on {usual} resources ({megabytes} MB)");
            let baseline = "Open Policy Agent, the same rules and plan";
            let measure = Measure::against(&what, Unit::Milliseconds, baseline, &pairs);
            time = Some(measure.with_bar(Of::Ratio, Limit::AtMost, 0.125, is_judged));
            let most = engines.megabytes(&plan)?;
            let what = format!("{what}: MB of memory");
            measures.push(Measure::alone(what, Unit::Count, &[most]).with_bar(
                Of::Ours,
                Limit::AtMost,
                100.0,
                is_judged,
            ));
        }
    }
    let time = time.context("the usual size is one of the sizes")?.with_fit(Fit::of(points));
    measures.insert(0, time);
    Ok(measures)
}

/// Both programs, and where their inputs are.
struct Engines<'a> {
    setting: &'a Setting,
    comply: &'a Path,
    script: PathBuf,
    opa: PathBuf,
    directory: PathBuf,
}

impl<'a> Engines<'a> {
    /// Gets Open Policy Agent, unless it is there, and writes the policy.
    fn new(setting: &'a Setting) -> anyhow::Result<Self> {
        let comply = setting.comply.as_deref().context("`--comply` is missing")?;
        let script = setting.repository().join("crates/menagerie-rego/tests/opa.py");
        let opa = setting.repository().join("target/ci/opa");
        let directory = setting.directory()?;
        fs::create_dir(directory.join("policy"))?;
        fs::write(directory.join("policy/ten.rego"), POLICY)?;
        let engines = Self { setting, comply, script, opa, directory };
        engines.python(&["install".as_ref(), engines.opa.as_os_str()])?;
        Ok(engines)
    }

    fn plan(&self, size: usize) -> anyhow::Result<PathBuf> {
        let path = self.directory.join(format!("{size}.json"));
        fs::write(&path, plan::plan(size)?)?;
        Ok(path)
    }

    /// Returns what ours prints.
    fn ours(&self, plan: &Path) -> anyhow::Result<Vec<u8>> {
        let output = duct::cmd(self.comply, self.arguments(plan))
            .full_env(self.setting.environment())
            .stdin_null()
            .stdout_capture()
            .stderr_null()
            .unchecked()
            .run()?;
        let status = output.status;
        anyhow::ensure!(status.code() == Some(FOUND), "`menagerie-comply` ended with {status}");
        Ok(output.stdout)
    }

    fn arguments(&self, plan: &Path) -> Vec<PathBuf> {
        let policy = self.directory.join("policy");
        let words = ["judge", "--format", "json", "--policy"].map(PathBuf::from);
        words.into_iter().chain([policy, "--plan".into(), plan.to_owned()]).collect()
    }

    /// Returns what Open Policy Agent prints.
    fn theirs(&self, plan: &Path) -> anyhow::Result<Vec<u8>> {
        let policy = self.directory.join("policy/ten.rego");
        let what = [QUERY.as_ref(), plan.as_os_str(), policy.as_os_str()];
        self.python(&[&["eval".as_ref(), self.opa.as_os_str()], &what[..]].concat())
    }

    /// Returns how much memory ours had at most.
    fn megabytes(&self, plan: &Path) -> anyhow::Result<f64> {
        let arguments = self.arguments(plan);
        let program = ["most".as_ref(), self.comply.as_os_str()];
        let words: Vec<&OsStr> =
            program.into_iter().chain(arguments.iter().map(|path| path.as_os_str())).collect();
        let printed = String::from_utf8(self.python(&words)?)?;
        let kibibytes: f64 = printed.trim().parse()?;
        Ok(kibibytes * 1024.0 / 1e6)
    }

    fn python(&self, arguments: &[&OsStr]) -> anyhow::Result<Vec<u8>> {
        let words = [&[self.script.as_os_str()], arguments].concat();
        let output = duct::cmd("python3", words)
            .full_env(self.setting.environment())
            .stdin_null()
            .stdout_capture()
            .stderr_capture()
            .unchecked()
            .run()
            .context("failed to start `python3`")?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        let last = stderr.trim_end().lines().next_back().unwrap_or_default();
        anyhow::ensure!(output.status.success(), "`{}` failed: {last}", self.script.display());
        Ok(output.stdout)
    }
}

/// Returns the texts at `text` of each element of the list at `list`.
fn messages(json: &[u8], list: &str, text: &str) -> anyhow::Result<Vec<String>> {
    let json: Value = serde_json::from_slice(json)?;
    let elements = json.pointer(list).and_then(Value::as_array).context("a list is missing")?;
    let text = |element: &Value| element.pointer(text).and_then(Value::as_str).map(str::to_owned);
    elements.iter().map(|element| text(element).context("a message is missing")).collect()
}
