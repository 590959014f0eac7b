//! [`Ttl`]: how long an environment lives.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

/// How long an environment lives: from one second to [`Ttl::LONGEST`]. A day has 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ttl {
    seconds: u32,
}

/// Why a text is no time to live.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TtlError {
    /// It is not written as numbers with units.
    #[error("`{}` is no time to live: write `30m`, `8h`, `2d`, `1w` or `1h30m`", .0.escape_debug())]
    Form(String),
    /// It is no time at all.
    #[error("a time to live can't be zero: the environment would be gone before it is used")]
    Zero,
    /// It ends before it begins.
    #[error("a time to live can't be negative")]
    Negative,
    /// It never ends.
    #[error("a time to live can't be infinite: an environment that nobody ends costs for ever")]
    Infinite,
    /// It is longer than what is allowed.
    #[error("a time to live of {ttl} is over the maximum of {maximum}")]
    OverMaximum {
        /// What was asked for.
        ttl: String,
        /// What is allowed.
        maximum: Ttl,
    },
}

const MINUTE: u32 = 60;
const HOUR: u32 = 60 * MINUTE;
const DAY: u32 = 24 * HOUR;
const WEEK: u32 = 7 * DAY;

/// Units, the largest first, as they are written.
const UNITS: [(char, u32); 5] = [('w', WEEK), ('d', DAY), ('h', HOUR), ('m', MINUTE), ('s', 1)];

impl Ttl {
    /// The longest that any configuration can allow: beyond a year it is not disposable.
    pub const LONGEST: Self = Self { seconds: 365 * DAY };
    /// What is used where `environment.ttl` is absent.
    pub const DEFAULT: Self = Self { seconds: 8 * HOUR };
    /// What is used where `environment.max_ttl` is absent.
    pub const DEFAULT_MAXIMUM: Self = Self { seconds: 7 * DAY };

    /// Returns `self` unless it is longer than `maximum`.
    pub fn within(self, maximum: Self) -> Result<Self, TtlError> {
        if self > maximum {
            return Err(TtlError::OverMaximum { ttl: self.to_string(), maximum });
        }
        Ok(self)
    }

    /// Returns the time at which an environment ends that was created at `created`.
    pub fn expiry(self, created: Timestamp) -> Timestamp {
        // Only a clock that is 8,000 years ahead meets the end of time.
        created
            .checked_add(SignedDuration::from_secs(self.seconds.into()))
            .unwrap_or(Timestamp::MAX)
    }
}

impl FromStr for Ttl {
    type Err = TtlError;

    fn from_str(text: &str) -> Result<Self, TtlError> {
        let word = text.to_ascii_lowercase();
        if [
            "∞",
            "forever",
            "indefinite",
            "inf",
            "infinite",
            "infinity",
            "never",
            "none",
            "unlimited",
        ]
        .contains(&&*word)
        {
            return Err(TtlError::Infinite);
        }
        if text == "0" {
            return Err(TtlError::Zero);
        }
        if let Some(rest) = text.strip_prefix(['-', '−'])
            && rest.starts_with(|character: char| character.is_ascii_digit())
        {
            return Err(TtlError::Negative);
        }
        let seconds = seconds(text).ok_or_else(|| TtlError::Form(text.to_owned()))?;
        match u32::try_from(seconds) {
            Ok(0) => Err(TtlError::Zero),
            Ok(seconds) if seconds <= Self::LONGEST.seconds => Ok(Self { seconds }),
            _ => Err(TtlError::OverMaximum { ttl: text.to_owned(), maximum: Self::LONGEST }),
        }
    }
}

