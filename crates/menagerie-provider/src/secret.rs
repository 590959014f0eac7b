//! References to secrets: `file:///…`, a file that only its owner reads. Values never pass through Terraform.

use std::{
    fmt::Write as _,
    fs, io,
    os::unix::ffi::OsStrExt as _,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

/// A secret that can't be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretError {
    #[error("`{0}` is no reference of the form `file:///absolute/path`")]
    Reference(String),
    #[error("failed to read the secret `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("the secret `{}` is readable by others: its mode is {mode:03o}, not 600", path.display())]
    Mode { path: PathBuf, mode: u32 },
    #[error("the secret `{}` is not text without NUL bytes", path.display())]
    Text { path: PathBuf },
}

/// Returns the reference to a file.
pub(crate) fn reference(path: &Path) -> String {
    format!("file://{}", percent_encode(path))
}

/// Returns the path of a reference.
pub(crate) fn path(reference: &str) -> Result<PathBuf, SecretError> {
    let error = || SecretError::Reference(reference.to_owned());
    let encoded =
        reference.strip_prefix("file://").filter(|path| path.starts_with('/')).ok_or_else(error)?;
    let path = percent_decode(encoded).filter(|path| !path.contains('\0')).ok_or_else(error)?;
    Ok(PathBuf::from(path))
}

/// Reads the value behind a reference; one newline at its end is not part of it.
pub(crate) fn read(reference: &str) -> Result<String, SecretError> {
    let path = path(reference)?;
    let error = |source| SecretError::Read { path: path.clone(), source };
    let mode = fs::metadata(&path).map_err(error)?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(SecretError::Mode { path, mode });
    }
    let bytes = fs::read(&path).map_err(error)?;
    let value = String::from_utf8(bytes).ok().filter(|value| !value.contains('\0'));
    let value = value.ok_or_else(|| SecretError::Text { path: path.clone() })?;
    Ok(value.strip_suffix('\n').unwrap_or(&value).to_owned())
}

/// Writes a path as the path of a URL.
pub(crate) fn percent_encode(path: &Path) -> String {
    path.as_os_str().as_bytes().iter().fold(String::new(), |mut text, &byte| {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            text.push(byte.into());
        } else {
            write!(text, "%{byte:02X}").expect("writing to a string cannot fail");
        }
        text
    })
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::os::unix::fs::PermissionsExt as _;

    proptest! {
        #[test]
        fn a_reference_leads_back_to_its_path(text in "(/[^/\0]{1,20}){1,4}") {
            let original = PathBuf::from(text);
            prop_assert_eq!(path(&reference(&original)).unwrap(), original);
        }

        #[test]
        fn reading_a_reference_never_panics(text in ".{0,40}") {
            let _ = path(&text);
            let _ = path(&format!("file:///{text}"));
        }
    }

    #[test]
    fn other_references_are_refused() {
        for text in ["", "secret", "file://host/path", "https://a/b", "file:///%zz", "file:///%0"] {
            assert!(path(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_a_private_file_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a secret");
        fs::write(&file, "s3cret\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(read(&reference(&file)), Err(SecretError::Mode { mode: 0o640, .. })));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(read(&reference(&file)).unwrap(), "s3cret");
    }
}
