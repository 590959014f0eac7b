//! The check of `format_version`, and the error of every document.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// A document that Terraform printed could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ParseError {
    /// It is not JSON, or a field has an unexpected shape.
    #[error("failed to read the {document} as JSON")]
    Json {
        /// What was read: "plan", "state", …
        document: &'static str,
        /// Where and why.
        #[source]
        source: serde_json::Error,
    },
    /// Its format is of another major than this crate knows.
    #[error(
        "the {document} has format `{found}`, but only `{supported}` is understood: this Terraform is too new or too old"
    )]
    Format {
        /// What was read: "plan", "state", …
        document: &'static str,
        /// The `format_version` (or `version`, `ui`) found; empty where there is none.
        found: String,
        /// What is understood.
        supported: &'static str,
    },
}

/// Reads `json` after its `format_version` was found to be of major 1.
///
/// Terraform promises that a minor version only adds fields:
/// <https://developer.hashicorp.com/terraform/internals/json-format#format-summary>.
pub(crate) fn versioned<T: DeserializeOwned>(
    document: &'static str,
    json: &[u8],
) -> Result<T, ParseError> {
    #[derive(Deserialize)]
    struct Header {
        #[serde(default)]
        format_version: String,
    }
    let header: Header = read(document, json)?;
    if !is_major_one(&header.format_version) {
        return Err(ParseError::Format {
            document,
            found: header.format_version,
            supported: "1.x",
        });
    }
    read(document, json)
}

/// Reads `json` without looking at its version.
pub(crate) fn read<T: DeserializeOwned>(
    document: &'static str,
    json: &[u8],
) -> Result<T, ParseError> {
    serde_json::from_slice(json).map_err(|source| ParseError::Json { document, source })
}

/// Returns whether `version` is `1` or `1.` followed by anything.
pub(crate) fn is_major_one(version: &str) -> bool {
    version.split('.').next() == Some("1")
}

/// Reads `null` as the default value: Terraform leaves empty lists out in one version and writes `null` in another.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
