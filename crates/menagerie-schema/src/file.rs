//! Files that hold schemas.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use flate2::{Compression, GzBuilder};
use serde_json::Value;

use crate::schema::ProviderSchema;

/// A file of schemas can't be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// The system refused.
    #[error("failed to {action} `{}`", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// It holds something else.
    #[error("`{}` holds no schema", .0.display())]
    Parse(PathBuf, #[source] serde_json::Error),
    /// What Terraform printed is of several providers, or of none.
    #[error("`{}` holds the schemas of {count} providers, and should hold that of one", path.display())]
    NotOne {
        /// The file.
        path: PathBuf,
        /// How many.
        count: usize,
    },
}

/// Reads a schema: of one provider, or all that `terraform providers schema -json` printed; compressed where its name ends with `.gz`.
pub(crate) fn read(path: &Path) -> Result<ProviderSchema, FileError> {
    let json = content(path).map_err(|source| FileError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    })?;
    parse(path, &json)
}

/// Reads what `terraform providers schema -json` printed.
pub(crate) fn parse(path: &Path, json: &[u8]) -> Result<ProviderSchema, FileError> {
    let invalid = |source| FileError::Parse(path.to_owned(), source);
    let mut value: Value = serde_json::from_slice(json).map_err(invalid)?;
    let schema = match value.get_mut("provider_schemas").and_then(Value::as_object_mut) {
        Some(schemas) if schemas.len() == 1 => {
            schemas.values_mut().next().map(Value::take).unwrap_or_default()
        }
        Some(schemas) => {
            return Err(FileError::NotOne { path: path.to_owned(), count: schemas.len() });
        }
        None => value,
    };
    serde_json::from_value(schema).map_err(invalid)
}

fn content(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let mut file = File::open(path)?;
    if path.extension().is_some_and(|extension| extension == "gz") {
        GzDecoder::new(file).read_to_end(&mut content)?;
    } else {
        file.read_to_end(&mut content)?;
    }
    Ok(content)
}

/// Writes a schema, compressed: whole or not at all, and the same bytes for the same schema.
pub(crate) fn write(path: &Path, schema: &ProviderSchema) -> Result<(), FileError> {
    let failed = |source| FileError::Io { action: "write", path: path.to_owned(), source };
    let json = serde_json::to_vec(schema).map_err(|source| failed(source.into()))?;
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    let compressed = encoder.write_all(&json).and_then(|()| encoder.finish()).map_err(failed)?;
    let part = path.with_extension("part");
    fs::write(&part, compressed).and_then(|()| fs::rename(&part, path)).map_err(failed)
}
