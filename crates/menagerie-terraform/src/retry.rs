//! What is worth repeating: by what Terraform says, and by what it was doing. The rules are those of [`Transient`].

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::thread;
use std::time::{Duration, Instant};

use crate::cancel::Cancel;
use crate::ended::{Ended, Failure};
use crate::execute::{Notice, RunError};
use crate::said::Said;

/// How often something is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryOptions {
    /// How often in all, where it fails for a transient reason.
    pub attempts: u32,
    /// How often in all, where the state is locked.
    pub lock_attempts: u32,
    /// The pause after the first attempt; each further one is twice as long, and any of them up to a half shorter by chance.
    pub pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
}

impl Default for RetryOptions {
    /// Three attempts, five where it is locked, with pauses of two to thirty seconds.
    fn default() -> Self {
        Self {
            attempts: 3,
            lock_attempts: 5,
            pause: Duration::from_secs(2),
            longest_pause: Duration::from_secs(30),
        }
    }
}

/// Why something may go well the next time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// Nobody answered: the request did not arrive.
    Unreachable,
    /// The connection broke: the request may have been carried out.
    Broken,
    /// It was refused, for there were too many.
    Throttled,
    /// The other side failed: the request may have been carried out.
    Overloaded,
    /// A file is being written by another process.
    Busy,
}

impl Cause {
    /// Returns whether what was asked for was not done, as far as the error tells. What may have been done, such as the creation
    /// of something, may be there without being in the state.
    pub fn left_nothing(self) -> bool {
        matches!(self, Self::Unreachable | Self::Throttled | Self::Busy)
    }
}

/// A failure that may not come again.
///
/// A failure is transient if each of its errors is; one that would be the same tomorrow makes all of them final. An error is
/// transient if it contains all words of a row, in any case, and is none of the exceptions below. The first row that fits decides.
///
/// | words | cause | in |
/// |---|---|---|
/// | `429 too many requests` · `status code: 429` · `statuscode: 429` · `response code 429` · `returned error: 429` · `toomanyrequests` · `throttlingexception` · `throttling:` · `requestthrottled` · `rate exceeded` · `requestlimitexceeded` · `slowdown` · `secondary rate limit` | [`Cause::Throttled`] | all |
/// | `connection refused` · `no route to host` · `network is unreachable` · `temporary failure in name resolution` · `server misbehaving` · `dial tcp` + `i/o timeout` · `tls handshake timeout` | [`Cause::Unreachable`] | all |
/// | `connection reset by peer` · `broken pipe` · `unexpected eof` · `i/o timeout` · `connection timed out` · `operation timed out` · `client.timeout exceeded` · `http2: client connection lost` | [`Cause::Broken`] | all |
/// | `500 internal server error` · `502 bad gateway` · `503 service unavailable` · `504 gateway timeout` · `status code: 5xx` · `statuscode: 5xx` · `response code 5xx` · `http response: 5xx` · `returned error: 5xx` · `giving up after` + `attempt(s)` (of the `http` backend, which does not say why) | [`Cause::Overloaded`] | all |
/// | `context deadline exceeded` | [`Cause::Broken`] | `init`, `plan` |
/// | `remote end hung up unexpectedly` · `early eof` · `ssh_exchange_identification` · `kex_exchange_identification` (git, of a module) | [`Cause::Broken`] | `init` |
/// | `text file busy` (another `init` fills the same plugin cache, hashicorp/terraform#31964) | [`Cause::Busy`] | `init`, `plan` |
///
/// Never transient, whatever else they say:
/// - "Failed to persist state to backend", "Failed to save state" and the like: see [`crate::Workdir::rescue`].
/// - "Error releasing the state lock": the work is done.
/// - "… provisioner error": what a user's script prints is nothing that we can judge.
/// - "Failed to install provider" with checksums that do not match: it may be an attack.
/// - `no such host`: mostly a name that is wrong, or a machine without network, where waiting helps nobody.
///
/// "In" is what was done: `init` and `providers …`; `plan` and all else that only reads; `apply`, `destroy`, `import` and all else
/// that changes something. The last is never repeated as it was: see [`crate::Workdir::apply_replanning`]. A state that is
/// locked is not a failure and has a budget of its own, since nothing was touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transient {
    /// Why; the one that may have left something, where there are several.
    pub cause: Cause,
    /// The summary of that error.
    pub reason: String,
}

