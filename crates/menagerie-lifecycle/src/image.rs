//! The local hosting's image: the application's executable, built, then copied to where a rebuild or `git clean` does not reach it.

use crate::file::{self, Context as _, FileError};
use crate::process_group::{self, Ended};
use menagerie_config::CommandLine;
use menagerie_terraform::Cancel;
use sha2::{Digest as _, Sha256};
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// The application could not be made into an image.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The program is a bare word, which would be looked up and not copied.
    #[error("`{0}` in `application.run` is not a path")]
    NotAPath(String),
    /// The program is not there, or is no executable file.
    #[error("`{}` from `application.run` is not an executable file", .0.display())]
    NotExecutable(PathBuf),
    /// The build command did not start.
    #[error("failed to start `{command}`")]
    BuildStart {
        /// The command, as written in `menagerie.toml`.
        command: String,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// The build command failed.
    #[error("`{command}` failed with {status}")]
    Build {
        /// The command, as written in `menagerie.toml`.
        command: String,
        /// How it ended.
        status: std::process::ExitStatus,
    },
    /// The build was interrupted.
    #[error("the build was interrupted")]
    Interrupted,
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Copies the program of `run` to `images/<digest>/` and returns the path of the executable to start.
///
/// Where `run` has arguments, that is a launcher beside the program. The digest covers both, so the same application is
/// the same path, and a plan shows a new path only for a new application.
pub(crate) fn store(root: &Path, run: &CommandLine, images: &Path) -> Result<PathBuf, ImageError> {
    let (program, arguments) = (run.program(), run.arguments());
    if !program.contains('/') {
        return Err(ImageError::NotAPath(program.to_owned()));
    }
    let source = root.join(program);
    let runnable =
        fs::metadata(&source).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0);
    let (true, Some(file_name)) = (runnable, source.file_name()) else {
        return Err(ImageError::NotExecutable(source));
    };
    let directory = images.join(digest(&source, arguments)?);
    let executable =
        if arguments.is_empty() { directory.join(file_name) } else { directory.join("launch") };
    if executable.exists() {
        return Ok(executable);
    }
    // Made beside and renamed, so that a half-copied program is never started.
    let making = images.join("making");
    file::remove_directory_if_present(&making)?;
    file::create_private_directory(&making)?;
    let made = fill(&making, &source, file_name, arguments)
        .and_then(|()| fs::rename(&making, &directory).during("create", &directory));
    if made.is_err() {
        let _ = fs::remove_dir_all(&making);
    }
    made?;
    Ok(executable)
}

/// Runs the build command of `menagerie.toml` at the top of the work tree; what it prints goes to standard error.
pub(crate) fn build(root: &Path, build: &CommandLine, cancel: &Cancel) -> Result<(), ImageError> {
    let command = || {
        std::iter::once(build.program())
            .chain(build.arguments().iter().map(String::as_str))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let expression =
        duct::cmd(build.program(), build.arguments()).dir(root).stdin_null().stdout_to_stderr();
    let failed = |source| ImageError::BuildStart { command: command(), source };
    let handle = process_group::start(&expression).map_err(failed)?;
    match process_group::wait(&handle, cancel, None).map_err(failed)? {
        Ended::Exited(status) if status.success() => Ok(()),
        Ended::Exited(status) => Err(ImageError::Build { command: command(), status }),
        Ended::Interrupted | Ended::TimedOut => Err(ImageError::Interrupted),
    }
}

/// Returns the executable that an environment's variables name.
pub(crate) fn current(variables: &Path) -> Result<Option<PathBuf>, FileError> {
    #[derive(serde::Deserialize)]
    struct Variables {
        image: PathBuf,
    }
    let Some(text) = file::read_if_present(variables)? else { return Ok(None) };
    let variables: Variables =
        serde_json::from_str(&text).map_err(io::Error::from).during("read", variables)?;
    Ok(Some(variables.image))
}

/// Removes all images but the one in use.
pub(crate) fn keep_only(images: &Path, executable: &Path) -> Result<(), FileError> {
    let kept = executable.parent().and_then(Path::file_name);
    for name in file::list(images)? {
        if kept != Some(OsStr::new(&name)) {
            file::remove_directory_if_present(&images.join(name))?;
        }
    }
    Ok(())
}

fn fill(
    directory: &Path,
    source: &Path,
    file_name: &OsStr,
    arguments: &[String],
) -> Result<(), FileError> {
    // `copy` keeps the mode, and so the executable bit.
    file::copy(source, &directory.join(file_name))?;
    if !arguments.is_empty() {
        let path = directory.join("launch");
        let script = launcher(&file_name.to_string_lossy(), arguments);
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o700)
            .open(&path)
            .during("create", &path)?;
        file.write_all(script.as_bytes()).during("write", &path)?;
    }
    Ok(())
}

