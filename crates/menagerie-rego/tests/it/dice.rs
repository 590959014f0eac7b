//! [`Dice`]: numbers that follow from a seed.

/// Gives the same numbers for the same seed, everywhere and always.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        // Mixed once, or a seed would go on with the second number of the seed before it.
        Self(mix(seed))
    }

    /// Returns a number below `end`, which is not 0. (This is `SplitMix64`.)
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        usize::try_from(mix(self.0) % end as u64).expect("it is below a `usize`")
    }

    /// Returns whether it is one of so many of a hundred.
    pub(crate) fn is(&mut self, of_a_hundred: usize) -> bool {
        self.below(100) < of_a_hundred
    }

    pub(crate) fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }
}

fn mix(mut number: u64) -> u64 {
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
