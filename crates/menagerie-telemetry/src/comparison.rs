//! Whether one of two servers is slower than the other.
//!
//! # Method
//!
//! - **Equal load, in turns.** Request by request, first one and then the other, in an order that is drawn for each pair and
//!   turned around for the next. What else happens on the machine hits both.
//! - **One number a block.** The differences of the logarithms of each pair's latencies are averaged over a block of pairs, each
//!   on a connection of its own. It is the ratio of geometric means: a request that the scheduler held up counts as the factor
//!   that it took longer, and not as its milliseconds, which would drown all others; and one that is always slow still shows,
//!   where a median would not see it.
//! - **One ratio.** The estimate and its confidence interval come from the blocks, by the signed-rank test, which assumes no
//!   distribution and that blocks are independent of each other. It holds exactly for two equal servers, since the order
//!   was drawn.
//! - **Up to three looks.** Where noise leaves it open, twice as many requests are sent, and once more. So that looking again
//!   makes no error more likely, each interval has a third of the error that the confidence allows.
//! - **A threshold.** Two processes of the same program differ by a little that is real and means nothing: where things lie in
//!   memory, which core they are on. So a difference counts only if the whole interval lies beyond the threshold, and that
//!   there is none is only said if the whole interval lies within it. In between it is not known.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};

use crate::interval::interval;
use crate::load::Answer;
use crate::percentile::Latency;
use crate::requests::ratio;

/// How many pairs a block has where there are enough, and how many blocks there are at least and at most.
const BLOCK: u32 = 50;
const FEWEST_BLOCKS: u32 = 14;
const MOST_BLOCKS: u32 = 100;

/// How often the number of requests is doubled while it can't be told, at most. Each look at the numbers is a chance to be
/// wrong, so they share what the confidence leaves.
const DOUBLINGS: u32 = 2;

/// How many requests open each connection, and are not measured.
const WARM_UP: u32 = 3;

/// The share of failures above which latencies say nothing.
const MOST_FAILURES: f64 = 0.01;

/// How much more than now may be asked for, before it is better to say that no number of requests will tell.
const MOST_FACTOR: f64 = 25.0;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What is compared with: the state before a change.
    A,
    /// What is judged: the state after it.
    B,
}

/// How two servers are compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparing {
    /// How many requests each gets at least, [`Comparing::FEWEST_REQUESTS`] or more; and up to [`Comparing::MOST_FACTOR`] times as
    /// many while noise leaves it open.
    pub requests: u32,
    /// How sure the interval is, as a share: at most [`Comparing::MOST_CONFIDENCE`].
    pub confidence: f64,
    /// The smallest difference that counts, as a share: 0.05 is five percent.
    pub threshold: f64,
    /// What the order in each pair is drawn from.
    pub seed: u64,
}

/// The two servers.
pub trait Servers {
    /// Closes the connections to both: a block begins, which may reach other replicas.
    fn reconnect(&mut self);

    /// Sends one request to one of them.
    fn ask(&mut self, side: Side) -> Result<Answer, Stop>;
}

/// Why no more requests are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// There is no more time. What was measured is judged.
    TimeUp,
    /// Nobody waits for the result any more.
    Interrupted,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// What was measured of A.
    pub a: Measured,
    /// What was measured of B.
    pub b: Measured,
    /// How many blocks were measured.
    pub blocks: u32,
    /// How long B takes for what takes A one second; `None` where too little was measured.
    pub ratio: Option<Ratio>,
    /// What follows.
    pub verdict: Verdict,
}

/// What was measured of one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// How many requests were sent.
    pub requests: u64,
    /// How many of them failed.
    pub failures: u64,
    /// What the last failure was.
    pub failure: Option<String>,
    /// How long those took that did not fail.
    pub latency: Option<Latency>,
    /// How long an answer's body is on average.
    pub bytes: Option<u64>,
}

/// A ratio of latencies, B to A, and the interval that holds the true one with the confidence that was asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// The lower end of the interval.
    pub low: f64,
    /// The estimate.
    pub estimate: f64,
    /// The upper end of the interval.
    pub high: f64,
}

/// The answer to "is B slower?".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// B is slower, by more than the threshold.
    Slower,
    /// B is faster, by more than the threshold.
    Faster,
    /// If there is a difference, it is smaller than the threshold.
    Same,
    /// It can't be told.
    Unclear(Unclear),
}

/// Why it can't be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unclear {
    /// The interval reaches beyond the threshold and within it.
    Noise {
        /// How many more requests to each would probably tell; `None` where the difference is so near the threshold that no
        /// sensible number would.
        more_requests: Option<u64>,
    },
    /// Too many requests failed.
    Failures,
    /// Too few blocks were measured for this confidence.
    TooFew,
}