/// What was being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Init,
    Plan,
    Apply,
}

impl Phase {
    fn of(command: &str) -> Self {
        match command {
            "init" | "providers lock" | "providers mirror" => Self::Init,
            "apply" | "destroy" | "import" | "test" | "force-unlock" | "state mv" | "state rm"
            | "state push" | "workspace new" | "workspace delete" => Self::Apply,
            _ => Self::Plan,
        }
    }
}

const ALL: &[Phase] = &[Phase::Init, Phase::Plan, Phase::Apply];
const READING: &[Phase] = &[Phase::Init, Phase::Plan];
const INIT: &[Phase] = &[Phase::Init];

/// The table above. The first row that fits decides.
const TABLE: &[(&[&str], Cause, &[Phase])] = &[
    (&["429 too many requests"], Cause::Throttled, ALL),
    (&["status code: 429"], Cause::Throttled, ALL),
    (&["statuscode: 429"], Cause::Throttled, ALL),
    (&["response code 429"], Cause::Throttled, ALL),
    (&["returned error: 429"], Cause::Throttled, ALL),
    (&["toomanyrequests"], Cause::Throttled, ALL),
    (&["throttlingexception"], Cause::Throttled, ALL),
    (&["throttling:"], Cause::Throttled, ALL),
    (&["requestthrottled"], Cause::Throttled, ALL),
    (&["rate exceeded"], Cause::Throttled, ALL),
    (&["requestlimitexceeded"], Cause::Throttled, ALL),
    (&["slowdown"], Cause::Throttled, ALL),
    (&["secondary rate limit"], Cause::Throttled, ALL),
    (&["connection refused"], Cause::Unreachable, ALL),
    (&["no route to host"], Cause::Unreachable, ALL),
    (&["network is unreachable"], Cause::Unreachable, ALL),
    (&["temporary failure in name resolution"], Cause::Unreachable, ALL),
    (&["server misbehaving"], Cause::Unreachable, ALL),
    (&["dial tcp", "i/o timeout"], Cause::Unreachable, ALL),
    (&["tls handshake timeout"], Cause::Unreachable, ALL),
    (&["connection reset by peer"], Cause::Broken, ALL),
    (&["broken pipe"], Cause::Broken, ALL),
    (&["unexpected eof"], Cause::Broken, ALL),
    (&["i/o timeout"], Cause::Broken, ALL),
    (&["connection timed out"], Cause::Broken, ALL),
    (&["operation timed out"], Cause::Broken, ALL),
    (&["client.timeout exceeded"], Cause::Broken, ALL),
    (&["http2: client connection lost"], Cause::Broken, ALL),
    (&["500 internal server error"], Cause::Overloaded, ALL),
    (&["502 bad gateway"], Cause::Overloaded, ALL),
    (&["503 service unavailable"], Cause::Overloaded, ALL),
    (&["504 gateway timeout"], Cause::Overloaded, ALL),
    (&["status code: 5"], Cause::Overloaded, ALL),
    (&["statuscode: 5"], Cause::Overloaded, ALL),
    (&["response code 5"], Cause::Overloaded, ALL),
    (&["http response: 5"], Cause::Overloaded, ALL),
    (&["returned error: 5"], Cause::Overloaded, ALL),
    (&["giving up after", "attempt(s)"], Cause::Overloaded, ALL),
    (&["context deadline exceeded"], Cause::Broken, READING),
    (&["remote end hung up unexpectedly"], Cause::Broken, INIT),
    (&["early eof"], Cause::Broken, INIT),
    (&["ssh_exchange_identification"], Cause::Broken, INIT),
    (&["kex_exchange_identification"], Cause::Broken, INIT),
    (&["text file busy"], Cause::Busy, READING),
];

/// The exceptions above.
const FINAL: &[&str] = &[
    "failed to persist state",
    "failed to save state",
    "failed to write state",
    "error saving state",
    "error releasing the state lock",
    "provisioner error",
    "match any of the checksums",
    "no such host",
];

impl Failure {
    /// Returns why it may not come again, if each of its errors may not.
    ///
    /// What was to be changed when it came is not to be done again as it was: see [`crate::Workdir::apply_replanning`].
    pub fn transient(&self) -> Option<Transient> {
        let phase = Phase::of(self.command);
        let errors = self.errors();
        let causes: Option<Vec<Transient>> =
            errors.iter().map(|error| transient(phase, error)).collect();
        causes?.into_iter().min_by_key(|transient| transient.cause.left_nothing())
    }
}

