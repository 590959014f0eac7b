//! [`Mirror`]: providers, unpacked once for all root modules, and never written again.
//!
//! Terraform's own plugin cache is not safe where several run at once: a root module without a checksum of its own has the
//! package written again under the feet of those that run it (hashicorp/terraform#31964). From here nothing is written by
//! anybody: `init` makes a link.

mod configuration;
mod lock_file;
mod package;
mod scratch;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::arguments::Limits;
use crate::cancel::Cancel;
use crate::discover::Terraform;
use crate::ended::Ended;
use crate::execute::{Notice, RunError};
use crate::mirror::lock_file::Locked;
use crate::mirror::scratch::Scratch;
use crate::retry::RetryOptions;

/// A directory of unpacked providers that many root modules share.
///
/// It is filled by [`Mirror::fill`] and told to Terraform by [`Mirror::serve`]. Any number of processes may do both at once.
/// Nothing in it is ever changed or removed by us; to be rid of it, `chmod -R u+w` and remove it while nothing runs.
#[derive(Debug, Clone)]
pub struct Mirror {
    directory: PathBuf,
}

/// Where packages come from that a mirror does not have yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum PackageSource {
    /// From where the user's CLI configuration says, or else from the registry.
    #[default]
    Configured,
    /// From a directory that is laid out as one of `terraform providers mirror`, packed or unpacked, and nowhere else.
    Directory(PathBuf),
    /// From archives that are named as they are published, `terraform-provider-NAME_VERSION_SYSTEM_ARCHITECTURE.zip`, and nowhere
    /// else.
    Archives(Vec<PathBuf>),
}

/// What is brought into a mirror, and how.
#[derive(Debug, Clone)]
pub struct FillOptions {
    /// The lock file of a root module, `.terraform.lock.hcl`: it says which providers, and what they must be.
    pub lock_file: PathBuf,
    /// Where they come from.
    pub source: PackageSource,
    /// The environment variables, from [`crate::closed_environment`].
    pub environment: BTreeMap<OsString, OsString>,
    /// An existing directory for what Terraform prints.
    pub runs_directory: PathBuf,
    /// How long it may take, without the wait for another process that does the same.
    pub limits: Limits,
    /// How often a download is tried that fails for a reason that passes.
    pub retry: RetryOptions,
}

/// A mirror that has all that a root module is locked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    /// What was not there before, each with its version.
    pub added: Vec<String>,
}

/// A mirror could not be filled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MirrorError {
    /// The root module has no lock file, so that nobody knows which providers are right.
    #[error("there is no lock file `{}`: `terraform init` or `terraform providers lock` writes it", .0.display())]
    NoLockFile(PathBuf),
    /// The lock file is not as Terraform writes it.
    #[error("line {line} of the lock file `{}` is not understood", path.display())]
    LockFile {
        /// The lock file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// The lock file does not vouch for the package. Terraform itself would take an unpacked one without any check if there is no
    /// checksum of its kind (seen in 1.11).
    #[error(
        "the lock file `{}` does not hold the checksum of `{provider}` for {platform}, `{checksum}`: \
         `terraform providers lock -platform={platform}` adds it if it is right", lock_file.display()
    )]
    NotLocked {
        /// The provider with its version.
        provider: String,
        /// The platform.
        platform: String,
        /// The checksum of what would have come in.
        checksum: String,
        /// The lock file.
        lock_file: PathBuf,
    },
    /// Terraform installed it for another platform than the one that we were built for.
    #[error("`{provider}` was not installed for {platform}, but for another platform")]
    OtherPlatform {
        /// The provider with its version.
        provider: String,
        /// The platform.
        platform: String,
    },
    /// A file or directory could not be read or written.
    #[error("failed to {action} `{}`", path.display())]
    File {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// Terraform could not be run.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl MirrorError {
    fn file(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::File { action, path: path.to_owned(), source }
    }
}

