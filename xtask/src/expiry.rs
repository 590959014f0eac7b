//! Times as a person says them.

use jiff::Timestamp;

/// Returns how far a time is from now, in one unit: `in 8 hours`, `2 days ago`.
///
/// It is rounded, so that what was set to 8 hours a moment ago still reads so; the unit is the largest that rounds to two or
/// more.
pub(crate) fn relative(time: Timestamp, now: Timestamp) -> String {
    const UNITS: [(&str, i64); 4] =
        [("days", 86_400), ("hours", 3_600), ("minutes", 60), ("seconds", 1)];
    let seconds = time.as_second() - now.as_second();
    let length = seconds.abs();
    let rounded = |factor: i64| (length + factor / 2) / factor;
    let Some((unit, factor)) = UNITS.into_iter().find(|(_, factor)| rounded(*factor) >= 2) else {
        return "now".to_owned();
    };
    let count = rounded(factor);
    if seconds < 0 { format!("{count} {unit} ago") } else { format!("in {count} {unit}") }
}

/// Returns a time with how far it is from now.
pub(crate) fn absolute(time: Timestamp, now: Timestamp) -> String {
    format!("{time} ({})", relative(time, now))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[track_caller]
    fn check(seconds: i64, expected: &str) {
        let now: Timestamp = "2026-07-24T10:00:00Z".parse().unwrap();
        let time = now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
        assert_eq!(relative(time, now), expected);
    }

    #[test]
    fn times_ahead() {
        check(8 * 3_600, "in 8 hours");
        check(8 * 3_600 - 5, "in 8 hours");
        check(2 * 3_600, "in 2 hours");
        check(80 * 60, "in 80 minutes");
        check(90 * 60, "in 2 hours");
        check(36 * 3_600, "in 2 days");
        check(35 * 3_600, "in 35 hours");
        check(365 * 86_400, "in 365 days");
        check(45, "in 45 seconds");
        check(1, "now");
    }

    #[test]
    fn times_past() {
        check(0, "now");
        check(-3_600, "60 minutes ago");
        check(-3 * 86_400, "3 days ago");
    }

    #[test]
    fn the_ends_of_time() {
        assert_eq!(relative(Timestamp::MAX, Timestamp::MIN), "in 7304482 days");
    }
}