fn transient(phase: Phase, Said { summary, detail }: &Said<'_>) -> Option<Transient> {
    // Text is wrapped where it happens to be.
    let words: Vec<&str> = summary.split_whitespace().chain(detail.split_whitespace()).collect();
    let text = words.join(" ").to_lowercase();
    if FINAL.iter().any(|words| text.contains(words)) {
        return None;
    }
    let (_, cause, _) = TABLE.iter().find(|(words, _, phases)| {
        phases.contains(&phase) && words.iter().all(|words| text.contains(words))
    })?;
    Some(Transient { cause: *cause, reason: summary.to_string() })
}

/// Tries something that only reads until it goes well, fails for good, or has been tried often enough.
///
/// What changes something is not repeated where it failed, even if that is transient; where the state is locked it is, for
/// then nothing was touched.
pub fn retry<T>(
    options: &RetryOptions,
    notices: &mut dyn FnMut(Notice<'_>),
    cancel: &Cancel,
    mut attempt: impl FnMut(&mut dyn FnMut(Notice<'_>)) -> Result<Ended<T>, RunError>,
) -> Result<Ended<T>, RunError> {
    let (mut failed, mut locked) = (0, 0);
    loop {
        let ended = attempt(notices)?;
        let (count, of, reason) = match &ended {
            Ended::Failed(failure) if Phase::of(failure.command) != Phase::Apply => {
                let Some(transient) = failure.transient() else { return Ok(ended) };
                failed += 1;
                (failed, options.attempts, transient.reason)
            }
            Ended::Locked(_) => {
                locked += 1;
                (locked, options.lock_attempts, ended.to_string())
            }
            _ => return Ok(ended),
        };
        if count >= of {
            return Ok(ended);
        }
        if !wait(options, &reason, count, of, notices, cancel) {
            return Ok(Ended::Cancelled { forced: false });
        }
    }
}

/// Says that something is tried again, and waits until it is time; returns whether it is, or the user has had enough.
pub(crate) fn wait(
    options: &RetryOptions,
    reason: &str,
    count: u32,
    of: u32,
    notices: &mut dyn FnMut(Notice<'_>),
    cancel: &Cancel,
) -> bool {
    let pause = pause(options, count, RandomState::new().build_hasher().finish());
    notices(Notice::Retry { reason, attempt: count + 1, of, pause });
    let until = Instant::now() + pause;
    while cancel.count() == 0 {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        thread::sleep(left.min(Duration::from_millis(20)));
    }
    false
}

/// Returns the pause after an attempt that is not the last.
fn pause(options: &RetryOptions, count: u32, chance: u64) -> Duration {
    let doubled = 2_u32.saturating_pow(count.saturating_sub(1));
    let longest = options.pause.saturating_mul(doubled).min(options.longest_pause);
    // So that those who failed together do not come back together.
    let shorter = u32::try_from(chance % 1000).expect("less than a thousand fits");
    longest.saturating_sub(longest * shorter / 2000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(command: &'static str, errors: &[(&str, &str)]) -> Failure {
        let diagnostics = errors.iter().map(|(summary, detail)| {
            let json =
                serde_json::json!({"severity": "error", "summary": summary, "detail": detail});
            serde_json::from_value(json).unwrap()
        });
        Failure {
            command,
            exit_code: Some(1),
            diagnostics: diagnostics.collect(),
            stderr: String::new(),
            log: "x.out".into(),
        }
    }

    #[track_caller]
    fn check(command: &'static str, summary: &str, detail: &str, expected: Option<Cause>) {
        let transient = failure(command, &[(summary, detail)]).transient();
        assert_eq!(transient.as_ref().map(|transient| transient.cause), expected);
        if let Some(transient) = transient {
            assert_eq!(transient.reason, summary);
        }
    }

    #[test]
    fn each_row_in_each_phase() {
        for (words, cause, phases) in TABLE {
            let detail = format!("it said: {}00!", words.join(" and then ").to_uppercase());
            for (command, phase) in
                [("init", Phase::Init), ("plan", Phase::Plan), ("apply", Phase::Apply)]
            {
                let expected = phases.contains(&phase).then_some(*cause);
                let transient = failure(command, &[("Error", &detail)]).transient();
                assert_eq!(transient.map(|found| found.cause), expected, "{command}: {detail}");
            }
        }
    }

    #[test]
    fn the_table_is_documented() {
        let documented = include_str!("retry.rs").lines().filter(|line| line.starts_with("/// |"));
        let documented = documented.collect::<Vec<_>>().join("\n");
        for words in TABLE.iter().flat_map(|(words, _, _)| *words) {
            // Of a number that is cut short the page says `5xx`.
            assert!(documented.contains(&format!("`{words}")), "`{words}`");
        }
    }

    #[test]
    fn what_terraform_says() {
        check(
            "init",
            "Failed to query available provider packages",
            "Could not retrieve the list of available versions for provider hashicorp/aws: could not query provider registry for \
             registry.terraform.io/hashicorp/aws: the request failed after 2 attempts, please try again later: 429 Too Many Requests returned from registry.terraform.io",
            Some(Cause::Throttled),
        );
        check(
            "init",
            "Failed to install provider",
            "Error while installing hashicorp/aws v6.60.0: Get \"https://releases.hashicorp.com/x.zip\": net/http: TLS handshake timeout",
            Some(Cause::Unreachable),
        );
        check(
            "init",
            "Failed to install provider",
            "the local package doesn't match any of the checksums previously recorded; read: connection reset by peer",
            None,
        );
        check(
            "init",
            "Failed to download module",
            "Could not download module \"vpc\" source code from \"git::https://github.com/x/y\": error downloading: fatal: the remote\nend hung up unexpectedly",
            Some(Cause::Broken),
        );
        check(
            "init",
            "Invalid provider registry host",
            "lookup regstry.terraform.io on 127.0.0.53:53: no such host",
            None,
        );
        check(
            "plan",
            "reading S3 Bucket (logs)",
            "operation error S3: HeadBucket, https response error StatusCode: 503, RequestID: X, HostID: Y, api error SlowDown: Please reduce your request rate.",
            Some(Cause::Throttled),
        );
        check(
            "plan",
            "Retrieving AWS account details",
            "dial tcp 10.0.0.1:443: i/o timeout",
            Some(Cause::Unreachable),
        );
        check("plan", "Reference to undeclared local value", "", None);
        check(
            "apply",
            "creating ECS Service (web)",
            "operation error ECS: CreateService, exceeded maximum number of attempts, 25, ThrottlingException: Rate exceeded",
            Some(Cause::Throttled),
        );
        check("apply", "creating RDS", "read tcp: connection reset by peer", Some(Cause::Broken));
        check("apply", "Failed to persist state to backend", "connection refused", None);
        check("apply", "local-exec provisioner error", "curl: connection refused", None);
        check("apply", "waiting for ECS Service", "context deadline exceeded", None);
    }

    #[test]
    fn one_error_that_stays_makes_all_of_them_final() {
        let reset = ("reading", "connection reset by peer");
        let throttled = ("creating", "ThrottlingException: Rate exceeded");
        let both = failure("apply", &[throttled, reset]).transient().unwrap();
        assert_eq!(both, Transient { cause: Cause::Broken, reason: "reading".to_owned() });
        assert_eq!(failure("apply", &[reset, ("Invalid value", "")]).transient(), None);
        assert_eq!(failure("apply", &[]).transient(), None);
    }

    #[test]
    fn what_is_printed_as_text() {
        let mut failure = failure("state pull", &[]);
        failure.stderr =
            "\nError: Failed to refresh state\n\nGet \"http://x\": dial tcp 127.0.0.1:9:\nconnect: connection\nrefused\n".into();
        assert_eq!(failure.transient().unwrap().cause, Cause::Unreachable);
    }

    #[test]
    fn pauses_grow_to_a_limit() {
        let options = RetryOptions {
            pause: Duration::from_secs(2),
            longest_pause: Duration::from_secs(10),
            ..RetryOptions::default()
        };
        let milliseconds = |count, chance| pause(&options, count, chance).as_millis();
        assert_eq!(
            [1, 2, 3, 4, 1000].map(|count| milliseconds(count, 0)),
            [2000, 4000, 8000, 10000, 10000]
        );
        assert_eq!(milliseconds(1, 500), 1500);
        assert!((1..9).all(|count| milliseconds(count, 999) > milliseconds(count, 0) / 2));
    }
}