fn launcher(program: &str, arguments: &[String]) -> String {
    let words: Vec<String> = arguments.iter().map(|argument| quote(argument)).collect();
    format!("#!/bin/sh\nexec \"$(dirname \"$0\")\"/{} {}\n", quote(program), words.join(" "))
}

/// Quotes a word for a POSIX shell: nothing is special between single quotes, and a single quote itself ends them.
fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn digest(program: &Path, arguments: &[String]) -> Result<String, FileError> {
    let mut hash = Sha256::new();
    let mut file = File::open(program).during("read", program)?;
    io::copy(&mut file, &mut HashWriter(&mut hash)).during("read", program)?;
    for argument in arguments {
        hash.update([0]);
        hash.update(argument);
    }
    Ok(crate::hex(&hash.finalize()[..8]))
}

struct HashWriter<'a>(&'a mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn program(directory: &Path, text: &str, arguments: &[String]) -> CommandLine {
        let path = directory.join("app");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        CommandLine::new([&["./app".to_owned()], arguments].concat()).unwrap()
    }

    #[test]
    fn the_same_program_is_the_same_image() {
        let directory = tempfile::tempdir().unwrap();
        let images = directory.path().join("images");
        let first =
            store(directory.path(), &program(directory.path(), "#!/bin/sh\necho 1", &[]), &images)
                .unwrap();
        assert_eq!(
            store(directory.path(), &program(directory.path(), "#!/bin/sh\necho 1", &[]), &images)
                .unwrap(),
            first
        );
        let second =
            store(directory.path(), &program(directory.path(), "#!/bin/sh\necho 2", &[]), &images)
                .unwrap();
        assert_ne!(first, second);
        assert_eq!(file::list(&images).unwrap().len(), 2);
        keep_only(&images, &second).unwrap();
        assert!(!first.exists() && second.exists());
    }

    #[test]
    fn what_cannot_run_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let images = directory.path().join("images");
        let run = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
            store(directory.path(), &CommandLine::new(words).unwrap(), &images).unwrap_err()
        };
        assert!(matches!(run(&["python3", "app.py"]), ImageError::NotAPath(_)));
        assert!(matches!(run(&["./missing"]), ImageError::NotExecutable(_)));
        fs::write(directory.path().join("text"), "x").unwrap();
        assert!(matches!(run(&["./text"]), ImageError::NotExecutable(_)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn arguments_reach_the_program_as_they_are(arguments in proptest::collection::vec("[^\0]{0,12}", 1..4)) {
            let directory = tempfile::tempdir().unwrap();
            let run = program(directory.path(), "#!/bin/sh\nprintf '%s\\0' \"$@\"", &arguments);
            let executable = store(directory.path(), &run, &directory.path().join("images")).unwrap();
            let output = duct::cmd!(executable.to_str().unwrap()).stdout_capture().run().unwrap();
            let expected: Vec<u8> = arguments.iter().flat_map(|argument| [argument.as_bytes(), b"\0"].concat()).collect();
            prop_assert_eq!(output.stdout, expected);
        }
    }
}
