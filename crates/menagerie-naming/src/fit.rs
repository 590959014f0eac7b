//! [`fit()`]: names of resources, derived from an environment's name within the limit of the system
//! that takes them.

use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::EnvName;

/// Limits of the systems that are given derived names, in characters.
pub mod limit {
    /// Application and network load balancers: "up to 32 characters, alphanumeric characters or
    /// hyphens, must not begin or end with a hyphen" (`CreateLoadBalancer`, Elastic Load Balancing
    /// API reference).
    pub const LOAD_BALANCER: usize = 32;
    /// Target groups: the same 32 (`CreateTargetGroup`, Elastic Load Balancing API reference).
    pub const TARGET_GROUP: usize = 32;
    /// Buckets: "between 3 (min) and 63 (max) characters long" (Amazon S3 user guide, bucket naming
    /// rules).
    pub const BUCKET: usize = 63;
    /// Database instances: "1 to 63 letters, numbers, or hyphens, first character a letter, can't
    /// end with a hyphen or contain two consecutive hyphens" (`CreateDBInstance`, Amazon RDS API
    /// reference).
    pub const DATABASE: usize = 63;
}

/// Characters of the hash: 25 bits. Of a thousand names that are alike up to the cut, two meet with a
/// chance of 1.5 %, of a hundred with one of 0.015 %.
const HASH_LENGTH: usize = 5;

/// Why no name could be derived.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FitError {
    /// The suffix is not made of lower-case words, digits and single hyphens.
    #[error("`{}` can't end a derived name: it is not words of `a-z` and `0-9` with a hyphen between them", .0.escape_debug())]
    Suffix(String),
    /// Not one character of the environment's name would be left.
    #[error("no name that ends in `{suffix}` fits {limit} characters: the shortest has {shortest}")]
    Limit {
        /// The suffix asked for.
        suffix: String,
        /// The limit asked for.
        limit: usize,
        /// The length of the shortest name that could have been derived.
        shortest: usize,
    },
}

/// Returns `name-suffix` (`name` where the suffix is empty) when that has at most `limit`
/// characters, else the same with the environment's part cut and a hash of both behind the cut:
/// `abcdefgh-k3q7z-target`.
///
/// The result is a DNS label that starts with the environment's first letter, and depends on
/// nothing but the arguments: resources keep their names as long as the code asks for the same
/// ones.
pub fn fit(name: &EnvName, suffix: &str, limit: usize) -> Result<String, FitError> {
    if !is_suffix(suffix) {
        return Err(FitError::Suffix(suffix.to_owned()));
    }
    let suffix_part = if suffix.is_empty() { String::new() } else { format!("-{suffix}") };
    let whole = format!("{name}{suffix_part}");
    if whole.len() <= limit {
        return Ok(whole);
    }
    let tail = format!("-{hash}{suffix_part}", hash = hash(name, suffix));
    let room =
        limit.checked_sub(tail.len()).filter(|room| *room > 0).ok_or_else(|| FitError::Limit {
            suffix: suffix.to_owned(),
            limit,
            shortest: whole.len().min(tail.len() + 1),
        })?;
    let cut = &name.as_str()[..room.min(name.as_str().len())];
    Ok(format!("{}{tail}", cut.trim_end_matches('-')))
}

fn is_suffix(suffix: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9'))
    };
    suffix.is_empty() || suffix.split('-').all(is_word)
}

