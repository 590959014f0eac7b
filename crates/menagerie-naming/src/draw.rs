//! [`draw()`]: pet names.

use std::hash::{BuildHasher as _, RandomState};

use petname::Petnames;
use rand::SeedableRng as _;
use rand::rngs::Xoshiro256PlusPlus;
use thiserror::Error;

use crate::{EnvName, Taken, check_free};

/// How often a name of so many words is drawn before the next kind.
///
/// Two words make 1.26 million names: among 10,000 living and 10,000 used, two draws of a hundred
/// are refused, and even with a million names used all hundred are refused once in 10⁹ times. A
/// third word makes 800 million that fit.
const TRIES: [(u8, usize); 2] = [(2, 100), (3, 400)];

/// Why no name was drawn.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DrawError {
    /// All that were drawn are taken, too near to a living one, or too long.
    #[error("no free name among {0} that were drawn")]
    Exhausted(usize),
}

/// Draws a pet name (`calm-otter`) that passes [`check_free`].
///
/// The same seed among the same names gives the same name; without a seed, the operating system's
/// randomness does. Drawing twice from the same [`Taken`] can give the same name twice: the caller
/// holds a lock and records it.
pub fn draw(seed: Option<u64>, taken: &Taken) -> Result<EnvName, DrawError> {
    draw_from(&Petnames::medium(), seed.unwrap_or_else(random_seed), taken)
}

fn draw_from(words: &Petnames<'_>, seed: u64, taken: &Taken) -> Result<EnvName, DrawError> {
    // A generator that is defined to give the same numbers on all machines and in all versions.
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    for (count, tries) in TRIES {
        let namer = words.namer(count, "-");
        let drawn = namer.iter(&mut random).take(tries);
        let free = drawn.flat_map(|text| text.parse()).find(|name| check_free(name, taken).is_ok());
        if let Some(name) = free {
            return Ok(name);
        }
    }
    Err(DrawError::Exhausted(TRIES.iter().map(|(_, tries)| tries).sum()))
}

/// Returns a number that the operating system's randomness went into: the standard library seeds
/// its maps with it.
fn random_seed() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;
    use crate::name::strategy::any_name;

    fn names(text: &str) -> Vec<EnvName> {
        text.split_whitespace().map(|name| name.parse().unwrap()).collect()
    }

    /// A name that was drawn is recorded, so this may change; but only on purpose.
    #[test]
    fn a_seed_gives_the_name_it_always_gave() {
        assert_eq!(draw(Some(1), &Taken::default()).unwrap().as_str(), "smart-sandfish");
        assert_eq!(draw(Some(2), &Taken::default()).unwrap().as_str(), "rich-mealworm");
    }

    #[test]
    fn without_a_seed_names_differ() {
        let drawn: HashSet<EnvName> =
            (0..20).map(|_| draw(None, &Taken::default()).unwrap()).collect();
        assert!(drawn.len() >= 18, "{drawn:?}");
    }

    #[test]
    fn taken_words_give_a_third() {
        let words = Petnames::new("calm keen", "truly", "otter newt");
        let used = Taken::new([], names("calm-otter calm-newt keen-otter keen-newt"));
        let name = draw_from(&words, 0, &used).unwrap();
        assert!(name.as_str().starts_with("truly-"), "{name}");
    }

    #[test]
    fn nothing_left() {
        let words = Petnames::new("calm", "truly", "otter");
        let taken = Taken::new(names("calm-otter"), names("truly-calm-otter"));
        let error = draw_from(&words, 0, &taken).unwrap_err();
        assert_eq!(error.to_string(), "no free name among 500 that were drawn");
    }

    #[test]
    fn too_near_or_too_long_is_never_drawn() {
        let words = Petnames::new("calm bigger", "extraordinarily-wonderfully", "otter cat");
        let taken = Taken::new(names("calm-outer calm-bat bigger-otters bigger-cat"), []);
        assert_eq!(draw_from(&words, 0, &taken), Err(DrawError::Exhausted(500)));
    }

    #[test]
    fn among_ten_thousand_living_and_ten_thousand_used() {
        let mut drawn: Vec<EnvName> =
            (0..20_000).map(|seed| draw(Some(seed), &Taken::default()).unwrap()).collect();
        let used = drawn.split_off(10_000);
        let taken = Taken::new(drawn, used);
        for seed in [0, 10_000, 20_000] {
            let name = draw(Some(seed), &taken).unwrap();
            assert_eq!(check_free(&name, &taken), Ok(()));
        }
    }

    proptest! {
        #[test]
        fn a_draw_is_free_and_repeats(
            seed in any::<u64>(),
            living in proptest::collection::vec(any_name(), 0..8),
            used in proptest::collection::vec(any_name(), 0..8),
            times in 1_usize..8,
        ) {
            let mut living = living;
            let mut used = used;
            for time in 0..times {
                // Each name drawn is taken when the next one is drawn from the same seed.
                let taken = Taken::new(living.iter().cloned(), used.iter().cloned());
                let name = draw(Some(seed), &taken).unwrap();
                prop_assert_eq!(check_free(&name, &taken), Ok(()));
                prop_assert_eq!(draw(Some(seed), &taken), Ok(name.clone()));
                if time % 2 == 0 { living.push(name) } else { used.push(name) }
            }
        }
    }
}
