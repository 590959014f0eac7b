//! The project's own templates, `tf/templates/`, in the place of built-in ones.

use crate::file::{self, Context as _, FileError};
use crate::kind::{Explain, Kind};
use crate::repository::Repository;
use menagerie_template::{OVERRIDES, TemplateError, Templates};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

/// What root modules are rendered from can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplatesError {
    /// A template is wrong.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A template could not be read.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Explain for TemplatesError {
    fn kind(&self) -> Kind {
        match self {
            Self::Template(error) if error.is_override => Kind::Invalid,
            Self::File(error) if is_no_text(error) => Kind::Invalid,
            Self::Template(_) | Self::File(_) => Kind::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Template(error) if error.is_override => Some(
                "docs/templates.md says what a template of `tf/templates` may be and do".to_owned(),
            ),
            Self::File(error) if is_no_text(error) => Some("templates are UTF-8 text".to_owned()),
            Self::Template(_) | Self::File(_) => None,
        }
    }
}

fn is_no_text(error: &FileError) -> bool {
    error.source.kind() == io::ErrorKind::InvalidData
}

impl Repository {
    /// Reads the project's own templates, which take the places of built-in ones.
    pub fn templates(&self) -> Result<Templates, TemplatesError> {
        let mut overrides = BTreeMap::new();
        collect(&self.root().join(OVERRIDES), "", &mut overrides)?;
        Ok(Templates::new(overrides)?)
    }
}

/// Reads the templates in a directory; a README beside them and hidden files are none.
fn collect(
    directory: &Path,
    prefix: &str,
    overrides: &mut BTreeMap<String, String>,
) -> Result<(), FileError> {
    for name in file::list(directory)? {
        if name.starts_with('.') || name == "README.md" {
            continue;
        }
        let path = directory.join(&name);
        let name = format!("{prefix}{name}");
        // Deeper ones are files of no known name, so that a link in a circle ends here.
        if prefix.is_empty() && path.is_dir() {
            collect(&path, &format!("{name}/"), overrides)?;
        } else {
            let text = if path.is_dir() {
                String::new()
            } else {
                fs::read_to_string(&path).during("read", &path)?
            };
            overrides.insert(name, text);
        }
    }
    Ok(())
}
