//! The way that nearly every `env.toml` is written, read at a fifth of what a TOML parser takes: there may be ten thousand.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Environment;
use crate::{Settings, Template};

/// Where in the file a line stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Table {
    Root,
    Template,
    Checksums,
}

/// Reads a text that is written as [`Environment::to_toml`] writes it, with nothing in it that needs more than a glance.
///
/// `None` says nothing about a text but that the TOML parser has to look at it, which also tells what is wrong.
pub(super) fn read(text: &str) -> Option<Environment> {
    let (mut name, mut owner, mut created, mut expires) = (None, None, None, None);
    let (mut hosting, mut size, mut version) = (None, None, None);
    let mut checksums = BTreeMap::new();
    let mut table = Table::Root;
    for line in text.lines() {
        if line.is_empty() || (line.starts_with('#') && is_printable(line)) {
            continue;
        }
        table = match (table, line) {
            (Table::Root, "[template]") => Table::Template,
            (Table::Template, "[template.checksums]") => Table::Checksums,
            _ => {
                let (key, value) = line.split_once(" = ")?;
                match (table, key) {
                    (Table::Root, "name") => once(&mut name, string(value)?.parse().ok()?)?,
                    (Table::Root, "owner") => once(&mut owner, string(value)?.parse().ok()?)?,
                    (Table::Root, "created") => once(&mut created, time(value)?)?,
                    (Table::Root, "expires") => once(&mut expires, time(value)?)?,
                    (Table::Root, "hosting") => once(&mut hosting, string(value)?.parse().ok()?)?,
                    (Table::Root, "size") => once(&mut size, string(value)?.parse().ok()?)?,
                    (Table::Template, "version") => once(&mut version, whole_number(value)?)?,
                    (Table::Checksums, _) => {
                        let checksum = string(value)?.parse().ok()?;
                        let file = string(key)?.to_owned();
                        checksums.insert(file, checksum).map_or(Some(()), |_| None)?;
                    }
                    _ => return None,
                }
                table
            }
        };
    }
    let template = Template { version: version?, checksums, overrides: BTreeMap::new() };
    let (created, expires) = (created?, expires?);
    (expires > created).then_some(Environment {
        name: name?,
        owner: owner?,
        created,
        expires,
        hosting: hosting?,
        size: size?,
        settings: Settings::default(),
        template,
    })
}

/// Sets what is not set yet.
fn once<T>(place: &mut Option<T>, value: T) -> Option<()> {
    place.replace(value).map_or(Some(()), |_| None)
}

fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Reads `"…"` with nothing in it that is escaped, or would have to be.
fn string(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    (is_printable(inner) && !inner.contains(['"', '\\'])).then_some(inner)
}

/// Reads `2026-07-24T18:00:00Z`.
fn time(text: &str) -> Option<Timestamp> {
    const FORM: &[u8] = b"0000-00-00T00:00:00Z";
    let is_so = |(byte, form): (u8, &u8)| match form {
        b'0' => byte.is_ascii_digit(),
        _ => byte == *form,
    };
    // A leap second is for those who know what to make of it.
    let is_plain = text.len() == FORM.len()
        && text.bytes().zip(FORM).all(is_so)
        && text.as_bytes()[17] != b'6';
    is_plain.then(|| text.parse().ok())?
}

/// Reads `1`, `23`: nothing before the first digit, no zero, nothing between.
fn whole_number(text: &str) -> Option<u32> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    is_plain.then(|| text.parse().ok())?
}
