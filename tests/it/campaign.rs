//! Faults at moments that follow from seeds, and what must hold after each of them.
//!
//! Whatever happens, the next run finishes or says what remains; all that runs is listed and can be destroyed; nothing runs
//! after that; exit codes are documented ones and nothing panics. `MENAGERIE_SEEDS=50` makes it a long campaign, and
//! `MENAGERIE_SEED=17` repeats one case of it. The table is printed when no campaign runs any more.

use std::fmt::Write as _;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::playground::has;

mod case;
mod clock;
mod disk;
mod kill;
mod lock;
mod moment;
mod signal;
mod state;

pub(crate) use case::Case;
pub(crate) use moment::{Operation, Party};

pub(crate) const NAME: &str = "calm-otter";

/// What came of one fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Nothing was hit at that moment.
    Undisturbed,
    /// The run reached its end even so.
    Survived,
    /// The next run reached the end.
    Finished,
    /// The next run said what remains, and the environment was still listed.
    Said,
}

/// What must not come of a fault.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// What could no longer be found or destroyed.
    pub(crate) lost: Vec<String>,
    /// What ran and was not listed, or ran after its destroy.
    pub(crate) running: Vec<String>,
    /// Whatever else should not be.
    pub(crate) other: Vec<String>,
}

/// Numbers that follow from a seed.
pub(crate) struct Dice {
    pub(crate) seed: u64,
    /// How far the main moment of this case is in its span, as spread evenly over all seeds as can be.
    spread: u64,
    state: u64,
}

/// One line of the table.
#[derive(Default)]
struct Row {
    title: String,
    cases: usize,
    fates: [usize; 4],
    lost: usize,
    running: usize,
    other: usize,
}

/// The campaigns of this process.
struct Table {
    running: usize,
    rows: Vec<Row>,
}

static TABLE: Mutex<Table> = Mutex::new(Table { running: 0, rows: Vec::new() });

/// Tries a fault once for each seed, and fails where something was lost, left running, or otherwise as it should not be.
///
/// `few` is how many seeds there are where nobody asks for more.
pub(crate) fn campaign(title: &str, few: u64, run: impl Fn(&mut Dice) -> Case) {
    if !has("terraform") {
        return;
    }
    table().running += 1;
    let mut row = Row { title: title.to_owned(), ..Row::default() };
    let mut told = Vec::new();
    for seed in seeds(few) {
        row.cases += 1;
        let begin = Instant::now();
        // What a test can't go on without may fail in one case; the others are still worth to be seen.
        let outcome = catch_unwind(AssertUnwindSafe(|| run(&mut Dice::new(title, seed))));
        let seconds = begin.elapsed().as_secs_f64();
        let faults = match outcome {
            Ok(case) => {
                eprintln!("{title}: seed {seed:2} {} ({seconds:.1} s)", case.story);
                if let Some(fate) = case.fate {
                    row.fates[fate as usize] += 1;
                }
                case.into_faults()
            }
            Err(panic) => Faults { other: vec![words(&*panic)], ..Faults::default() },
        };
        for (count, kind, texts) in [
            (&mut row.lost, "lost", faults.lost),
            (&mut row.running, "left running", faults.running),
            (&mut row.other, "wrong", faults.other),
        ] {
            *count += texts.len();
            told.extend(texts.into_iter().map(|text| format!("seed {seed}: {kind}: {text}")));
        }
    }
    let mut table = table();
    table.running -= 1;
    table.rows.push(row);
    if table.running == 0 {
        eprintln!("\n{}", render(&table.rows));
    }
    drop(table);
    let test = std::thread::current().name().unwrap_or("campaign").to_owned();
    assert!(
        told.is_empty(),
        "{title}: one of them again: `MENAGERIE_SEED=… cargo test -p xtask --test it {test} -- --nocapture`\n{}",
        told.join("\n")
    );
}

fn table() -> std::sync::MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn render(rows: &[Row]) -> String {
    let mut text = "| fault | cases | undisturbed | survived | finished | said | lost | left running | wrong |\n\
                    |---|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    let mut rows: Vec<_> = rows.iter().collect();
    rows.sort_by(|one, other| one.title.cmp(&other.title));
    for row in rows {
        let [undisturbed, survived, finished, said] = row.fates;
        writeln!(
            text,
            "| {} | {} | {undisturbed} | {survived} | {finished} | {said} | {} | {} | {} |",
            row.title, row.cases, row.lost, row.running, row.other
        )
        .unwrap();
    }
    text
}

/// Returns what a panic said.
fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    format!("the case could not go on: {}", text.unwrap_or_default())
}

impl Dice {
    fn new(title: &str, seed: u64) -> Self {
        // Multiples of the golden ratio are spread evenly, however many there are of them; each campaign begins elsewhere.
        const GOLDEN_RATIO: u64 = 0x9e37_79b9_7f4a_7c15;
        let start = title.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let spread = seed.wrapping_mul(GOLDEN_RATIO).wrapping_add(start);
        // Mixed once, or a seed would begin with the second number of the seed before it.
        Self { seed, spread, state: mix(spread) }
    }

    /// Returns a number below a limit, by `SplitMix64`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state) % limit
    }

    /// Returns one of these.
    pub(crate) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }

    /// Returns the one of these whose turn it is: with as many seeds as there are choices, each has its turn.
    pub(crate) fn turn<T: Copy>(&self, choices: &[T]) -> T {
        self.turn_from(0, choices)
    }

    /// Returns the one of these whose turn it is, where the first seed is not the first one's.
    pub(crate) fn turn_from<T: Copy>(&self, first: u64, choices: &[T]) -> T {
        choices[usize::try_from((first + self.seed) % choices.len() as u64).unwrap()]
    }

    /// Returns a time of up to so many milliseconds.
    pub(crate) fn milliseconds(&mut self, limit: u64) -> Duration {
        Duration::from_millis(self.below(limit + 1))
    }

    /// Returns the main moment of the case: within a span, or a bit later.
    pub(crate) fn moment(&self, span: &Range<Duration>) -> Duration {
        let parts = u32::try_from(self.spread >> 54).expect("ten bits are left");
        // No two runs take the same time, and the very end is worth a fault too.
        span.start + (span.end * 9 / 8).saturating_sub(span.start) * parts / 1024
    }
}

fn mix(number: u64) -> u64 {
    let mixed = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[expect(clippy::disallowed_methods, reason = "tests have no other way to be told")]
fn seeds(few: u64) -> Range<u64> {
    let number = |name: &str| {
        let text = std::env::var(name).ok()?;
        Some(text.parse::<u64>().unwrap_or_else(|error| panic!("`{name}={text}`: {error}")))
    };
    if let Some(seed) = number("MENAGERIE_SEED") {
        return seed..seed + 1;
    }
    let count = number("MENAGERIE_SEEDS").unwrap_or(few);
    assert_ne!(count, 0, "`MENAGERIE_SEEDS` is a number of cases, so at least 1");
    0..count
}
