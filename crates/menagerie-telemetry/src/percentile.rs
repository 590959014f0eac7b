//! Percentiles by the nearest rank.

use std::time::Duration;

/// Three percentiles of latencies.
///
/// The *p*-th percentile is the smallest latency that at least *p* percent of all latencies do not exceed: the nearest rank,
/// always a latency that was measured, and exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency {
    /// Half of the requests took no longer.
    pub p50: Duration,
    /// 95 of 100 requests took no longer.
    pub p95: Duration,
    /// 99 of 100 requests took no longer.
    pub p99: Duration,
}

impl Latency {
    /// Returns the percentiles of latencies in nanoseconds, which are sorted for it; `None` of none.
    pub(crate) fn of(nanoseconds: &mut [u64]) -> Option<Self> {
        if nanoseconds.is_empty() {
            return None;
        }
        nanoseconds.sort_unstable();
        let at = |percent| Duration::from_nanos(nanoseconds[rank(nanoseconds.len(), percent)]);
        Some(Self { p50: at(50), p95: at(95), p99: at(99) })
    }
}

/// Returns the index, from 0, of a percentile among so many sorted values.
fn rank(count: usize, percent: usize) -> usize {
    (count * percent).div_ceil(100).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(latencies: &[u64], expected: [u64; 3]) {
        let Latency { p50, p95, p99 } = Latency::of(&mut latencies.to_vec()).unwrap();
        assert_eq!([p50, p95, p99], expected.map(Duration::from_nanos));
    }

    #[test]
    fn by_the_nearest_rank() {
        assert_eq!(Latency::of(&mut []), None);
        check(&[7], [7, 7, 7]);
        check(&[2, 1], [1, 2, 2]);
        check(&[3, 1, 2], [2, 3, 3]);
        check(&(1..=100).rev().collect::<Vec<_>>(), [50, 95, 99]);
        check(&(1..=1000).collect::<Vec<_>>(), [500, 950, 990]);
        check(&(1..=101).collect::<Vec<_>>(), [51, 96, 100]);
    }

    proptest! {
        #[test]
        fn at_least_so_many_do_not_exceed_it(mut values in prop::collection::vec(0_u64..50, 1..200)) {
            let Latency { p50, p95, p99 } = Latency::of(&mut values).unwrap();
            for (percent, found) in [(50, p50), (95, p95), (99, p99)] {
                let found = u64::try_from(found.as_nanos()).unwrap();
                let up_to = |limit: u64| values.iter().filter(|value| **value <= limit).count();
                prop_assert!(values.contains(&found));
                prop_assert!(up_to(found) * 100 >= values.len() * percent);
                prop_assert!(found == 0 || up_to(found - 1) * 100 < values.len() * percent);
            }
        }
    }
}