impl Measured {
    /// Returns the share of requests that failed, from 0 to 1; `None` of none.
    pub fn error_rate(&self) -> Option<f64> {
        (self.requests > 0).then(|| ratio(self.failures, self.requests))
    }

    fn of(answers: &mut Answers) -> Self {
        let answered = answers.nanoseconds.len() as u64;
        Self {
            requests: answered + answers.failures,
            failures: answers.failures,
            failure: answers.failure.take(),
            latency: Latency::of(&mut answers.nanoseconds),
            bytes: answers.bytes.checked_div(answered),
        }
    }
}

impl Comparing {
    /// The fewest requests from which something can follow.
    pub const FEWEST_REQUESTS: u32 = 70;
    /// How many times as many requests are sent where noise leaves it open, at most.
    pub const MOST_FACTOR: u32 = 1 << DOUBLINGS;
    /// The highest confidence that the fewest blocks can give.
    pub const MOST_CONFIDENCE: f64 = 0.999;

    /// Returns how many requests each gets: a whole number of blocks.
    pub fn requests(&self) -> u32 {
        self.blocks() * self.pairs()
    }

    /// Returns how many blocks there are.
    pub fn blocks(&self) -> u32 {
        (self.requests / BLOCK).clamp(FEWEST_BLOCKS, MOST_BLOCKS)
    }

    /// Returns how many pairs a block has.
    pub fn pairs(&self) -> u32 {
        self.requests.max(Self::FEWEST_REQUESTS).div_ceil(self.blocks())
    }
}

/// Draws the order of each pair; each second one has the other order.
struct Order {
    random: Xoshiro256PlusPlus,
    next: Option<[Side; 2]>,
}

impl Order {
    fn new(seed: u64) -> Self {
        Self { random: Xoshiro256PlusPlus::seed_from_u64(seed), next: None }
    }

    fn pair(&mut self) -> [Side; 2] {
        if let Some(pair) = self.next.take() {
            return pair;
        }
        let (first, second) =
            if self.random.random() { (Side::A, Side::B) } else { (Side::B, Side::A) };
        self.next = Some([second, first]);
        [first, second]
    }
}

/// The answers of one server.
#[derive(Default)]
struct Answers {
    nanoseconds: Vec<u64>,
    failures: u64,
    failure: Option<String>,
    bytes: u64,
}

impl Answers {
    /// Takes an answer, and returns its nanoseconds if it is one.
    fn take(&mut self, answer: Answer) -> Option<u64> {
        match answer {
            Answer::Answered { took, bytes } => {
                // Below a nanosecond there is no logarithm, and beyond 500 years no patience.
                let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX).max(1);
                self.nanoseconds.push(nanoseconds);
                self.bytes += bytes;
                Some(nanoseconds)
            }
            Answer::Failed(why) => {
                self.failures += 1;
                self.failure = Some(why);
                None
            }
        }
    }
}

/// Compares two servers; `each_block` hears how many blocks are done, and of how many. It ends early once more requests have
/// failed than a verdict allows, and returns `None` when it is interrupted.
pub fn compare(
    comparing: &Comparing,
    servers: &mut impl Servers,
    mut each_block: impl FnMut(u32, u32),
) -> Option<Comparison> {
    let mut order = Order::new(comparing.seed);
    let [mut a, mut b] = [Answers::default(), Answers::default()];
    let mut differences = Vec::new();
    let mut blocks = 0;
    let mut goal = comparing.blocks();
    let confidence = 1.0 - (1.0 - comparing.confidence) / f64::from(DOUBLINGS + 1);
    loop {
        let mut is_time_up = false;
        while blocks < goal
            && !is_time_up
            && !fails(&a, goal * comparing.pairs())
            && !fails(&b, goal * comparing.pairs())
        {
            match block(comparing.pairs(), servers, &mut order, [&mut a, &mut b]) {
                Ok(difference) => {
                    differences.extend(difference);
                    blocks += 1;
                    each_block(blocks, goal);
                }
                Err(Stop::TimeUp) => is_time_up = true,
                Err(Stop::Interrupted) => return None,
            }
        }
        let interval = interval(&differences, confidence);
        let ratio = interval.map(|interval| Ratio {
            low: interval.low.exp(),
            estimate: interval.estimate.exp(),
            high: interval.high.exp(),
        });
        let requests = blocks * comparing.pairs();
        let verdict = match ratio {
            _ if fails(&a, requests) || fails(&b, requests) => Verdict::Unclear(Unclear::Failures),
            None => Verdict::Unclear(Unclear::TooFew),
            Some(ratio) => judge(ratio, comparing.threshold, requests.into()),
        };
        let is_noise = matches!(verdict, Verdict::Unclear(Unclear::Noise { .. }));
        if is_noise && !is_time_up && goal < comparing.blocks() * Comparing::MOST_FACTOR {
            goal *= 2;
            continue;
        }
        let (a, b) = (Measured::of(&mut a), Measured::of(&mut b));
        return Some(Comparison { a, b, blocks, ratio, verdict });
    }
}

