//! What is handed over to the program in files that have no name: nobody else can open them, and they go when it ends.

use std::io::{self, Seek as _, Write as _};
use std::os::fd::IntoRawFd as _;
use std::path::PathBuf;

use anyhow::Context as _;
use rustix::io::FdFlags;

/// Writes bytes where the program that this one becomes can read them, and no other.
pub(super) fn hand_over(bytes: &[u8]) -> anyhow::Result<PathBuf> {
    let written = || -> io::Result<PathBuf> {
        let mut file = tempfile::tempfile()?;
        file.write_all(bytes)?;
        file.rewind()?;
        rustix::io::fcntl_setfd(&file, FdFlags::empty())?;
        // It stays open over the exec.
        Ok(PathBuf::from(format!("/dev/fd/{}", file.into_raw_fd())))
    };
    written().context("failed to write to a temporary file")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn it_is_read_from_the_beginning() {
        let path = hand_over(b"secret").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"secret");
    }
}
