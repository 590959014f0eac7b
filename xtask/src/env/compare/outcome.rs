//! What a comparison gave, for people and for programs.

use std::time::Duration;

use menagerie_lifecycle::Entry;
use menagerie_telemetry::{
    Comparing, Comparison, Latency, Measured, Metrics, Ratio, Unclear, Verdict,
};
use serde::Serialize;

use crate::env::facts::VERSION;
use crate::env::metrics::{
    ShownCpu, ShownLatency, ShownMemory, cpu_text, memory_text, shown_cpu, shown_latency,
    shown_memory,
};
use crate::output;
use crate::quantity::{count, duration, percent, three_digits};

/// All that is said of a comparison.
pub(super) struct Outcome<'a> {
    pub(super) a: &'a Entry,
    pub(super) b: &'a Entry,
    pub(super) path: &'a str,
    pub(super) comparing: Comparing,
    pub(super) comparison: &'a Comparison,
    /// The telemetry of both while they were compared.
    pub(super) usage: [Metrics; 2],
}

#[derive(Serialize)]
pub(super) struct Shown<'a> {
    version: u32,
    /// `slower`, `faster`, `same` or `unclear`.
    verdict: &'static str,
    /// Why it is unclear: `noise`, `failures` or `too_few`; else null.
    reason: Option<&'static str>,
    /// How many more requests to each would probably tell; null where none would, or none are needed.
    more_requests: Option<u64>,
    /// How many times as long B takes; null where too little was measured.
    ratio: Option<ShownRatio>,
    path: &'a str,
    blocks: u32,
    /// Shares: 0.05 is five percent.
    threshold: f64,
    confidence: f64,
    seed: u64,
    a: ShownSide<'a>,
    b: ShownSide<'a>,
}

#[derive(Serialize)]
struct ShownRatio {
    low: f64,
    estimate: f64,
    high: f64,
}

#[derive(Serialize)]
struct ShownSide<'a> {
    name: &'a str,
    url: Option<&'a str>,
    requests: u64,
    failures: u64,
    error_rate: Option<f64>,
    /// In seconds, as the load generator saw them.
    latency: Option<ShownLatency>,
    bytes: Option<u64>,
    cpu: Option<ShownCpu>,
    memory: Option<ShownMemory>,
}

