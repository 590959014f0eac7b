//! What is said of samples: the median and the quartiles, which one disturbed sample does not move, and the line through points.

use serde::Serialize;

/// Samples of one thing, put in short.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Distribution {
    /// How many samples there are.
    pub(crate) n: usize,
    pub(crate) median: f64,
    /// A quarter of the samples is not above this.
    pub(crate) lower_quartile: f64,
    /// A quarter of the samples is not below this.
    pub(crate) upper_quartile: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Distribution {
    /// Returns what is to be said of these; there is at least one.
    pub(crate) fn of(samples: &[f64]) -> Self {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        Self {
            n: sorted.len(),
            median: quantile(&sorted, 0.5),
            lower_quartile: quantile(&sorted, 0.25),
            upper_quartile: quantile(&sorted, 0.75),
            least: quantile(&sorted, 0.0),
            most: quantile(&sorted, 1.0),
        }
    }
}

/// Returns the value below which this part of the sorted samples lies, between two samples where it falls there.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "samples are counted in tens, and a part is from 0 to 1"
)]
fn quantile(sorted: &[f64], part: f64) -> f64 {
    let position = part * (sorted.len() - 1) as f64;
    let below = position.floor();
    let (below, fraction) = (below as usize, position - below);
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * fraction
}

/// The straight line that is nearest to some points, by least squares.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Fit {
    /// What the line goes through: a count, and what it took.
    pub(crate) points: Vec<(f64, f64)>,
    /// What one more costs.
    pub(crate) slope: f64,
    /// What none costs.
    pub(crate) intercept: f64,
    /// How much of the difference between the points the line explains: 1 is all of it.
    pub(crate) r_squared: f64,
}

impl Fit {
    /// Returns the line through these; there are at least two, of different counts.
    #[expect(clippy::cast_precision_loss, reason = "there are a few points")]
    pub(crate) fn of(points: Vec<(f64, f64)>) -> Self {
        let n = points.len() as f64;
        let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / n;
        let (mean_x, mean_y) = (mean(|point| point.0), mean(|point| point.1));
        let sum = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
            points.iter().map(|(x, y)| of(x - mean_x, y - mean_y)).sum()
        };
        let slope = sum(&|x, y| x * y) / sum(&|x, _| x * x);
        let intercept = mean_y - slope * mean_x;
        let total = sum(&|_, y| y * y);
        let left = sum(&|x, y| (y - slope * x).powi(2));
        let r_squared = if total == 0.0 { 1.0 } else { 1.0 - left / total };
        Self { points, slope, intercept, r_squared }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(samples: &[f64], expected: [f64; 5]) {
        let Distribution { n, median, lower_quartile, upper_quartile, least, most } =
            Distribution::of(samples);
        assert_eq!(n, samples.len());
        let actual = [least, lower_quartile, median, upper_quartile, most];
        assert!(
            actual.iter().zip(expected).all(|(actual, expected)| (actual - expected).abs() < 1e-9),
            "{actual:?}"
        );
    }

    #[test]
    fn medians_and_quartiles() {
        check(&[3.0], [3.0; 5]);
        check(&[4.0, 2.0], [2.0, 2.5, 3.0, 3.5, 4.0]);
        check(&[5.0, 1.0, 4.0, 2.0, 3.0], [1.0, 2.0, 3.0, 4.0, 5.0]);
        check(&[1.0, 1.0, 1.0, 1.0, 900.0], [1.0, 1.0, 1.0, 1.0, 900.0]);
    }

    #[test]
    fn a_line() {
        let fit = Fit::of(vec![(1.0, 5.0), (2.0, 7.0), (4.0, 11.0)]);
        assert!((fit.slope - 2.0).abs() < 1e-9 && (fit.intercept - 3.0).abs() < 1e-9);
        assert!((fit.r_squared - 1.0).abs() < 1e-9);
        let curve = Fit::of((0..6).map(|x| (f64::from(x), f64::from(x).powi(3))).collect());
        assert!(curve.r_squared < 0.9, "{}", curve.r_squared);
        let flat = Fit::of(vec![(1.0, 2.0), (2.0, 2.0)]);
        assert!(flat.slope.abs() < 1e-9 && (flat.r_squared - 1.0).abs() < 1e-9);
    }
}
