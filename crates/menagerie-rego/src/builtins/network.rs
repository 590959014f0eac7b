//! Ranges of addresses.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anyhow::{Context as _, bail};
use regorus::Value;

use super::text;

/// A range in CIDR notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Range {
    is_v6: bool,
    first: u128,
    last: u128,
}

impl Range {
    /// Parses `10.0.0.0/8`.
    fn parse(text: &str) -> anyhow::Result<Self> {
        let wrong = || format!("`{}` is no range of addresses", text.escape_debug());
        let (address, length) = text.split_once('/').with_context(wrong)?;
        let address: IpAddr = address.parse().with_context(wrong)?;
        let length: u32 = length.parse().ok().filter(|_| is_number(length)).with_context(wrong)?;
        Self::of(address, length).with_context(wrong)
    }

    fn of(address: IpAddr, length: u32) -> Option<Self> {
        let (is_v6, number, bits) = match address {
            IpAddr::V4(address) => (false, u128::from(u32::from(address)), 32),
            IpAddr::V6(address) => (true, u128::from(address), 128),
        };
        let rest = u32::checked_sub(bits, length)?;
        let mask = if rest == 128 { u128::MAX } else { (1 << rest) - 1 };
        Some(Self { is_v6, first: number & !mask, last: number | mask })
    }

    /// Parses a range, or a single address.
    fn parse_any(text: &str) -> anyhow::Result<Self> {
        match text.parse::<IpAddr>() {
            Ok(address @ IpAddr::V4(_)) => Self::of(address, 32),
            Ok(address @ IpAddr::V6(_)) => Self::of(address, 128),
            Err(_) => return Self::parse(text),
        }
        .context("a whole address is a range")
    }

    fn contains(self, other: Self) -> bool {
        self.is_v6 == other.is_v6 && self.first <= other.first && other.last <= self.last
    }
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|digit| digit.is_ascii_digit())
}

/// `net.cidr_intersects`.
pub(super) fn intersects(values: &[Value]) -> anyhow::Result<Value> {
    let [one, other] = values else { bail!("`net.cidr_intersects` takes 2 arguments") };
    let range = |value| Range::parse(text("net.cidr_intersects", value)?);
    let (one, other) = (range(one)?, range(other)?);
    let meet = one.is_v6 == other.is_v6 && one.first <= other.last && other.first <= one.last;
    Ok(Value::from(meet))
}

/// `net.cidr_contains_matches`: pairs of keys, of the range and of what it contains.
pub(super) fn contains_matches(values: &[Value]) -> anyhow::Result<Value> {
    let [ranges, others] = values else { bail!("`net.cidr_contains_matches` takes 2 arguments") };
    let (ranges, others) = (keyed(ranges)?, keyed(others)?);
    let mut pairs = BTreeSet::new();
    for (key, range) in &ranges {
        let range = Range::parse(range)?;
        for (other_key, other) in &others {
            if range.contains(Range::parse_any(other)?) {
                pairs.insert(Value::from(vec![key.clone(), other_key.clone()]));
            }
        }
    }
    Ok(Value::from(pairs))
}

/// Returns ranges with their keys: places in a list, keys of an object, and of a set the elements themselves.
fn keyed(value: &Value) -> anyhow::Result<Vec<(Value, String)>> {
    // A range may stand at the beginning of a list with more about it.
    let range = |value: &Value| -> anyhow::Result<String> {
        let value = match value {
            Value::Array(list) => list.first().context("a list without a range")?,
            other => other,
        };
        Ok(text("net.cidr_contains_matches", value)?.to_owned())
    };
    match value {
        Value::String(text) => Ok(vec![(value.clone(), text.to_string())]),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .map(|(at, value)| Ok((Value::from(at), range(value)?)))
            .collect(),
        Value::Set(set) => set.iter().map(|value| Ok((value.clone(), range(value)?))).collect(),
        Value::Object(object) => {
            object.iter().map(|(key, value)| Ok((key.clone(), range(value)?))).collect()
        }
        _ => bail!(
            "`net.cidr_contains_matches` takes a range, or a list, a set or an object of them"
        ),
    }
}

