//! [`Template`]: what a root module was generated from.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use toml_edit::{Item, Table, value};

use crate::document::Document;

/// What a root module was generated from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The template's version, from 1.
    pub version: u32,
    /// What each generated file was, by its name: a file that differs was edited by a person.
    pub checksums: BTreeMap<String, Checksum>,
    /// The project's own templates that it was generated with, by their paths below `tf/templates`.
    pub overrides: BTreeMap<String, Checksum>,
}

/// The SHA-256 of a file, written `sha256:` and 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Checksum([u8; 32]);

/// A text is no [`Checksum`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("a checksum is `sha256:` and 64 lower-case hexadecimal digits")]
pub struct ChecksumError;

impl Template {
    pub(crate) fn read(document: &mut Document<'_>) -> Option<Self> {
        let version = document.integer("template.version", |version| {
            let version = u32::try_from(version).ok().filter(|version| *version > 0);
            version.ok_or_else(|| "a template's version is a whole number from 1".to_owned())
        });
        let checksums = document.map("template.checksums");
        let overrides = document.map("template.overrides");
        Some(Self { version: version?, checksums, overrides })
    }

    pub(crate) fn to_table(&self) -> Table {
        let mut table = Table::new();
        table["version"] = value(i64::from(self.version));
        table["checksums"] = Item::Table(checksums(&self.checksums));
        if !self.overrides.is_empty() {
            table["overrides"] = Item::Table(checksums(&self.overrides));
        }
        table
    }
}

fn checksums(files: &BTreeMap<String, Checksum>) -> Table {
    files.iter().map(|(file, checksum)| (file.as_str(), value(checksum.to_string()))).collect()
}

impl Checksum {
    /// Returns the checksum of this digest.
    pub fn from_sha256(digest: [u8; 32]) -> Self {
        Self(digest)
    }
}

impl FromStr for Checksum {
    type Err = ChecksumError;

    fn from_str(text: &str) -> Result<Self, ChecksumError> {
        let value = |digit: u8| match digit {
            b'0'..=b'9' => Ok(digit - b'0'),
            b'a'..=b'f' => Ok(digit - b'a' + 10),
            _ => Err(ChecksumError),
        };
        let digits = text.strip_prefix("sha256:").ok_or(ChecksumError)?;
        let (pairs, []) = digits.as_bytes().as_chunks::<2>() else { return Err(ChecksumError) };
        let pairs: &[[u8; 2]; 32] = pairs.try_into().map_err(|_| ChecksumError)?;
        let mut bytes = [0; 32];
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = value(*high)? << 4 | value(*low)?;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums() {
        let short = format!("sha256:{}", "a".repeat(63));
        let other = format!("sha256:{}é", "a".repeat(62));
        for text in ["", "sha256:", "md5:ab", &short, &other] {
            assert_eq!(text.parse::<Checksum>(), Err(ChecksumError), "{text}");
        }
    }
}
