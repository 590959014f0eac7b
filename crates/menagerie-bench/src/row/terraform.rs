//! Our runner against the same Terraform without it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use menagerie_terraform::{
    ApplyOptions, Cancel, Ended, InitOptions, Notice, PlanOptions, Search, Terraform, Workdir,
    plan_arguments,
};

use crate::report::{Limit, Measure, Of, Unit};
use crate::row::Setting;
use crate::sample::{interleaved, milliseconds};

/// Makes a root module of so many resources that need no provider of anybody.
pub(crate) fn root_module(directory: &Path, resources: usize) -> anyhow::Result<()> {
    let mut text = String::new();
    for number in 0..resources {
        writeln!(
            text,
            "resource \"terraform_data\" \"this_{number}\" {{\n  input = {number}\n}}\n"
        )?;
    }
    writeln!(text, "output \"first\" {{\n  value = terraform_data.this_0.output\n}}")?;
    Ok(fs::write(directory.join("main.tf"), text)?)
}

fn workdir(
    directory: PathBuf,
    environment: BTreeMap<OsString, OsString>,
) -> anyhow::Result<Workdir> {
    // Where Terraform has it without being told, so that both find the same.
    let data_directory = directory.join(".terraform");
    let runs = directory.join("runs");
    fs::create_dir_all(&runs)?;
    Ok(Workdir { data_directory, ..Workdir::new(directory, &runs, environment) })
}

/// Returns what a command that went through gave.
fn done<T>(ended: Ended<T>) -> anyhow::Result<T> {
    match ended {
        Ended::Done(done) => Ok(done),
        other => anyhow::bail!("{}", other.map(drop)),
    }
}

pub(crate) fn overhead(setting: &mut Setting) -> anyhow::Result<Vec<Measure>> {
    let (terraform, environment) = setting.terraform()?;
    let directory = setting.directory()?;
    root_module(&directory, 1)?;
    let workdir = workdir(directory.clone(), environment.clone())?;
    let cancel = Cancel::default();
    done(workdir.init(&terraform, &InitOptions::default(), &mut |_: Notice<'_>| (), &cancel)?)?;
    let options = PlanOptions { out: Some("plan.tfplan".into()), ..PlanOptions::default() };
    let raw = duct::cmd(terraform.path(), plan_arguments(&options))
        .dir(&directory)
        .full_env(&environment)
        .stdin_null()
        .stdout_path(directory.join("raw.out"))
        .stderr_path(directory.join("raw.err"))
        .unchecked();
    let pairs = interleaved(
        setting.rounds(31),
        || {
            milliseconds(|| {
                done(workdir.plan(&terraform, &options, &mut |_: Notice<'_>| (), &cancel)?)
            })
        },
        || {
            milliseconds(|| {
                let status = raw.run()?.status;
                anyhow::ensure!(status.code() == Some(2), "`terraform plan` ended with {status}");
                Ok(())
            })
        },
    )?;
    let what = "plan of one resource by our runner";
    let measure =
        Measure::against(what, Unit::Milliseconds, "the same process, only waited for", &pairs)
            .with_bar(Of::Difference, Limit::AtMost, 10.0, setting.is_judged());
    Ok(vec![measure])
}

/// What scripts run for a plan and an apply; `-input=false` and the like are left out.
const SCRIPT: [&[&str]; 8] = [
    &["version", "-json"],
    &["init"],
    &["workspace", "show"],
    &["validate"],
    &["plan", "-out=plan.tfplan"],
    &["show", "-json", "plan.tfplan"],
    &["apply", "plan.tfplan"],
    &["output", "-json"],
];

pub(crate) fn sequence(setting: &mut Setting) -> anyhow::Result<Vec<Measure>> {
    let (terraform, environment) = setting.terraform()?;
    let cache = setting.directory()?.join("terraform.json");
    let search = Search { environment: environment.clone(), ..Search::default() };
    let fresh = || -> anyhow::Result<PathBuf> {
        let directory = setting.directory()?;
        root_module(&directory, 10)?;
        Ok(directory)
    };
    let pairs = interleaved(
        setting.rounds(11),
        || {
            let workdir = workdir(fresh()?, environment.clone())?;
            milliseconds(|| plan_and_apply(&search, &cache, &workdir))
        },
        || {
            let directory = fresh()?;
            milliseconds(|| script(&terraform, &directory, &environment))
        },
    )?;
    let measure = Measure::against(
        "plan and apply of 10 resources in a fresh root module",
        Unit::Milliseconds,
        "version, init, workspace show, validate, plan, show, apply, output",
        &pairs,
    );
    let faster = pairs.each(|ours, baseline| baseline / ours);
    Ok(vec![
        measure,
        Measure::alone("how many times faster", Unit::Count, &faster).with_bar(
            Of::Ours,
            Limit::AtLeast,
            2.0,
            setting.is_judged(),
        ),
    ])
}

fn plan_and_apply(search: &Search, cache: &Path, workdir: &Workdir) -> anyhow::Result<()> {
    let terraform = Terraform::discover_with_cache(search, cache)?;
    let (mut notices, cancel) = (|_: Notice<'_>| (), Cancel::default());
    let plan = workdir.directory.join("plan.tfplan");
    let options = PlanOptions { out: Some(plan.clone()), ..PlanOptions::default() };
    let init = InitOptions::default();
    done(workdir.plan_with_init(&terraform, &init, &options, &mut notices, &cancel)?)?;
    let applied =
        done(workdir.apply(&terraform, &ApplyOptions::new(plan), &mut notices, &cancel)?)?;
    anyhow::ensure!(applied.outputs.contains_key("first"), "the apply gave no output");
    Ok(())
}

fn script(
    terraform: &Terraform,
    directory: &Path,
    environment: &BTreeMap<OsString, OsString>,
) -> anyhow::Result<()> {
    for arguments in SCRIPT {
        let command = duct::cmd(terraform.path(), arguments)
            .dir(directory)
            .full_env(environment)
            .stdin_null()
            .stdout_capture()
            .stderr_capture();
        command.run()?;
    }
    Ok(())
}
