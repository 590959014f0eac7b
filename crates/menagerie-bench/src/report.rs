//! What was measured, for people and for programs.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::machine::Machine;
use crate::row::Row;
use crate::sample::Pairs;
use crate::statistics::{Distribution, Fit};

/// The version of the JSON; it changes when a field is taken away or means something else.
const VERSION: u32 = 1;

/// A run of the benchmarks.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    version: u32,
    /// Whether less was measured, so that no bar is judged.
    quick: bool,
    machine: Machine,
    pub(crate) rows: Vec<Outcome>,
}

/// What came of a row.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    row: &'static str,
    what: &'static str,
    /// How long it took to measure.
    seconds: f64,
    measures: Vec<Measure>,
    /// Why it could not be measured.
    pub(crate) error: Option<String>,
}

/// One thing that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Measure {
    what: String,
    unit: Unit,
    ours: Distribution,
    baseline: Option<Baseline>,
    /// Ours divided by the baseline, pair by pair.
    ratio: Option<Distribution>,
    /// Ours less the baseline, pair by pair.
    difference: Option<Distribution>,
    fit: Option<Fit>,
    bar: Option<Bar>,
}

#[derive(Debug, Serialize)]
struct Baseline {
    what: String,
    #[serde(flatten)]
    samples: Distribution,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unit {
    Milliseconds,
    Microseconds,
    Count,
}

/// What was set out for.
#[derive(Debug, Serialize)]
pub(crate) struct Bar {
    /// Which median it is about.
    of: Of,
    limit: Limit,
    value: f64,
    /// Null where too little was measured to say.
    met: Option<bool>,
}

/// Which median of a measure a bar is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Of {
    Ours,
    Ratio,
    Difference,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Limit {
    AtMost,
    AtLeast,
    Exactly,
}

impl Report {
    pub(crate) fn new(quick: bool, machine: Machine) -> Self {
        Self { version: VERSION, quick, machine, rows: Vec::new() }
    }

    pub(crate) fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self)
            .expect("our own structs of text, numbers and lists are JSON");
        text.push('\n');
        text
    }
}

impl Outcome {
    pub(crate) fn new(row: Row, taken: Duration, result: anyhow::Result<Vec<Measure>>) -> Self {
        let (measures, error) = match result {
            Ok(measures) => (measures, None),
            Err(error) => (Vec::new(), Some(format!("{error:#}"))),
        };
        Self { row: row.name(), what: row.what(), seconds: taken.as_secs_f64(), measures, error }
    }
}

impl Measure {
    /// Describes samples that have no baseline.
    pub(crate) fn alone(what: impl Into<String>, unit: Unit, samples: &[f64]) -> Self {
        Self {
            what: what.into(),
            unit,
            ours: Distribution::of(samples),
            baseline: None,
            ratio: None,
            difference: None,
            fit: None,
            bar: None,
        }
    }

    /// Describes pairs of samples, of ours and of a baseline.
    pub(crate) fn against(
        what: impl Into<String>,
        unit: Unit,
        baseline: impl Into<String>,
        pairs: &Pairs,
    ) -> Self {
        Self {
            baseline: Some(Baseline {
                what: baseline.into(),
                samples: Distribution::of(&pairs.baseline),
            }),
            ratio: Some(Distribution::of(&pairs.each(|ours, baseline| ours / baseline))),
            difference: Some(Distribution::of(&pairs.each(|ours, baseline| ours - baseline))),
            ..Self::alone(what, unit, &pairs.ours)
        }
    }

    pub(crate) fn with_fit(self, fit: Fit) -> Self {
        Self { fit: Some(fit), ..self }
    }