impl Mirror {
    /// Uses this directory, which need not exist.
    pub fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Brings in what a lock file asks for and is not there yet.
    ///
    /// One process at a time does so, under a lock that the system releases when it dies; the others wait, and then find it done.
    /// A package is downloaded, verified and unpacked by Terraform, compared with the lock file, and moved into place as a whole.
    /// Where all is there already, no process is started and no lock is taken.
    pub fn fill(
        &self,
        terraform: &Terraform,
        options: &FillOptions,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<Filled>, MirrorError> {
        let locked = lock_file::read(&options.lock_file)?;
        if self.missing(&locked).is_empty() {
            return Ok(Ended::Done(Filled { added: Vec::new() }));
        }
        let Some(_lock) = self.lock(cancel)? else {
            return Ok(Ended::Cancelled { forced: false });
        };
        self.remove_leftovers();
        let mut missing = self.missing(&locked);
        for provider in &missing {
            let place = self.place(provider);
            if place.exists() {
                // Its filler was killed between the last two steps.
                package::close_directories(&place)?;
            }
        }
        missing.retain(|provider| !package::is_placed(&self.place(provider)));
        if missing.is_empty() {
            return Ok(Ended::Done(Filled { added: Vec::new() }));
        }
        let scratch = Scratch::new(&self.directory)?;
        let ended = scratch.install(terraform, &missing, options, notices, cancel)?;
        ended.and_then(|()| {
            for (index, provider) in missing.iter().enumerate() {
                self.take_in(provider, index, &scratch, options)?;
            }
            Ok(Ended::Done(Filled { added: missing.iter().map(|one| described(one)).collect() }))
        })
    }

    /// Has Terraform take what a lock file asks for from here, as far as it is here, and everything else from where it is
    /// published; returns whether there is anything to take.
    ///
    /// It does so by a CLI configuration that `TF_CLI_CONFIG_FILE` names in `environment`. Where the user has a CLI configuration,
    /// named by that variable or in the home directory, it is kept and `false` is returned: it may say where providers come from,
    /// and it holds the credentials of private registries.
    pub fn serve(
        &self,
        terraform: &Terraform,
        lock_file: &Path,
        environment: &mut BTreeMap<OsString, OsString>,
    ) -> Result<bool, MirrorError> {
        if configuration::of_the_user(environment, terraform.flavour()).is_some() {
            return Ok(false);
        }
        let locked = lock_file::read(lock_file)?;
        let is_here = |provider: &&Locked| package::is_placed(&self.place(provider));
        let sources: Vec<&str> =
            locked.iter().filter(is_here).map(|provider| provider.source.as_str()).collect();
        if sources.is_empty() {
            return Ok(false);
        }
        let text = configuration::text(&self.providers(), &sources);
        // One of another name for each content: none is ever changed while somebody reads it.
        let digest = Sha256::digest(&text);
        let name =
            digest.iter().take(8).fold(String::new(), |name, byte| name + &format!("{byte:02x}"));
        let directory = self.directory.join("configurations");
        let path = directory.join(format!("{name}.tfrc"));
        if !path.exists() {
            create_directory(&directory)?;
            let temporary = directory.join(format!("{name}.{}.tmp", unique()));
            write(&temporary, &text)?;
            fs::rename(&temporary, &path)
                .map_err(|source| MirrorError::file("create", &path, source))?;
        }
        environment.insert(configuration::VARIABLE.into(), path.into());
        Ok(true)
    }

    /// Returns the directory in the layout that a `filesystem_mirror` block or `-plugin-dir` expects.
    pub fn providers(&self) -> PathBuf {
        self.directory.join("providers")
    }

    fn place(&self, provider: &Locked) -> PathBuf {
        provider.directory(&self.providers()).join(package::platform())
    }

    fn missing<'a>(&self, locked: &'a [Locked]) -> Vec<&'a Locked> {
        locked.iter().filter(|provider| !package::is_placed(&self.place(provider))).collect()
    }

    /// Waits until nobody else fills it; `None` where the user no longer wants to.
    fn lock(&self, cancel: &Cancel) -> Result<Option<File>, MirrorError> {
        create_directory(&self.directory)?;
        let path = self.directory.join("lock");
        let mut options = OpenOptions::new();
        let file = options
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|source| MirrorError::file("open", &path, source))?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(file)),
                Err(TryLockError::WouldBlock) if cancel.count() > 0 => return Ok(None),
                Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(20)),
                Err(TryLockError::Error(source)) => {
                    return Err(MirrorError::file("lock", &path, source));
                }
            }
        }
    }

    /// Removes what killed fillers left. A Terraform of theirs that still runs writes where nobody looks.
    fn remove_leftovers(&self) {
        for entry in fs::read_dir(&self.directory).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(Scratch::PREFIX) {
                // What cannot be removed now is removed by the next one.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }

    fn take_in(
        &self,
        provider: &Locked,
        index: usize,
        scratch: &Scratch,
        options: &FillOptions,
    ) -> Result<(), MirrorError> {
        let platform = package::platform();
        let package = provider.directory(&scratch.data().join("providers")).join(&platform);
        if !package.exists() {
            return Err(MirrorError::OtherPlatform { provider: described(provider), platform });
        }
        let checksum = package::checksum(&package)?;
        if !provider.checksums.contains(&checksum) {
            return Err(MirrorError::NotLocked {
                provider: described(provider),
                platform,
                checksum,
                lock_file: options.lock_file.clone(),
            });
        }
        package::place(&package, &scratch.path.join(format!("copy-{index}")), &self.place(provider))
    }
}

fn described(provider: &Locked) -> String {
    format!("{} {}", provider.source, provider.version)
}

/// Returns a name that no other process has, nor this one twice.
fn unique() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{}-{}-{count}", std::process::id(), Timestamp::now().as_nanosecond())
}

fn create_directory(path: &Path) -> Result<(), MirrorError> {
    fs::create_dir_all(path).map_err(|source| MirrorError::file("create", path, source))
}

fn write(path: &Path, text: &str) -> Result<(), MirrorError> {
    fs::write(path, text).map_err(|source| MirrorError::file("write", path, source))
}
