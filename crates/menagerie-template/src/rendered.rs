//! [`Rendered`]: the files of a root module, with what tells later whether they were edited.

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
    /// The checksum of each of the project's own templates that the hosting has, by its path below `tf/templates`.
    pub overrides: BTreeMap<String, Checksum>,
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
}
