//! A confidence interval that assumes next to nothing: the Hodges–Lehmann estimate with the interval of Wilcoxon's signed-rank test.
//!
//! It takes differences of pairs that are symmetric about what is to be estimated, of whatever distribution. Where the two of a
//! pair differ only in their order, which was drawn, they are. One pair that something else on the machine disturbed moves it
//! little, where it would ruin a mean; and nothing in it is drawn, so that the same differences give the same interval.
//!
//! Hollander, Wolfe, Chicken: Nonparametric Statistical Methods, 3rd edition, sections 3.2 and 3.3.

/// An estimate and what surely lies around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Interval {
    pub(crate) low: f64,
    pub(crate) estimate: f64,
    pub(crate) high: f64,
}

/// Returns the interval of this confidence, a share below 1; `None` where so few differences can't give it.
pub(crate) fn interval(differences: &[f64], confidence: f64) -> Option<Interval> {
    let cut = cut(differences.len(), (1.0 - confidence) / 2.0)?;
    // Walsh averages: of each difference with itself and with each later one.
    let mut averages = Vec::with_capacity(differences.len() * (differences.len() + 1) / 2);
    for (index, one) in differences.iter().enumerate() {
        averages.extend(differences[index..].iter().map(|other| f64::midpoint(*one, *other)));
    }
    averages.sort_unstable_by(f64::total_cmp);
    let count = averages.len();
    let estimate = f64::midpoint(averages[(count - 1) / 2], averages[count / 2]);
    Some(Interval { low: averages[cut], estimate, high: averages[count - 1 - cut] })
}

/// Returns how many of the smallest Walsh averages lie below the interval, and as many of the largest above it: the most so
/// that the signed-rank statistic is that small with at most this probability.
fn cut(count: usize, tail: f64) -> Option<usize> {
    let mut sum = 0.0;
    let mut cut = None;
    for (index, probability) in signed_ranks(count).into_iter().enumerate() {
        sum += probability;
        if sum > tail {
            break;
        }
        cut = Some(index);
    }
    cut
}

/// Returns the probability of each value of the signed-rank statistic: the sum of those of the ranks 1 to `count` whose coin
/// fell on heads.
fn signed_ranks(count: usize) -> Vec<f64> {
    let mut probabilities = vec![0.0; count * (count + 1) / 2 + 1];
    probabilities[0] = 1.0;
    for rank in 1..=count {
        for sum in (0..=rank * (rank + 1) / 2).rev() {
            let with = if sum >= rank { probabilities[sum - rank] } else { 0.0 };
            probabilities[sum] = f64::midpoint(probabilities[sum], with);
        }
    }
    probabilities
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng as _;
    use rand::rngs::Xoshiro256PlusPlus;

    use super::*;

    #[test]
    fn the_statistic_is_distributed_as_its_tables_say() {
        let of_three = signed_ranks(3);
        assert_eq!(of_three, [1.0, 1.0, 1.0, 2.0, 1.0, 1.0, 1.0].map(|ways| ways / 8.0));
        // P(T+ ≤ 8) of ten is 0.0244, and P(T+ ≤ 3) is 0.0049, as in every printed table.
        assert_eq!((cut(10, 0.025), cut(10, 0.005)), (Some(8), Some(3)));
        assert_eq!((cut(7, 0.005), cut(8, 0.005)), (None, Some(0)));
        assert!((signed_ranks(200).iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn of_ten() {
        let differences = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 1000.0];
        let Interval { low, estimate, high } = interval(&differences, 0.95).unwrap();
        assert!(
            (estimate - 5.5).abs() < 1e-9 && low > 1.0 && high < 600.0,
            "{low} {estimate} {high}"
        );
        assert_eq!(interval(&differences[..5], 0.95), None);
    }

    /// Returns how many of 400 intervals, each of so many drawn differences about 0, do not hold it.
    fn misses(
        count: usize,
        confidence: f64,
        draw: impl Fn(&mut Xoshiro256PlusPlus) -> f64,
    ) -> usize {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(7);
        (0..400)
            .filter(|_| {
                let differences: Vec<f64> = (0..count).map(|_| draw(&mut random)).collect();
                let Interval { low, high, .. } = interval(&differences, confidence).unwrap();
                low > 0.0 || high < 0.0
            })
            .count()
    }

    #[test]
    fn it_holds_the_truth_as_often_as_it_says() {
        // Even; with one in ten a hundred times as large; and without a variance, as a ratio of two normal numbers has none.
        let even = |random: &mut Xoshiro256PlusPlus| random.random_range(-1.0..1.0);
        let disturbed = |random: &mut Xoshiro256PlusPlus| {
            random.random_range(-1.0..1.0) * if random.random_ratio(1, 10) { 100.0 } else { 1.0 }
        };
        let wild = |random: &mut Xoshiro256PlusPlus| {
            (std::f64::consts::PI * random.random_range(-0.499..0.499)).tan()
        };
        // Of 400 with 99 %, 4 are to be expected, and more than 12 in one of 2,000 runs; of 400 with 90 %, 40, and not above 62.
        for (confidence, most) in [(0.99, 12), (0.90, 62)] {
            for count in [12, 40] {
                assert!(misses(count, confidence, even) <= most);
                assert!(misses(count, confidence, disturbed) <= most);
                assert!(misses(count, confidence, wild) <= most);
            }
        }
        // And it is no wider than it has to be.
        assert!(misses(40, 0.90, even) >= 20);
    }

    proptest! {
        #[test]
        fn it_moves_with_what_it_is_of(differences in prop::collection::vec(-1.0..1.0_f64, 12..40), shift in -5.0..5.0_f64) {
            let before = interval(&differences, 0.99).unwrap();
            prop_assert!(before.low <= before.estimate && before.estimate <= before.high);
            let shifted: Vec<f64> = differences.iter().map(|difference| difference + shift).collect();
            let after = interval(&shifted, 0.99).unwrap();
            prop_assert!((after.low - before.low - shift).abs() < 1e-9);
            prop_assert!((after.high - before.high - shift).abs() < 1e-9);
            let turned: Vec<f64> = differences.iter().map(|difference| -difference).collect();
            let turned = interval(&turned, 0.99).unwrap();
            prop_assert!((turned.low + before.high).abs() < 1e-9);
        }
    }
}