    /// Sets a bar, and judges it if enough was measured to do so.
    pub(crate) fn with_bar(self, of: Of, limit: Limit, value: f64, is_judged: bool) -> Self {
        let median = match of {
            Of::Ours => Some(self.ours.median),
            Of::Ratio => self.ratio.map(|ratio| ratio.median),
            Of::Difference => self.difference.map(|difference| difference.median),
        };
        let met = median.filter(|_| is_judged).map(|median| match limit {
            Limit::AtMost => median <= value,
            Limit::AtLeast => median >= value,
            Limit::Exactly => (median - value).abs() < f64::EPSILON,
        });
        Self { bar: Some(Bar { of, limit, value, met }), ..self }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}: {} ({:.0} s)", self.row, self.what, self.seconds)?;
        if let Some(error) = &self.error {
            writeln!(formatter, "  could not be measured: {error}")?;
        }
        self.measures.iter().try_for_each(|measure| measure.fmt(formatter))
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = self.unit.symbol();
        writeln!(formatter, "  {}: {}, n = {}", self.what, show(&self.ours, unit), self.ours.n)?;
        if let Some(baseline) = &self.baseline {
            writeln!(formatter, "    {}: {}", baseline.what, show(&baseline.samples, unit))?;
        }
        if let Some(ratio) = &self.ratio {
            writeln!(formatter, "    ratio {}", show(ratio, ""))?;
        }
        if let Some(difference) = &self.difference {
            writeln!(formatter, "    difference {}", show(difference, unit))?;
        }
        if let Some(fit) = &self.fit {
            writeln!(
                formatter,
                "    growth: {}{unit} + {}{unit} for each 1,000, R² = {:.4}, through {}",
                number(fit.intercept),
                number(fit.slope * 1000.0),
                fit.r_squared,
                fit.points
                    .iter()
                    .map(|(count, taken)| format!("{count}: {}", number(*taken)))
                    .collect::<Vec<_>>()
                    .join(", ")
            )?;
        }
        if let Some(bar) = &self.bar {
            let what = match bar.of {
                Of::Ours => "",
                Of::Ratio => "ratio ",
                Of::Difference => "difference ",
            };
            let limit = match bar.limit {
                Limit::AtMost => "≤",
                Limit::AtLeast => "≥",
                Limit::Exactly => "=",
            };
            let unit = if bar.of == Of::Ratio { "" } else { unit };
            let met = match bar.met {
                Some(true) => "met",
                Some(false) => "NOT MET",
                None => "not judged",
            };
            writeln!(formatter, "    bar: {what}{limit} {}{unit}: {met}", bar.value)?;
        }
        Ok(())
    }
}

impl Unit {
    fn symbol(self) -> &'static str {
        match self {
            Self::Milliseconds => " ms",
            Self::Microseconds => " µs",
            Self::Count => "",
        }
    }
}

/// Returns a median with the quartiles around it.
fn show(samples: &Distribution, unit: &str) -> String {
    let median = number(samples.median);
    if samples.n == 1 {
        return format!("{median}{unit}");
    }
    let (lower, upper) = (number(samples.lower_quartile), number(samples.upper_quartile));
    format!("{median}{unit} [{lower} … {upper}]")
}

/// Returns a number with about three digits that count.
fn number(value: f64) -> String {
    match value.abs() {
        size if size < 1e-9 => "0".to_owned(),
        size if size < 100.0 && size.fract() == 0.0 => format!("{value}"),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs() -> Pairs {
        Pairs { ours: vec![120.0, 125.0, 130.0], baseline: vec![100.0, 100.0, 100.0] }
    }

    #[track_caller]
    fn check_bar(of: Of, limit: Limit, value: f64, expected: bool) {
        let measure = Measure::against("", Unit::Milliseconds, "", &pairs());
        let bar = measure.with_bar(of, limit, value, true).bar.unwrap();
        assert_eq!(bar.met, Some(expected));
    }

    #[test]
    fn bars() {
        check_bar(Of::Ours, Limit::AtMost, 125.0, true);
        check_bar(Of::Ours, Limit::AtMost, 124.0, false);
        check_bar(Of::Ratio, Limit::AtMost, 1.2, false);
        check_bar(Of::Ratio, Limit::AtLeast, 1.2, true);
        check_bar(Of::Difference, Limit::AtMost, 25.0, true);
        check_bar(Of::Ours, Limit::Exactly, 125.0, true);
        check_bar(Of::Ours, Limit::Exactly, 2.0, false);
    }

    #[test]
    fn for_people() {
        let fit = Fit::of(vec![(1000.0, 12.5), (10_000.0, 125.0)]);
        let measure = Measure::against("a list", Unit::Milliseconds, "a loop", &pairs())
            .with_fit(fit)
            .with_bar(Of::Ours, Limit::AtMost, 150.0, true);
        let alone = Measure::alone("processes", Unit::Count, &[2.0]).with_bar(
            Of::Ours,
            Limit::Exactly,
            2.0,
            false,
        );
        let outcome = Outcome::new(Row::List, Duration::from_secs(3), Ok(vec![measure, alone]));
        insta::assert_snapshot!(outcome, @"
        list: `env list` among many environments (3 s)
          a list: 125 ms [122 … 128], n = 3
            a loop: 100 ms [100 … 100]
            ratio 1.25 [1.23 … 1.27]
            difference 25 ms [22.5 … 27.5]
            growth: 0 ms + 12.5 ms for each 1,000, R² = 1.0000, through 1000: 12.5, 10000: 125
            bar: ≤ 150 ms: met
          processes: 2, n = 1
            bar: = 2: not judged
        ");
        let failed = Outcome::new(
            Row::Up,
            Duration::ZERO,
            Err(anyhow::anyhow!("no such file").context("failed to start")),
        );
        insta::assert_snapshot!(failed, @"
        up: `env up` of a new environment, all built (0 s)
          could not be measured: failed to start: no such file
        ");
    }
}