/// Returns whether more of so many requests failed than leave latencies a meaning.
fn fails(answers: &Answers, requests: u32) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let failures = answers.failures as f64;
    failures > f64::from(requests) * MOST_FAILURES
}

/// Measures one block, and returns the mean difference of the logarithms; `None` if no pair was answered.
fn block(
    pairs: u32,
    servers: &mut impl Servers,
    order: &mut Order,
    [a, b]: [&mut Answers; 2],
) -> Result<Option<f64>, Stop> {
    servers.reconnect();
    for _ in 0..WARM_UP {
        servers.ask(Side::A)?;
        servers.ask(Side::B)?;
    }
    let (mut sum, mut count) = (0.0, 0_u32);
    for _ in 0..pairs {
        let [first, second] = order.pair();
        let (one, other) = (servers.ask(first)?, servers.ask(second)?);
        let (of_a, of_b) = if first == Side::A { (one, other) } else { (other, one) };
        if let (Some(of_a), Some(of_b)) = (a.take(of_a), b.take(of_b)) {
            sum += ratio(of_b, of_a).ln();
            count += 1;
        }
    }
    Ok((count > 0).then(|| sum / f64::from(count)))
}

/// Compares the interval with the threshold, upwards and downwards by the same factor.
fn judge(ratio: Ratio, threshold: f64, requests: u64) -> Verdict {
    let limit = 1.0 + threshold;
    if ratio.low > limit {
        Verdict::Slower
    } else if ratio.high < 1.0 / limit {
        Verdict::Faster
    } else if ratio.low >= 1.0 / limit && ratio.high <= limit {
        Verdict::Same
    } else {
        Verdict::Unclear(Unclear::Noise { more_requests: more_requests(ratio, limit, requests) })
    }
}

/// Returns how many more requests would probably tell: half of the width of an interval shrinks with the root of their number.
fn more_requests(ratio: Ratio, limit: f64, requests: u64) -> Option<u64> {
    let [low, estimate, high, limit] = [ratio.low, ratio.estimate, ratio.high, limit].map(f64::ln);
    let (below, above) = (estimate - low, high - estimate);
    let root = if estimate > limit {
        below / (estimate - limit)
    } else if estimate < -limit {
        above / (-limit - estimate)
    } else {
        (above / (limit - estimate)).max(below / (estimate + limit))
    };
    // A fifth more than it takes, as the width that was measured is itself uncertain.
    let factor = 1.2 * root * root;
    if factor > MOST_FACTOR || factor.is_nan() {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let more = requests as f64 * (factor - 1.0).max(0.2);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 2^40"
    )]
    let hundreds = (more / 100.0).ceil() as u64;
    Some(hundreds * 100)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(low: f64, estimate: f64, high: f64, expected: Verdict) {
        assert_eq!(judge(Ratio { low, estimate, high }, 0.05, 2000), expected);
    }

    #[test]
    fn verdicts_by_the_threshold() {
        let noise = |more_requests| Verdict::Unclear(Unclear::Noise { more_requests });
        check(1.06, 1.10, 1.14, Verdict::Slower);
        check(0.98, 1.00, 1.02, Verdict::Same);
        check(1.01, 1.02, 1.03, Verdict::Same);
        check(0.90, 0.92, 0.94, Verdict::Faster);
        check(0.92, 1.00, 1.08, noise(Some(5100)));
        check(1.04, 1.10, 1.16, noise(Some(1500)));
        check(1.00, 1.05, 1.10, noise(None));
    }

    proptest! {
        #[test]
        fn swapping_the_two_swaps_the_verdict(estimate in 0.5..2.0_f64, below in 0.5..1.0_f64, above in 1.0..2.0_f64) {
            let ratio = Ratio { low: estimate * below, estimate, high: estimate * above };
            let swapped = Ratio { low: 1.0 / ratio.high, estimate: 1.0 / estimate, high: 1.0 / ratio.low };
            let expected = match judge(ratio, 0.05, 2000) {
                Verdict::Slower => Verdict::Faster,
                Verdict::Faster => Verdict::Slower,
                other => other,
            };
            let actual = judge(swapped, 0.05, 2000);
            if let (Verdict::Unclear(_), Verdict::Unclear(_)) = (expected, actual) {
                return Ok(());
            }
            prop_assert_eq!(actual, expected);
        }
    }
}
