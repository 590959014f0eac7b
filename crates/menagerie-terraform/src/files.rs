//! The files that the output of one run goes to.
//!
//! Never a pipe: when its reader dies, Terraform is killed by its next write and loses what it has not put into the state yet
//! (hashicorp/terraform#31911).

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::Timestamp;

use crate::execute::RunError;

/// The files of one run, readable for their owner only.
pub(crate) struct RunFiles {
    /// Names the run: sortable by time, and never the same twice.
    pub(crate) run: String,
    /// Where standard output goes.
    pub(crate) stdout: PathBuf,
    /// Where standard error goes.
    pub(crate) stderr: PathBuf,
    /// Standard output, to be read.
    pub(crate) reader: File,
    /// What the child gets.
    pub(crate) writers: Writers,
}

/// The ends that the child gets.
pub(crate) struct Writers {
    pub(crate) stdout: File,
    pub(crate) stderr: File,
}

impl RunFiles {
    /// Creates the files. Output that may hold secrets goes to a file that has no name any more.
    pub(crate) fn create(directory: &Path, command: &str, secret: bool) -> Result<Self, RunError> {
        let run = unique_name();
        let stdout = directory.join(format!("{run}-{}.out", command.replace(' ', "_")));
        let stderr = error_log(&stdout);
        let writers = Writers { stdout: create(&stdout)?, stderr: create(&stderr)? };
        // The lock belongs to the open file, which the child inherits: it is released when the last of us closes it, however
        // that ends. So a run is told to be alive even where nobody had the time to write its process id down.
        writers.stderr.lock().map_err(|source| file_error("lock", &stderr, source))?;
        let reader = File::open(&stdout).map_err(|source| file_error("read", &stdout, source))?;
        if secret {
            fs::remove_file(&stdout).map_err(|source| file_error("remove", &stdout, source))?;
        }
        Ok(Self { run, stdout, stderr, reader, writers })
    }
}

/// Returns a name that sorts by time and is never the same twice.
pub(crate) fn unique_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let time = Timestamp::now();
    format!("{}-{}-{count}", time.strftime("%Y%m%dT%H%M%S.%3f"), std::process::id())
}

/// Returns where standard error goes in a run whose standard output goes to `log`.
pub(crate) fn error_log(log: &Path) -> PathBuf {
    log.with_extension("err")
}

/// Returns whether a process still has the standard error of a run open.
pub(crate) fn is_held(stderr: &Path) -> bool {
    // One that is gone, or that we may not read, is no run of ours.
    let Ok(file) = File::open(stderr) else { return false };
    matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock))
}

/// Makes a directory that only its owner may look into, unless it is there.
pub(crate) fn create_directory(path: &Path) -> Result<(), RunError> {
    let created = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    created.map_err(|source| file_error("create", path, source))
}

/// Reads a file; `None` where there is none.
pub(crate) fn read_if_present(path: &Path) -> Result<Option<Vec<u8>>, RunError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(file_error("read", path, source)),
    }
}

fn create(path: &Path) -> Result<File, RunError> {
    let mut options = OpenOptions::new();
    options.append(true).create_new(true).mode(0o600);
    options.open(path).map_err(|source| file_error("create", path, source))
}

pub(crate) fn file_error(action: &'static str, path: &Path, source: io::Error) -> RunError {
    RunError::File { action, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn only_the_owner_may_read_them() {
        let directory = tempfile::tempdir().unwrap();
        let files = RunFiles::create(directory.path(), "plan", false).unwrap();
        for path in [&files.stdout, &files.stderr] {
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn secret_output_has_no_name() {
        let directory = tempfile::tempdir().unwrap();
        let files = RunFiles::create(directory.path(), "show", true).unwrap();
        assert!(!files.stdout.exists());
        assert!(files.stderr.exists());
    }

    #[test]
    fn a_run_is_held_as_long_as_its_child_lives() {
        let directory = tempfile::tempdir().unwrap();
        let files = RunFiles::create(directory.path(), "apply", false).unwrap();
        let child = duct::cmd!("sleep", "60")
            .stderr_file(files.writers.stderr)
            .unchecked()
            .start()
            .unwrap();
        assert!(is_held(&files.stderr));
        child.kill().unwrap();
        child.wait().unwrap();
        // A child that another test starts at this moment has it open until it is the program that it is to be.
        while is_held(&files.stderr) {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        assert!(!is_held(&directory.path().join("absent.err")));
    }

    #[test]
    fn a_full_or_missing_directory_is_named() {
        let error = RunFiles::create(Path::new("/does/not/exist"), "plan", false).err().unwrap();
        assert!(error.to_string().starts_with("failed to create `/does/not/exist/"), "{error}");
    }
}
