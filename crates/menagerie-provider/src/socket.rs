//! Unix sockets in a directory that nobody else can enter.
//!
//! A socket's path holds at most 107 bytes (104 on macOS), so that it can't lie in the runtime directory
//! of the environment, which may be deep: its directory is short and derived from that one's path.

use crate::{environment::Environment, layout::Layout, random};
use sha2::{Digest as _, Sha256};
use std::{
    fs, io,
    os::unix::{ffi::OsStrExt as _, fs::DirBuilderExt as _, fs::MetadataExt as _},
    path::{Path, PathBuf},
};
use tokio::net::{UnixListener, UnixStream};

/// Longest path of a socket: `sun_path` of the smallest system, less its NUL.
const LONGEST: usize = 103;

/// A directory or socket that is not safe to use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SocketError {
    #[error("failed to make the socket directory `{}`", path.display())]
    Make { path: PathBuf, source: io::Error },
    #[error("the socket directory `{}` belongs to user {owner}, not to user {own}", path.display())]
    Owner { path: PathBuf, owner: u32, own: u32 },
    #[error("the socket directory `{}` is open to others: its mode is {mode:03o}, not 700", path.display())]
    Mode { path: PathBuf, mode: u32 },
    #[error("`{}` is no directory", path.display())]
    Kind { path: PathBuf },
    #[error("the socket path `{}` is longer than {LONGEST} bytes", path.display())]
    Long { path: PathBuf },
    #[error("failed to listen on `{}`", path.display())]
    Listen { path: PathBuf, source: io::Error },
}

/// The directory of one environment's sockets.
#[derive(Clone, Debug)]
pub(crate) struct SocketDirectory {
    user: PathBuf,
    path: PathBuf,
}

impl SocketDirectory {
    /// Names the directory: below the system's runtime directory, else below the temporary one.
    pub(crate) fn new(layout: &Layout, environment: &Environment) -> Self {
        let parent = environment.runtime.clone().unwrap_or_else(std::env::temp_dir);
        let user = parent.join(format!("menagerie-{}", own_uid()));
        let path = user.join(digest(layout.directory()));
        Self { user, path }
    }

    /// Listens on a new socket; a stale one of the same name is replaced.
    pub(crate) fn listen(&self, name: &str) -> Result<(UnixListener, PathBuf), SocketError> {
        let path = self.path.join(name);
        if path.as_os_str().len() > LONGEST {
            return Err(SocketError::Long { path });
        }
        // Another process may remove the empty directory between two of these steps.
        let mut attempts = 3;
        loop {
            attempts -= 1;
            make(&self.user)?;
            make(&self.path)?;
            let _ = fs::remove_file(&path);
            match UnixListener::bind(&path) {
                Ok(listener) => return Ok((listener, path)),
                Err(error) if error.kind() == io::ErrorKind::NotFound && attempts > 0 => {}
                Err(source) => return Err(SocketError::Listen { path, source }),
            }
        }
    }

    /// Removes the sockets that processes left which were killed; their names end in `-PID.sock`.
    pub(crate) fn sweep(&self) {
        for entry in fs::read_dir(&self.path).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let pid = name
                .to_str()
                .and_then(|name| name.strip_suffix(".sock")?.rsplit_once('-')?.1.parse().ok());
            if pid.is_some_and(|pid| {
                crate::process::Identity::of(pid).is_none_or(|found| !found.is_alive())
            }) {
                forget(&entry.path());
            }
        }
    }
}

/// Removes a socket, and its directories when it was their last: also where a former environment put them.
pub(crate) fn forget(socket: &Path) {
    let _ = fs::remove_file(socket);
    for directory in socket.ancestors().skip(1).take(2) {
        let _ = fs::remove_dir(directory);
    }
}

/// Whether the process at the other end may give orders: only this user's, and root's.
pub(crate) fn is_peer_allowed(stream: &UnixStream) -> bool {
    stream.peer_cred().is_ok_and(|peer| is_uid_allowed(peer.uid(), own_uid()))
}

fn is_uid_allowed(peer: u32, own: u32) -> bool {
    peer == own || peer == 0
}

pub(crate) fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Returns a short name for a path, the same every time.
pub(crate) fn digest(path: &Path) -> String {
    random::hexadecimal(&Sha256::digest(path.as_os_str().as_bytes())[..8])
}

fn make(path: &Path) -> Result<(), SocketError> {
    let error = |source| SocketError::Make { path: path.to_owned(), source };
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Err(source) if source.kind() != io::ErrorKind::AlreadyExists => return Err(error(source)),
        _ => {}
    }
    // Not followed: in a shared directory another user could have put a link here.
    let found = fs::symlink_metadata(path).map_err(error)?;
    if !found.is_dir() {
        return Err(SocketError::Kind { path: path.to_owned() });
    }
    let own = own_uid();
    if found.uid() != own {
        return Err(SocketError::Owner { path: path.to_owned(), owner: found.uid(), own });
    }
    let mode = found.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(SocketError::Mode { path: path.to_owned(), mode });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn directory(parent: &Path) -> SocketDirectory {
        let environment = Environment { passed_on: [].into(), runtime: Some(parent.to_owned()) };
        SocketDirectory::new(&Layout::new("/somewhere/deep".into()), &environment)
    }

    #[tokio::test]
    async fn the_directory_comes_private_and_goes_with_its_last_socket() {
        let parent = tempfile::tempdir().unwrap();
        let sockets = directory(parent.path());
        let (_one, one) = sockets.listen("a.sock").unwrap();
        let (_other, other) = sockets.listen("b.sock").unwrap();
        assert_eq!(fs::metadata(&sockets.path).unwrap().mode() & 0o777, 0o700);
        forget(&one);
        assert!(sockets.path.exists());
        forget(&other);
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_directory_open_to_others_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let sockets = directory(parent.path());
        fs::create_dir_all(&sockets.path).unwrap();
        fs::set_permissions(&sockets.user, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(sockets.listen("a.sock"), Err(SocketError::Mode { mode: 0o755, .. })));
    }

    #[tokio::test]
    async fn a_link_in_the_place_of_the_directory_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let sockets = directory(parent.path());
        std::os::unix::fs::symlink("/tmp", &sockets.user).unwrap();
        assert!(matches!(sockets.listen("a.sock"), Err(SocketError::Kind { .. })));
    }

    #[tokio::test]
    async fn a_directory_of_another_user_is_refused() {
        if own_uid() != 0 {
            println!("skipped: only root can make a directory of another user");
            return;
        }
        let parent = tempfile::tempdir().unwrap();
        let sockets = directory(parent.path());
        fs::DirBuilder::new().mode(0o700).create(&sockets.user).unwrap();
        std::os::unix::fs::chown(&sockets.user, Some(65_534), None).unwrap();
        assert!(matches!(sockets.listen("a.sock"), Err(SocketError::Owner { owner: 65_534, .. })));
    }

    #[tokio::test]
    async fn a_path_that_no_socket_can_have_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let sockets = directory(&parent.path().join("x".repeat(100)));
        assert!(matches!(sockets.listen("a.sock"), Err(SocketError::Long { .. })));
    }

    #[test]
    fn only_this_user_and_root_give_orders() {
        assert!(is_uid_allowed(1000, 1000) && is_uid_allowed(0, 1000));
        assert!(!is_uid_allowed(1001, 1000) && !is_uid_allowed(1000, 0));
    }
}