/// Returns the seconds of a text such as `1h30m`, saturating; `None` where it is not written so.
pub(crate) fn seconds(text: &str) -> Option<u64> {
    let mut units = UNITS.iter();
    let mut total = 0_u64;
    let mut rest = text;
    while !rest.is_empty() || text.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit())?;
        let unit = rest[digits..].chars().next()?;
        // Each unit stands once, and larger ones first: the iterator is never turned back.
        let (_, factor) = units.find(|(letter, _)| *letter == unit)?;
        let number =
            if digits == 0 { return None } else { rest[..digits].parse().unwrap_or(u64::MAX) };
        total = total.saturating_add(number.saturating_mul((*factor).into()));
        rest = &rest[digits + unit.len_utf8()..];
    }
    Some(total)
}

impl fmt::Display for Ttl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.seconds;
        // Weeks are read but not written: `10d` says more than `1w3d`.
        for (letter, factor) in &UNITS[1..] {
            if rest >= *factor {
                write!(formatter, "{}{letter}", rest / factor)?;
                rest %= factor;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<u32, &str>) {
        let actual = text.parse::<Ttl>().map(|ttl| ttl.seconds).map_err(|error| error.to_string());
        assert_eq!(actual, expected.map_err(str::to_owned));
    }

    #[test]
    fn times() {
        check("30m", Ok(1_800));
        check("8h", Ok(28_800));
        check("2d", Ok(172_800));
        check("1w", Ok(604_800));
        check("1h30m", Ok(5_400));
        check("1w2d3h4m5s", Ok(788_645));
        check("365d", Ok(31_536_000));
        check("0h30m", Ok(1_800));
    }

    #[test]
    fn zero() {
        let zero = "a time to live can't be zero: the environment would be gone before it is used";
        for text in ["0", "0h", "0s", "0d0h", "00m"] {
            check(text, Err(zero));
        }
    }

    #[test]
    fn negative() {
        for text in ["-1", "-8h", "−8h"] {
            check(text, Err("a time to live can't be negative"));
        }
    }

    #[test]
    fn infinite() {
        let infinite =
            "a time to live can't be infinite: an environment that nobody ends costs for ever";
        for text in ["infinite", "forever", "Never", "∞", "none"] {
            check(text, Err(infinite));
        }
    }

    #[test]
    fn over_what_any_configuration_can_allow() {
        check("366d", Err("a time to live of 366d is over the maximum of 365d"));
        check(
            "99999999999999999999w",
            Err("a time to live of 99999999999999999999w is over the maximum of 365d"),
        );
    }

    #[test]
    fn other_texts() {
        for text in [
            "", "8", "h", "8x", "8H", "8 h", "1.5h", "30m1h", "1h1h", "8h ", "+8h", "٣h", "-",
            "--ttl",
        ] {
            check(
                text,
                Err(&format!(
                    "`{text}` is no time to live: write `30m`, `8h`, `2d`, `1w` or `1h30m`"
                )),
            );
        }
        check("8h\n", Err(r"`8h\n` is no time to live: write `30m`, `8h`, `2d`, `1w` or `1h30m`"));
    }

    #[test]
    fn within_a_maximum() {
        let day: Ttl = "1d".parse().unwrap();
        assert_eq!("24h".parse::<Ttl>().unwrap().within(day), Ok(day));
        let error = "24h1s".parse::<Ttl>().unwrap().within(day).unwrap_err();
        assert_eq!(error.to_string(), "a time to live of 1d1s is over the maximum of 1d");
    }

    #[test]
    fn expiry() {
        let created: Timestamp = "2026-02-27T20:00:00Z".parse().unwrap();
        assert_eq!(
            "2d".parse::<Ttl>().unwrap().expiry(created).to_string(),
            "2026-03-01T20:00:00Z"
        );
        assert_eq!(Ttl::LONGEST.expiry(Timestamp::MAX), Timestamp::MAX);
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "\\PC*|[0-9wdhms∞-]{0,30}") {
            let _ = text.parse::<Ttl>();
        }

        #[test]
        fn what_prints_parses_back(seconds in 1..=Ttl::LONGEST.seconds) {
            let ttl = Ttl { seconds };
            prop_assert_eq!(ttl.to_string().parse::<Ttl>(), Ok(ttl));
        }
    }
}