impl Outcome<'_> {
    pub(super) fn shown(&self) -> Shown<'_> {
        let Comparison { a, b, blocks, ratio, verdict } = self.comparison;
        let (word, reason, more_requests) = match *verdict {
            Verdict::Slower => ("slower", None, None),
            Verdict::Faster => ("faster", None, None),
            Verdict::Same => ("same", None, None),
            Verdict::Unclear(Unclear::Noise { more_requests }) => {
                ("unclear", Some("noise"), more_requests)
            }
            Verdict::Unclear(Unclear::Failures) => ("unclear", Some("failures"), None),
            Verdict::Unclear(Unclear::TooFew) => ("unclear", Some("too_few"), None),
        };
        Shown {
            version: VERSION,
            verdict: word,
            reason,
            more_requests,
            ratio: ratio.map(|Ratio { low, estimate, high }| ShownRatio { low, estimate, high }),
            path: self.path,
            blocks: *blocks,
            threshold: self.comparing.threshold,
            confidence: self.comparing.confidence,
            seed: self.comparing.seed,
            a: shown_side(self.a, a, &self.usage[0]),
            b: shown_side(self.b, b, &self.usage[1]),
        }
    }

    pub(super) fn render(&self) -> String {
        let Comparison { a, b, blocks, ratio, .. } = self.comparison;
        let path = self.path.escape_debug();
        let load = format!(
            "GET {path}, {} requests to each in {blocks} blocks",
            count(a.requests.max(b.requests))
        );
        let mut rows = vec![("load", load)];
        rows.extend(ratio.map(|Ratio { low, estimate, high }| {
            let [low, estimate, high] = [low, estimate, high].map(|ratio| format!("{ratio:.3}"));
            let confidence = percent(self.comparing.confidence);
            ("ratio", format!("{estimate}, with {confidence} confidence {low} to {high}"))
        }));
        rows.push(("verdict", self.verdict()));
        let sides = [(a, &self.usage[0]), (b, &self.usage[1])];
        let latency = |of: fn(&Latency) -> Duration| {
            sides.map(|(side, _)| {
                side.latency
                    .as_ref()
                    .map_or_else(|| "-".to_owned(), |latency| duration(of(latency)))
            })
        };
        let failed = sides.map(|(side, _)| match side.error_rate() {
            Some(rate) => format!("{} ({})", count(side.failures), percent(rate)),
            None => "-".to_owned(),
        });
        let mut lines = vec![
            ("p50", latency(|latency| latency.p50)),
            ("p95", latency(|latency| latency.p95)),
            ("p99", latency(|latency| latency.p99)),
            ("failed", failed),
        ];
        let cpu = sides.map(|(_, usage)| usage.cpu.as_ref().map(cpu_text));
        let memory = sides.map(|(_, usage)| usage.memory.as_ref().map(memory_text));
        for (label, values) in [("cpu", cpu), ("memory", memory)] {
            if values.iter().any(Option::is_some) {
                lines.push((label, values.map(|value| value.unwrap_or_else(|| "-".to_owned()))));
            }
        }
        let lines: Vec<[String; 3]> =
            lines.into_iter().map(|(label, [of_a, of_b])| [label.to_owned(), of_a, of_b]).collect();
        let header = ["", self.a.name.as_str(), self.b.name.as_str()];
        format!("{}\n{}", output::rows(&rows), output::table(header, &lines))
    }

    /// Returns the verdict in a sentence that begins with its word.
    fn verdict(&self) -> String {
        let (a, b) = (&self.a.name, &self.b.name);
        let Comparison { a: of_a, b: of_b, ratio, verdict, .. } = self.comparison;
        let threshold = percent(self.comparing.threshold);
        match (verdict, ratio) {
            (Verdict::Slower, Some(ratio)) => {
                format!("slower: `{b}` takes {} than `{a}`", between(ratio))
            }
            (Verdict::Faster, Some(ratio)) => {
                format!("faster: `{b}` takes {} than `{a}`", between(ratio))
            }
            (Verdict::Same, _) => {
                format!("same: if `{b}` and `{a}` differ, then by less than {threshold}")
            }
            (Verdict::Unclear(Unclear::Noise { more_requests }), Some(ratio)) => {
                let way_out = match more_requests {
                    Some(more) => {
                        format!("about {} more requests to each would tell", count(*more))
                    }
                    None => format!(
                        "the noise is too large, or the difference too near the threshold of {threshold}, for any sensible number of requests to tell"
                    ),
                };
                format!("unclear: `{b}` takes {} than `{a}`; {way_out}", between(ratio))
            }
            (Verdict::Unclear(Unclear::Failures), _) => {
                let (name, side) =
                    if of_b.failures >= of_a.failures { (b, of_b) } else { (a, of_a) };
                let why = side.failure.as_deref().unwrap_or("no reason is known");
                format!(
                    "unclear: {} of {} requests to `{name}` failed: {}",
                    count(side.failures),
                    count(side.requests),
                    why.escape_debug()
                )
            }
            (Verdict::Unclear(_), _) | (_, None) => format!(
                "unclear: too little was measured for {} confidence; give it more time with `--time-limit`",
                percent(self.comparing.confidence)
            ),
        }
    }

    /// Returns what to say where the two answer so differently that they may not do the same work.
    pub(super) fn differ_in_size(&self) -> Option<String> {
        let [a, b] = [&self.comparison.a, &self.comparison.b].map(|side| side.bytes);
        let (a, b) = (a?, b?);
        // Names and times differ in length, too.
        (a.abs_diff(b) > 32.max(a.max(b) / 10)).then(|| {
            format!(
                "their answers differ in size, {} and {} bytes: is their data the same?",
                count(a),
                count(b)
            )
        })
    }
}

/// Says where the true ratio lies, in percent.
fn between(ratio: &Ratio) -> String {
    let end = |ratio: f64| {
        let change = (ratio - 1.0) * 100.0;
        (three_digits(change.abs()), if change < 0.0 { "less" } else { "longer" })
    };
    let ((low, low_word), (high, high_word)) = (end(ratio.low), end(ratio.high));
    match (low_word, high_word) {
        ("less", "less") => format!("{high} % to {low} % less time"),
        ("less", _) => format!("between {low} % less time and {high} % longer"),
        _ => format!("{low} % to {high} % longer"),
    }
}

