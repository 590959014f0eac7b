//! Notices that a runtime directory is a copy: its records would name another environment's processes.

use crate::{
    layout::Layout,
    record::{self, RecordError},
};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Where the directory was when it was made.
#[derive(Debug, Serialize, Deserialize)]
struct Place {
    directory: PathBuf,
}

/// A directory that must not be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlaceError {
    #[error("`{}` is a copy of `{}`: what its records name belongs to that one", copy.display(), original.display())]
    Copy { copy: PathBuf, original: PathBuf },
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// Refuses a copy. A directory that was moved is still the one.
pub(crate) fn check(layout: &Layout) -> Result<(), PlaceError> {
    let own = layout.directory();
    let Some(place) = record::read::<Place>(&layout.place())? else { return Ok(()) };
    if place.directory == own {
        return Ok(());
    }
    let original = Layout::new(place.directory);
    if original.place().exists() {
        return Err(PlaceError::Copy {
            copy: own.to_owned(),
            original: original.directory().to_owned(),
        });
    }
    Ok(())
}

/// Notes where the directory is.
pub(crate) fn note(layout: &Layout) -> Result<(), PlaceError> {
    check(layout)?;
    let place = Place { directory: layout.directory().to_owned() };
    let noted = record::read::<Place>(&layout.place())?;
    if noted.is_none_or(|noted| noted.directory != place.directory) {
        record::write(&layout.place(), &place)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_copy_is_refused_and_a_moved_directory_is_not() {
        let parent = tempfile::tempdir().unwrap();
        let layout = |name: &str| Layout::new(parent.path().join(name));
        fs::create_dir(parent.path().join("original")).unwrap();
        note(&layout("original")).unwrap();
        note(&layout("original")).unwrap();
        fs::create_dir(parent.path().join("copy")).unwrap();
        fs::copy(layout("original").place(), layout("copy").place()).unwrap();
        assert!(matches!(check(&layout("copy")), Err(PlaceError::Copy { .. })));
        assert!(matches!(note(&layout("copy")), Err(PlaceError::Copy { .. })));
        fs::rename(parent.path().join("original"), parent.path().join("moved")).unwrap();
        note(&layout("moved")).unwrap();
        assert!(
            matches!(check(&layout("copy")), Ok(())),
            "the original is gone: which of the two moved is not known"
        );
    }
}
