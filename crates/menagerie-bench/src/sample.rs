//! Taking samples: a pair is ours and its baseline, one after the other, so that both see the same machine.

use std::time::Instant;

use crate::interrupt;

/// Samples that were taken in pairs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Pairs {
    pub(crate) ours: Vec<f64>,
    pub(crate) baseline: Vec<f64>,
}

impl Pairs {
    pub(crate) fn push(&mut self, ours: f64, baseline: f64) {
        self.ours.push(ours);
        self.baseline.push(baseline);
    }

    /// Returns what `of` makes of each pair.
    pub(crate) fn each(&self, of: impl Fn(f64, f64) -> f64) -> Vec<f64> {
        self.ours.iter().zip(&self.baseline).map(|(ours, baseline)| of(*ours, *baseline)).collect()
    }
}

/// Takes this many pairs, and one before them that does not count: it fills caches. Which of the two goes first alternates.
pub(crate) fn interleaved(
    count: usize,
    mut ours: impl FnMut() -> anyhow::Result<f64>,
    mut baseline: impl FnMut() -> anyhow::Result<f64>,
) -> anyhow::Result<Pairs> {
    let mut pairs = Pairs::default();
    for round in 0..=count {
        let (one, other) = if round % 2 == 0 {
            let one = ours()?;
            (one, baseline()?)
        } else {
            let other = baseline()?;
            (ours()?, other)
        };
        if round > 0 {
            pairs.push(one, other);
        }
    }
    Ok(pairs)
}

/// Takes this many samples, and one before them that does not count.
pub(crate) fn repeated(
    count: usize,
    mut sample: impl FnMut() -> anyhow::Result<f64>,
) -> anyhow::Result<Vec<f64>> {
    sample()?;
    (0..count).map(|_| sample()).collect()
}

/// Returns how many milliseconds it takes; after an interrupt nothing new is measured.
pub(crate) fn milliseconds<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<f64> {
    anyhow::ensure!(!interrupt::is_asked(), "interrupted");
    let start = Instant::now();
    // What it gave is put away after the clock has stopped.
    let done = work()?;
    let taken = start.elapsed().as_secs_f64() * 1000.0;
    drop(done);
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn the_first_pair_does_not_count_and_the_order_alternates() {
        let calls = RefCell::new(String::new());
        let call = |name: &str| {
            calls.borrow_mut().push_str(name);
            Ok(f64::from(u32::try_from(calls.borrow().len())?))
        };
        let pairs = interleaved(2, || call("a"), || call("b")).unwrap();
        assert_eq!(*calls.borrow(), "abbaab");
        assert_eq!(pairs, Pairs { ours: vec![4.0, 5.0], baseline: vec![3.0, 6.0] });
        assert_eq!(pairs.each(|ours, baseline| ours - baseline), [1.0, -1.0]);
    }
}
