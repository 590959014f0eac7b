//! Measured numbers, as people read them.

use std::time::Duration;

/// Returns a duration with its unit and three digits.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    let (value, unit) = match seconds {
        0.0 => return "0 s".to_owned(),
        ..1e-3 => (seconds * 1e6, "µs"),
        ..1.0 => (seconds * 1e3, "ms"),
        _ => (seconds, "s"),
    };
    format!("{} {unit}", three_digits(value))
}

/// Returns a share, from 0 to 1, in percent.
pub(crate) fn percent(share: f64) -> String {
    match share * 100.0 {
        0.0 => "0 %".to_owned(),
        small if small.abs() < 0.01 => "less than 0.01 %".to_owned(),
        value => format!("{} %", three_digits(value)),
    }
}

/// Returns bytes in a binary unit.
pub(crate) fn bytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let value = bytes as f64;
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KiB", three_digits(value / 1024.0)),
        1_048_576..1_073_741_824 => format!("{} MiB", three_digits(value / 1_048_576.0)),
        _ => format!("{} GiB", three_digits(value / 1_073_741_824.0)),
    }
}

/// Returns a count with its thousands apart.
pub(crate) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns a number with three digits, without zeros at the end of its fraction.
pub(crate) fn three_digits(value: f64) -> String {
    let decimals = match value.abs() {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    let text = format!("{value:.decimals$}");
    if decimals == 0 {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_people_read_them() {
        for (nanoseconds, expected) in [
            (0, "0 s"),
            (1_500, "1.5 µs"),
            (999_000, "999 µs"),
            (1_234_567, "1.23 ms"),
            (12_345_678, "12.3 ms"),
            (2_000_000_000, "2 s"),
            (100_000_000_000, "100 s"),
        ] {
            assert_eq!(duration(Duration::from_nanos(nanoseconds)), expected);
        }
        for (share, expected) in
            [(0.0, "0 %"), (0.00001, "less than 0.01 %"), (0.0025, "0.25 %"), (1.0, "100 %")]
        {
            assert_eq!(percent(share), expected);
        }
        for (size, expected) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.5 KiB"),
            (41 << 20, "41 MiB"),
            (3 << 30, "3 GiB"),
        ] {
            assert_eq!(bytes(size), expected);
        }
        for (number, expected) in
            [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")]
        {
            assert_eq!(count(number), expected);
        }
    }
}
