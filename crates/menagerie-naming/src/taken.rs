//! [`Taken`]: the names that a new environment can't have.

use std::collections::{BTreeSet, HashSet};

use thiserror::Error;

use crate::EnvName;

/// The names that a new environment can't have.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    living: BTreeSet<EnvName>,
    used: HashSet<EnvName>,
}

/// Why a name that a person gave is not free.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TakenError {
    /// An environment of this name lives.
    #[error("`{0}` exists already")]
    Living(EnvName),
    /// A name is never used again: what an earlier environment left behind would be taken for the
    /// new one's.
    #[error("`{0}` was used before, and a name is never used again")]
    Used(EnvName),
    /// It is one edit away from a living one.
    #[error(
        "`{name}` is too easily mistaken for `{living}`, which exists: they differ by one edit"
    )]
    Near {
        /// The name asked for.
        name: EnvName,
        /// The living one.
        living: EnvName,
    },
}

impl Taken {
    /// Returns the names of the `living` environments and of all that were ever `used` (the
    /// ledger's and the branches'). Living ones need not be among the used.
    pub fn new(
        living: impl IntoIterator<Item = EnvName>,
        used: impl IntoIterator<Item = EnvName>,
    ) -> Self {
        Self { living: living.into_iter().collect(), used: used.into_iter().collect() }
    }
}

/// Checks that a new environment can have this name.
pub fn check_free(name: &EnvName, taken: &Taken) -> Result<(), TakenError> {
    if taken.living.contains(name) {
        return Err(TakenError::Living(name.clone()));
    }
    if taken.used.contains(name) {
        return Err(TakenError::Used(name.clone()));
    }
    match taken.living.iter().find(|living| is_near(name.as_str(), living.as_str())) {
        Some(living) => Err(TakenError::Near { name: name.clone(), living: living.clone() }),
        None => Ok(()),
    }
}

/// Returns whether one edit at most (a letter inserted, left out or changed, or two neighbours
/// swapped) leads from one name to the other.
///
/// This is an optimal string alignment distance of at most 1, found without its matrix: what the
/// two don't have in common at either end is all that differs. A draw among 10,000 living names
/// compares 10,000 times.
fn is_near(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len().abs_diff(right.len()) > 1 {
        return false;
    }
    let same = |(left, right): &(&u8, &u8)| left == right;
    let start = left.iter().zip(right).take_while(same).count();
    let (left, right) = (&left[start..], &right[start..]);
    let end = left.iter().rev().zip(right.iter().rev()).take_while(same).count();
    match (&left[..left.len() - end], &right[..right.len() - end]) {
        ([] | [_], [] | [_]) => true,
        ([a, b], [c, d]) => a == d && b == c,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::name::strategy::{alike_name, any_name};

    #[track_caller]
    fn check(name: &str, expected: Result<(), &str>) {
        let names = |text: &str| {
            text.split_whitespace().map(|name| name.parse().unwrap()).collect::<Vec<EnvName>>()
        };
        let taken = Taken::new(names("calm-otter big-cat"), names("calm-otter lost-lynx"));
        let actual = check_free(&name.parse().unwrap(), &taken);
        assert_eq!(actual.map_err(|error| error.to_string()), expected.map_err(str::to_owned));
    }

    #[test]
    fn given_names() {
        check("keen-newt", Ok(()));
        check("calm-otter", Err("`calm-otter` exists already"));
        check("lost-lynx", Err("`lost-lynx` was used before, and a name is never used again"));
    }

    #[test]
    fn near_names() {
        let near = |name: &str| {
            format!(
                "`{name}` is too easily mistaken for `big-cat`, which exists: they differ by one edit"
            )
        };
        for name in
            ["big-bat", "big-ca", "ig-cat", "bigcat", "big-cats", "bgi-cat", "big-act", "bi-gcat"]
        {
            check(name, Err(&near(name)));
        }
        check("bag-cut", Ok(()));
        check("big-tac", Ok(()));
    }

    #[test]
    fn near_a_name_of_the_past_is_free() {
        check("last-lynx", Ok(()));
    }

    proptest! {
        #[test]
        fn near_is_the_distance_of_the_books(left in alike_name(), right in alike_name()) {
            let (left, right) = (left.as_str(), right.as_str());
            prop_assert_eq!(is_near(left, right), strsim::osa_distance(left, right) <= 1);
        }

        #[test]
        fn near_is_symmetric_and_reflexive(left in any_name(), right in any_name()) {
            prop_assert!(is_near(left.as_str(), left.as_str()));
            prop_assert_eq!(is_near(left.as_str(), right.as_str()), is_near(right.as_str(), left.as_str()));
        }
    }
}