/// Returns the first 25 bits of a SHA-256 in the lower-case base-32 alphabet of RFC 4648.
fn hash(name: &EnvName, suffix: &str) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut hasher = Sha256::new();
    hasher.update(name.as_str());
    // Neither part can hold a zero byte, so `a-b` + `c` and `a` + `b-c` hash apart.
    hasher.update([0]);
    hasher.update(suffix);
    let digest = hasher.finalize();
    let bits = u64::from_be_bytes([0, 0, 0, digest[0], digest[1], digest[2], digest[3], digest[4]]);
    (0..HASH_LENGTH)
        .map(|index| {
            let value = (bits >> (35 - 5 * index)) & 0b1_1111;
            let value = usize::try_from(value).expect("five bits fit");
            char::from(ALPHABET[value])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::name::strategy::any_name;

    #[track_caller]
    fn check(name: &str, suffix: &str, limit: usize, expected: Result<&str, &str>) {
        let actual = fit(&name.parse().unwrap(), suffix, limit);
        assert_eq!(
            actual.map_err(|error| error.to_string()),
            expected.map(str::to_owned).map_err(str::to_owned)
        );
    }

    #[test]
    fn what_fits_is_unchanged() {
        check("calm-otter", "web", limit::LOAD_BALANCER, Ok("calm-otter-web"));
        check("calm-otter", "", limit::LOAD_BALANCER, Ok("calm-otter"));
        check(
            "abcdefghijklmnopqrstuvwx",
            "targets",
            limit::TARGET_GROUP,
            Ok("abcdefghijklmnopqrstuvwx-targets"),
        );
    }

    /// These names are in use once they were given: a change here renames, which is to say
    /// replaces, resources.
    #[test]
    fn what_is_cut_is_stable() {
        check(
            "abcdefghijklmnopqrstuvwx",
            "targets2",
            limit::TARGET_GROUP,
            Ok("abcdefghijklmnopq-fiayb-targets2"),
        );
        check(
            "abcdefghijklmnopqrstuvwx",
            "logs-123456789012-eu-central-1-replicas",
            limit::BUCKET,
            Ok("abcdefghijklmnopq-qfeii-logs-123456789012-eu-central-1-replicas"),
        );
        check("calm-otter", "", 9, Ok("cal-ejswl"));
    }

    #[test]
    fn a_cut_at_a_hyphen_leaves_one() {
        check("calm-otters", "web", 14, Ok("calm-7acwe-web"));
        check("wise-otters", "web", 14, Ok("wise-sis7h-web"));
        check("a-long-otter", "web", 12, Ok("a-wggcz-web"));
    }

    #[test]
    fn limits_too_small() {
        check(
            "calm-otter",
            "web",
            10,
            Err("no name that ends in `web` fits 10 characters: the shortest has 11"),
        );
        check(
            "calm-otter",
            "web",
            0,
            Err("no name that ends in `web` fits 0 characters: the shortest has 11"),
        );
        check(
            "a",
            "web",
            4,
            Err("no name that ends in `web` fits 4 characters: the shortest has 5"),
        );
    }

    #[test]
    fn suffixes() {
        for suffix in ["-", "Web", "a--b", "web-", "-web", "a.b", "${a}", "a\n"] {
            let error = fit(&"calm-otter".parse().unwrap(), suffix, 63).unwrap_err();
            assert_eq!(error, FitError::Suffix(suffix.to_owned()));
        }
    }

    fn any_suffix() -> impl Strategy<Value = String> {
        "([a-z0-9]{1,9}(-[a-z0-9]{1,9}){0,3})?"
    }

    proptest! {
        #[test]
        fn never_longer_than_its_limit_and_a_label(name in any_name(), suffix in any_suffix(), limit in 0_usize..70) {
            match fit(&name, &suffix, limit) {
                Ok(fitted) => {
                    prop_assert!(fitted.len() <= limit, "{fitted}");
                    prop_assert_eq!(fitted.chars().next(), name.as_str().chars().next());
                    prop_assert!(fitted.split('-').all(|word| !word.is_empty()), "{fitted}");
                    prop_assert!(fitted.ends_with(&suffix));
                    prop_assert_eq!(fit(&name, &suffix, limit), Ok(fitted));
                }
                Err(error) => {
                    let FitError::Limit { shortest, .. } = error else { panic!("{error}") };
                    prop_assert!(shortest > limit);
                    prop_assert!(fit(&name, &suffix, shortest).is_ok());
                }
            }
        }

        #[test]
        fn what_is_cut_alike_differs(name in any_name(), first in "[a-z]{8}-[a-z]", second in "[a-z]{8}-[a-z]") {
            prop_assume!(first != second);
            let long: EnvName = format!("{:a<24}", name.as_str().replace('-', "b")).parse().unwrap();
            prop_assert_ne!(fit(&long, &first, 32), fit(&long, &second, 32));
        }

        #[test]
        fn names_cut_alike_differ(start in "[a-z]{20}", first in "[a-z]{4}", second in "[a-z]{4}") {
            prop_assume!(first != second);
            let name = |end: &str| format!("{start}{end}").parse::<EnvName>().unwrap();
            prop_assert_ne!(fit(&name(&first), "targets2", 32), fit(&name(&second), "targets2", 32));
        }

        #[test]
        fn any_suffix_or_limit_never_panics(name in any_name(), suffix in any::<String>(), limit in any::<usize>()) {
            let _ = fit(&name, &suffix, limit);
        }
    }
}
