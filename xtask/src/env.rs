//! `cargo xtask env …`: one module per subcommand.

mod apply;
mod backup;
mod compare;
pub(crate) mod creation;
mod deployment;
mod destroy;
pub(crate) mod facts;
mod list;
mod logs;
mod metrics;
pub(crate) mod name;
mod new;
mod open;
mod plan;
mod question;
mod rehearse;
mod rehearsed;
mod repair;
mod restore;
mod show;
mod status;
mod test;
mod up;

use clap::Subcommand;

use crate::output::Terminal;

/// The subcommands of `env`.
#[derive(Debug, Subcommand)]
pub(crate) enum Env {
    New(new::New),
    Up(up::Up),
    List(list::List),
    Show(show::Show),
    Status(status::Status),
    Test(test::Test),
    Plan(plan::Plan),
    Rehearse(rehearse::Rehearse),
    Apply(apply::Apply),
    Repair(repair::Repair),
    Destroy(destroy::Destroy),
    Logs(logs::Logs),
    Open(open::Open),
    Backup(backup::Backup),
    Restore(restore::Restore),
    Metrics(metrics::Metrics),
    Compare(compare::Compare),
}

impl Env {
    pub(crate) fn run(self, terminal: Terminal) -> anyhow::Result<()> {
        match self {
            Self::New(new) => new.run(terminal),
            Self::Up(up) => up.run(terminal),
            Self::List(list) => list.run(terminal),
            Self::Show(show) => show.run(),
            Self::Status(status) => status.run(terminal),
            Self::Test(test) => test.run(terminal),
            Self::Plan(plan) => plan.run(terminal),
            Self::Rehearse(rehearse) => rehearse.run(terminal),
            Self::Apply(apply) => apply.run(terminal),
            Self::Repair(repair) => repair.run(terminal),
            Self::Destroy(destroy) => destroy.run(terminal),
            Self::Logs(logs) => logs.run(terminal),
            Self::Open(open) => open.run(),
            Self::Backup(backup) => backup.run(terminal),
            Self::Restore(restore) => restore.run(terminal),
            Self::Metrics(metrics) => metrics.run(terminal),
            Self::Compare(compare) => compare.run(terminal),
        }
    }
}