fn shown_side<'a>(entry: &'a Entry, measured: &Measured, usage: &Metrics) -> ShownSide<'a> {
    ShownSide {
        name: entry.name.as_str(),
        url: entry.url.as_deref(),
        requests: measured.requests,
        failures: measured.failures,
        error_rate: measured.error_rate(),
        latency: measured.latency.as_ref().map(shown_latency),
        bytes: measured.bytes,
        cpu: usage.cpu.as_ref().map(shown_cpu),
        memory: usage.memory.as_ref().map(shown_memory),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::env::facts::tests::deployed;

    fn measured(milliseconds: u64, failures: u64) -> Measured {
        let [p50, p95, p99] = [1, 2, 4].map(|factor| Duration::from_millis(milliseconds * factor));
        Measured {
            requests: 2000,
            failures,
            failure: (failures > 0).then(|| "it answered 503".to_owned()),
            latency: Some(Latency { p50, p95, p99 }),
            bytes: Some(40_000 + milliseconds * 1000),
        }
    }

    /// What is said of a comparison.
    struct Said {
        text: String,
        json: String,
        verdict: String,
        size: Option<String>,
    }

    fn said(comparison: &Comparison) -> Said {
        let usage = Metrics {
            cpu: Some(menagerie_telemetry::Cpu {
                used: Duration::from_secs(3),
                window: Duration::from_secs(10),
            }),
            ..Metrics::default()
        };
        let (a, b) = (deployed("calm-otter"), deployed("brave-newt"));
        let outcome = Outcome {
            a: &a,
            b: &b,
            path: "/",
            comparing: Comparing { requests: 2000, confidence: 0.99, threshold: 0.05, seed: 7 },
            comparison,
            usage: [usage, Metrics::default()],
        };
        Said {
            text: outcome.render(),
            json: output::json(&outcome.shown()),
            verdict: outcome.verdict(),
            size: outcome.differ_in_size(),
        }
    }

    fn comparison(verdict: Verdict, low: f64, estimate: f64, high: f64) -> Comparison {
        Comparison {
            a: measured(5, 0),
            b: measured(6, 3),
            blocks: 40,
            ratio: Some(Ratio { low, estimate, high }),
            verdict,
        }
    }

    #[test]
    fn text() {
        let slower = comparison(Verdict::Slower, 1.152, 1.187, 1.221);
        assert_snapshot!(said(&slower).text, @"
        load     GET /, 2,000 requests to each in 40 blocks
        ratio    1.187, with 99 % confidence 1.152 to 1.221
        verdict  slower: `brave-newt` takes 15.2 % to 22.1 % longer than `calm-otter`

                calm-otter               brave-newt
        p50     5 ms                     6 ms
        p95     10 ms                    12 ms
        p99     20 ms                    24 ms
        failed  0 (0 %)                  3 (0.15 %)
        cpu     0.3 cores (3 s in 10 s)  -
        ");
    }

    #[test]
    fn verdicts() {
        let verdict = |verdict, low, high| said(&comparison(verdict, low, 1.0, high)).verdict;
        let noise = |more_requests| Verdict::Unclear(Unclear::Noise { more_requests });
        let mut failing = comparison(Verdict::Unclear(Unclear::Failures), 1.0, 1.0, 1.0);
        failing.b.failures = 30;
        let few = Comparison {
            ratio: None,
            ..comparison(Verdict::Unclear(Unclear::TooFew), 1.0, 1.0, 1.0)
        };
        let lines = [
            verdict(Verdict::Slower, 1.152, 1.221),
            verdict(Verdict::Faster, 0.8, 0.9),
            verdict(Verdict::Same, 0.98, 1.01),
            verdict(noise(Some(12_300)), 0.9, 1.1),
            verdict(noise(None), 1.02, 1.1),
            said(&failing).verdict,
            said(&few).verdict,
        ];
        assert_snapshot!(lines.join("\n"), @"
        slower: `brave-newt` takes 15.2 % to 22.1 % longer than `calm-otter`
        faster: `brave-newt` takes 10 % to 20 % less time than `calm-otter`
        same: if `brave-newt` and `calm-otter` differ, then by less than 5 %
        unclear: `brave-newt` takes between 10 % less time and 10 % longer than `calm-otter`; about 12,300 more requests to each would tell
        unclear: `brave-newt` takes 2 % to 10 % longer than `calm-otter`; the noise is too large, or the difference too near the threshold of 5 %, for any sensible number of requests to tell
        unclear: 30 of 2,000 requests to `brave-newt` failed: it answered 503
        unclear: too little was measured for 99 % confidence; give it more time with `--time-limit`
        ");
    }

    #[test]
    fn json() {
        let noise = Verdict::Unclear(Unclear::Noise { more_requests: Some(500) });
        let unclear = comparison(noise, 0.99, 1.03, 1.07);
        assert_snapshot!(said(&unclear).json, @r#"
        {
          "version": 1,
          "verdict": "unclear",
          "reason": "noise",
          "more_requests": 500,
          "ratio": {
            "low": 0.99,
            "estimate": 1.03,
            "high": 1.07
          },
          "path": "/",
          "blocks": 40,
          "threshold": 0.05,
          "confidence": 0.99,
          "seed": 7,
          "a": {
            "name": "calm-otter",
            "url": "http://127.0.0.1:40001",
            "requests": 2000,
            "failures": 0,
            "error_rate": 0.0,
            "latency": {
              "p50": 0.005,
              "p95": 0.01,
              "p99": 0.02
            },
            "bytes": 45000,
            "cpu": {
              "used": 3.0,
              "window": 10.0,
              "cores": 0.3
            },
            "memory": null
          },
          "b": {
            "name": "brave-newt",
            "url": "http://127.0.0.1:40001",
            "requests": 2000,
            "failures": 3,
            "error_rate": 0.0015,
            "latency": {
              "p50": 0.006,
              "p95": 0.012,
              "p99": 0.024
            },
            "bytes": 46000,
            "cpu": null,
            "memory": null
          }
        }
        "#);
    }

    #[test]
    fn different_answers_are_told() {
        let mut comparison = comparison(Verdict::Same, 1.0, 1.0, 1.0);
        assert_eq!(said(&comparison).size, None);
        comparison.b.bytes = Some(10_000);
        assert_eq!(
            said(&comparison).size.unwrap(),
            "their answers differ in size, 45,000 and 10,000 bytes: is their data the same?"
        );
    }
}
