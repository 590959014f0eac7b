//! [`Rendered`]: the files of a root module, and how to tell later which of them were edited.

use std::collections::BTreeMap;

use menagerie_config::Checksum;
use sha2::{Digest as _, Sha256};

/// A generated root module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// Its files, always in the same order.
    pub files: Vec<File>,
    /// The version of the templates that they come from.
    pub version: u32,
    /// The checksum of each file, by its path.
    pub checksums: BTreeMap<String, Checksum>,
}

/// A file of a root module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path in the environment's directory.
    pub path: String,
    /// Its content.
    pub text: String,
}

/// Returns the checksum that [`Rendered::checksums`] has for a file of this content.
pub fn checksum(text: &str) -> Checksum {
    Checksum::from_sha256(Sha256::digest(text).into())
}

/// Returns the generated files that are not any more as they were generated: edited or removed since.
///
/// `read` returns what a file holds now; `None` where there is none, or none that is text.
pub fn edited_files(
    checksums: &BTreeMap<String, Checksum>,
    read: impl Fn(&str) -> Option<String>,
) -> Vec<&str> {
    let as_generated =
        |path: &str, then: &Checksum| read(path).is_some_and(|text| checksum(&text) == *then);
    checksums
        .iter()
        .filter(|(path, then)| !as_generated(path, then))
        .map(|(path, _)| path.as_str())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_sha256() {
        let expected = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(
            checksum("abc").to_string(),
            expected,
            "the first example of FIPS 180-2, appendix B"
        );
    }

    #[test]
    fn edited_and_removed_files_are_told() {
        let checksums = ["backend.tf", "main.tf", "outputs.tf"]
            .map(|path| (path.to_owned(), checksum("as generated\n")))
            .into();
        let edited = edited_files(&checksums, |path| match path {
            "main.tf" => Some("as edited\n".to_owned()),
            "backend.tf" => Some("as generated\n".to_owned()),
            _ => None,
        });
        assert_eq!(edited, ["main.tf", "outputs.tf"]);
    }
}