/// `net.cidr_merge`: as few ranges as hold the same.
pub(super) fn merge(values: &[Value]) -> anyhow::Result<Value> {
    let mut ranges: Vec<Range> = match values {
        [Value::Array(list)] => list.iter().map(mergeable).collect::<anyhow::Result<_>>()?,
        [Value::Set(set)] => set.iter().map(mergeable).collect::<anyhow::Result<_>>()?,
        _ => bail!("`net.cidr_merge` takes a list or a set"),
    };
    ranges.sort_unstable();
    let mut merged: Vec<Range> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last)
                if last.is_v6 == range.is_v6 && range.first <= last.last.saturating_add(1) =>
            {
                last.last = last.last.max(range.last);
            }
            _ => merged.push(range),
        }
    }
    let texts: BTreeSet<Value> = merged.into_iter().flat_map(split).map(Value::from).collect();
    Ok(Value::from(texts))
}

/// Reads what is merged; an address of IPv4 alone has the length of its class, as in Go.
fn mergeable(value: &Value) -> anyhow::Result<Range> {
    let text = text("net.cidr_merge", value)?;
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => {
            let length = match address.octets()[0] {
                0..=127 => 8,
                128..=191 => 16,
                _ => 24,
            };
            Range::of(address.into(), length).context("a class is a range")
        }
        Ok(IpAddr::V6(_)) => bail!("`{text}` needs a length"),
        Err(_) => Range::parse(text),
    }
}

/// Splits a range into those that CIDR notation has.
fn split(range: Range) -> Vec<String> {
    let bits: u32 = if range.is_v6 { 128 } else { 32 };
    let mut texts = Vec::new();
    let mut first = range.first;
    loop {
        // As long as it is aligned and does not lead beyond the end.
        let mut rest = first.trailing_zeros().min(bits);
        let last_of = |rest: u32| if rest == 128 { u128::MAX } else { first | ((1 << rest) - 1) };
        while last_of(rest) > range.last {
            rest -= 1;
        }
        let address = if range.is_v6 {
            IpAddr::V6(Ipv6Addr::from(first))
        } else {
            IpAddr::V4(Ipv4Addr::from(u32::try_from(first).unwrap_or(u32::MAX)))
        };
        texts.push(format!("{address}/{}", bits - rest));
        let last = last_of(rest);
        if last >= range.last {
            return texts;
        }
        first = last + 1;
    }
}

#[cfg(test)]
mod tests {
    use crate::builtins::tests::check;

    /// Each of them is what OPA 1.20.2 says.
    #[test]
    fn as_in_opa() {
        check(r#"net.cidr_merge(["192.0.128.0/24", "192.0.129.0/24"])"#, r#"["192.0.128.0/23"]"#);
        check(
            r#"net.cidr_merge({"10.0.0.0/8", "10.1.0.0/16", "::/1", "8000::/1"})"#,
            r#"["10.0.0.0/8","::/0"]"#,
        );
        check(
            r#"net.cidr_merge(["10.0.0.5/24", "10.0.1.0/24", "10.0.2.0/24"])"#,
            r#"["10.0.0.0/23","10.0.2.0/24"]"#,
        );
        check(r#"net.cidr_merge(["::1"])"#, "error: `::1` needs a length");
        check(r#"net.cidr_merge(["x"])"#, "error: `x` is no range of addresses");
        check("net.cidr_merge([])", "[]");
        check(r#"net.cidr_intersects("10.0.0.0/8", "10.5.0.0/16")"#, "true");
        check(r#"net.cidr_intersects("10.0.0.0/8", "11.0.0.0/16")"#, "false");
        check(r#"net.cidr_intersects("10.0.0.0/8", "::/0")"#, "false");
        check(r#"net.cidr_intersects("10.0.0.1", "10.0.0.0/8")"#, "error: `10.0.0.1` is no range…");
        check(
            r#"net.cidr_contains_matches("1.1.1.0/24", "1.1.1.128")"#,
            r#"[["1.1.1.0/24","1.1.1.128"]]"#,
        );
        check(
            r#"net.cidr_contains_matches(["1.1.1.0/24", "1.1.2.0/24"], ["1.1.1.128", "1.1.2.1/32"])"#,
            "[[0,0],[1,1]]",
        );
        check(
            r#"net.cidr_contains_matches({["1.1.0.0/16", "foo"], "1.1.2.0/24"}, {"x": "1.1.1.128", "y": ["1.1.254.254/32", "bar"]})"#,
            r#"[[["1.1.0.0/16","foo"],"x"],[["1.1.0.0/16","foo"],"y"]]"#,
        );
        check(
            r#"net.cidr_contains_matches({"k": "1.1.1.0/24"}, {"1.1.1.1"})"#,
            r#"[["k","1.1.1.1"]]"#,
        );
    }
}
