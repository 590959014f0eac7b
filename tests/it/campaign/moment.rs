//! When who lives: moments of faults are drawn from that.

use std::ops::Range;
use std::path::Path;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::case::{Case, wait};
use super::{Dice, NAME};
use crate::playground::has_postgres;

/// What is disturbed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Up,
    Apply,
    Destroy,
}

/// Who takes part in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Party {
    Xtask,
    Terraform,
    Provider,
    Supervisor,
}

/// When each party lives in each operation, from its start.
type Lives = [[Range<Duration>; 4]; 3];

static SQLITE: LazyLock<Lives> = LazyLock::new(|| measure("sqlite"));

static POSTGRES: LazyLock<Lives> = LazyLock::new(|| measure("postgres"));

impl Operation {
    /// Returns its command line.
    pub(crate) fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Up => &["up", NAME],
            Self::Apply => &["apply", NAME],
            Self::Destroy => &["destroy", NAME, "--confirm", NAME],
        }
    }
}

impl Party {
    /// Tells whose command line it is, and which command of that program's; xtask is known by its number only.
    pub(crate) fn recognise(arguments: &str) -> Option<(Self, &str)> {
        let mut words = arguments.split(' ');
        let program = Path::new(words.next()?).file_name()?.to_str()?;
        let command = words.next()?;
        let party = match command {
            _ if program == "terraform" => Self::Terraform,
            "serve" if program.starts_with("menagerie-provider") => Self::Provider,
            "supervise" if program.starts_with("menagerie-provider") => Self::Supervisor,
            _ => return None,
        };
        Some((party, command))
    }
}

/// Returns the engine of a case: PostgreSQL takes longer, so it is one in five.
pub(crate) fn engine(dice: &Dice) -> &'static str {
    if dice.seed % 5 == 1 && has_postgres() { "postgres" } else { "sqlite" }
}

/// How long each operation took when nothing was hit, as other tests run beside now and did not when it was measured.
static PACE: Mutex<[[Option<Duration>; 3]; 2]> = Mutex::new([[None; 3]; 2]);

/// Returns when a party usually lives in an operation.
///
/// The first to ask waits until that was measured, so it is asked before the operation is started.
pub(crate) fn life(party: Party, operation: Operation, engine: &str) -> Range<Duration> {
    let lives = lives(operation, engine);
    let measured = lives[Party::Xtask as usize].end;
    let taken = pace()[usize::from(engine == "sqlite")][operation as usize].unwrap_or(measured);
    let scale = taken.as_secs_f64() / measured.as_secs_f64();
    let life = &lives[party as usize];
    life.start.mul_f64(scale)..life.end.mul_f64(scale)
}

fn lives(operation: Operation, engine: &str) -> &'static [Range<Duration>; 4] {
    let all = if engine == "sqlite" { &SQLITE } else { &POSTGRES };
    &all[operation as usize]
}

/// Tells how long an operation took from its start, where nothing was hit.
pub(crate) fn took(operation: Operation, engine: &str, time: Duration) {
    // One that was refused did not do what takes its time.
    if time < lives(operation, engine)[Party::Xtask as usize].end / 2 {
        return;
    }
    let known = &mut pace()[usize::from(engine == "sqlite")][operation as usize];
    *known = Some(known.map_or(time, |known| (known + time) / 2));
}

fn pace() -> MutexGuard<'static, [[Option<Duration>; 3]; 2]> {
    PACE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Watches operations that nobody disturbs.
fn measure(engine: &'static str) -> Lives {
    let mut case = Case::new(engine);
    let up = watch(&case, Operation::Up, engine);
    let destroy = watch(&case, Operation::Destroy, engine);
    case = Case::new(engine);
    case.prepare(Operation::Apply);
    let apply = watch(&case, Operation::Apply, engine);
    [up, apply, destroy]
}

fn watch(case: &Case, operation: Operation, engine: &str) -> [Range<Duration>; 4] {
    let mut lives: [Option<Range<Duration>>; 4] = Default::default();
    let start = Instant::now();
    let mut before = Duration::ZERO;
    let handle = case.start(operation.arguments());
    while handle.try_wait().unwrap().is_none() {
        let processes = case.playground.processes();
        let now = start.elapsed();
        let found = processes.iter().filter_map(|(_, arguments)| Party::recognise(arguments));
        for party in found.map(|(party, _)| party).chain([Party::Xtask]) {
            lives[party as usize].get_or_insert(before..now).end = now;
        }
        before = now;
    }
    let answer = wait(&handle);
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    eprintln!("undisturbed {operation:?} with {engine}: {lives:.0?}");
    lives.map(|life| life.expect("it takes part in all"))
}
