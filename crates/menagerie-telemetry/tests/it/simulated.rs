//! Comparisons on a simulated machine, where the truth is known. All is drawn from seeds: a test that passes once always does.

use std::time::Duration;

use menagerie_telemetry::load::Answer;
use menagerie_telemetry::{Comparing, Comparison, Servers, Side, Stop, Unclear, Verdict, compare};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};

const COMPARING: Comparing =
    Comparing { requests: 2000, confidence: 0.99, threshold: 0.05, seed: 0 };

/// A machine on which B takes `ratio` times as long as A, as busy as one of two cores with ten processes that all want to run: the
/// logarithm of a pair's ratio spreads by 0.8 from request to request, one request in fifty takes five times as long, and the
/// speed wanders for all, and for each of the two alone over some ten requests, as if it had the worse core for a while.
struct Machine {
    random: Xoshiro256PlusPlus,
    ratio: f64,
    asked: u32,
    wandering: [f64; 3],
    /// After how many requests there is an end, and which.
    end: Option<(u32, Stop)>,
    /// Each so many-th request to B fails.
    failing: Option<u32>,
}

impl Machine {
    fn new(ratio: f64, seed: u64) -> Self {
        let random = Xoshiro256PlusPlus::seed_from_u64(seed ^ 0x5eed);
        Self { random, ratio, asked: 0, wandering: [0.0; 3], end: None, failing: None }
    }

    fn compare(&mut self, seed: u64) -> Option<Comparison> {
        compare(&Comparing { seed, ..COMPARING }, self, |_, _| {})
    }
}

impl Servers for Machine {
    fn reconnect(&mut self) {}

    fn ask(&mut self, side: Side) -> Result<Answer, Stop> {
        self.asked += 1;
        if let Some((_, stop)) = self.end.filter(|(asked, _)| self.asked > *asked) {
            return Err(stop);
        }
        if side == Side::B && self.failing.is_some_and(|each| self.asked.is_multiple_of(each)) {
            return Ok(Answer::Failed("it answered 503".to_owned()));
        }
        for (speed, (persistence, spread)) in
            self.wandering.iter_mut().zip([(0.999, 0.3), (0.95, 0.1), (0.95, 0.1)])
        {
            let step = (1.0_f64 - persistence * persistence).sqrt() * spread;
            *speed = *speed * persistence + step * self.random.random_range(-1.7..1.7);
        }
        let (own, ratio) = match side {
            Side::A => (self.wandering[1], 1.0),
            Side::B => (self.wandering[2], self.ratio),
        };
        let held_up = if self.random.random_ratio(1, 50) { 5.0 } else { 1.0 };
        let noise = (self.wandering[0] + own + self.random.random_range(-1.0..1.0)).exp();
        let took = Duration::from_secs_f64(0.002 * ratio * held_up * noise);
        Ok(Answer::Answered { took, bytes: 7 })
    }
}

/// Returns how often B is judged slower, the same, faster, and unclear, in so many comparisons.
fn verdicts(ratio: f64, runs: u64) -> [u64; 4] {
    let mut counts = [0; 4];
    for seed in 0..runs {
        let index = match Machine::new(ratio, seed).compare(seed).unwrap().verdict {
            Verdict::Slower => 0,
            Verdict::Same => 1,
            Verdict::Faster => 2,
            Verdict::Unclear(_) => 3,
        };
        counts[index] += 1;
    }
    counts
}

#[test]
fn a_difference_is_found_and_none_is_made_up() {
    let same = verdicts(1.0, 100);
    let slower = verdicts(1.2, 100);
    let faster = verdicts(1.0 / 1.2, 100);
    println!(
        "slower, same, faster, unclear: of equal ones {same:?}, of 1.2 {slower:?}, of 1/1.2 {faster:?}"
    );
    assert_eq!((same[0], same[2]), (0, 0));
    assert!(same[1] >= 50, "most often it is said that there is none: {same:?}");
    assert_eq!((slower, faster), ([100, 0, 0, 0], [0, 0, 100, 0]));
}

#[test]
fn a_difference_at_the_threshold_is_rarely_called_one() {
    // With 99 % on both sides, each of these comes in less than one of 200.
    let [slower, same, faster, _] = verdicts(1.05, 100);
    assert!(slower <= 2 && same <= 2 && faster == 0, "{slower} {same} {faster}");
}

#[test]
fn the_interval_holds_the_true_ratio() {
    for true_ratio in [1.0, 1.1] {
        let misses = (0..150).filter(|seed| {
            let comparison = Machine::new(true_ratio, *seed).compare(*seed).unwrap();
            let ratio = comparison.ratio.unwrap();
            ratio.low > true_ratio || ratio.high < true_ratio
        });
        // One or two are to be expected if all three looks are taken; neighbouring blocks are not wholly independent.
        let misses = misses.count();
        println!("{misses} of 150 intervals of 99 % miss {true_ratio}");
        assert!(misses <= 4, "{misses}");
    }
}

#[test]
fn the_same_seed_gives_the_same_result() {
    let [one, again] = [1, 1].map(|seed| Machine::new(1.0, 3).compare(seed));
    assert_eq!(one, again);
    assert_ne!(one, Machine::new(1.0, 3).compare(2));
}

#[test]
fn both_get_the_load_that_was_asked_for() {
    for requests in [0, 70, 71, 999, 2000, 100_000] {
        let comparing = Comparing { requests, ..COMPARING };
        let mut blocks = Vec::new();
        let comparison =
            compare(&comparing, &mut Machine::new(3.0, 1), |done, _| blocks.push(done)).unwrap();
        assert!(comparing.requests() >= requests, "{comparing:?}");
        assert_eq!(comparison.a.requests, u64::from(comparing.requests()));
        assert_eq!(comparison.b.requests, u64::from(comparing.requests()));
        assert_eq!(blocks, (1..=comparing.blocks()).collect::<Vec<_>>());
        assert_eq!((comparison.blocks, comparison.a.bytes), (comparing.blocks(), Some(7)));
    }
}

#[test]
fn failures_are_not_compared() {
    let mut machine = Machine { failing: Some(10), ..Machine::new(0.5, 1) };
    let comparison = machine.compare(1).unwrap();
    assert_eq!(comparison.verdict, Verdict::Unclear(Unclear::Failures));
    assert!(comparison.b.requests < 1000, "it does not go on with what is lost: {comparison:?}");
    assert_eq!(
        (comparison.a.failures, comparison.b.failure.as_deref()),
        (0, Some("it answered 503"))
    );
    // Few failures are told, and do not stand in the way.
    let few = Machine { failing: Some(1000), ..Machine::new(2.0, 1) }.compare(1).unwrap();
    assert_eq!(few.verdict, Verdict::Slower);
    assert!(few.b.failures > 0);
}

#[test]
fn what_was_measured_before_the_time_was_up_is_judged() {
    let mut machine = Machine { end: Some((2000, Stop::TimeUp)), ..Machine::new(1.5, 1) };
    let comparison = machine.compare(1).unwrap();
    assert_eq!((comparison.blocks, comparison.verdict), (18, Verdict::Slower));
    let mut machine = Machine { end: Some((500, Stop::TimeUp)), ..Machine::new(1.5, 1) };
    let comparison = machine.compare(1).unwrap();
    assert_eq!((comparison.ratio, comparison.verdict), (None, Verdict::Unclear(Unclear::TooFew)));
    let mut machine = Machine { end: Some((500, Stop::Interrupted)), ..Machine::new(1.5, 1) };
    assert_eq!(machine.compare(1), None);
}
