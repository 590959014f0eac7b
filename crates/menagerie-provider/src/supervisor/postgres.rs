//! PostgreSQL: its binaries, its user, its cluster.
//!
//! `fsync` stays on: on an SSD a commit costs no more here, and data survives a power cut too. The cluster is
//! made by `initdb` and one single-user session, which creates the database; `psql` is not needed.

mod tools;

use crate::{
    environment::Environment,
    file,
    launch::{Launch, LaunchError, Launched, launch},
    layout::{DatabaseLayout, Layout},
    leftover::{self, ROOT_DATA},
    log,
    name::Name,
    process::Identity,
    random,
    record::{self, Account, DatabaseRecord},
    socket,
};
use rustix::process::Signal;
use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder},
    io,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::ExitStatus,
    time::Duration,
};
use tokio::time::{sleep, timeout};

/// The role that owns everything.
pub(crate) const USERNAME: &str = "menagerie";

/// `initdb` takes half a second; a machine under load gets the benefit of the doubt.
const PREPARE: Duration = Duration::from_mins(2);

/// Recovery after a crash replays the log.
const START: Duration = Duration::from_mins(1);

/// A server that can't be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PostgresError {
    #[error("PostgreSQL is not installed: no directory with `postgres` and `initdb` was found")]
    Absent,
    #[error(
        "this program runs as root, and there is neither a user `postgres` nor `nobody` to run PostgreSQL"
    )]
    Account,
    #[error("failed to prepare `{}`", path.display())]
    Prepare { path: PathBuf, source: io::Error },
    #[error("failed to make a password")]
    Password(#[source] io::Error),
    #[error("the data of the database is gone: `{}`", path.display())]
    Gone { path: PathBuf },
    #[error("`{}` is not installed: it belongs to PostgreSQL's client programs", path.display())]
    NoTool { path: PathBuf },
    #[error("{0}")]
    Port(String),
    #[error(transparent)]
    Launch(#[from] LaunchError),
    #[error(transparent)]
    Record(#[from] record::RecordError),
    #[error(transparent)]
    Leftover(#[from] leftover::LeftoverError),
    #[error("`{program}` {how}:\n{log}")]
    Ended { program: &'static str, how: String, log: String },
    #[error("`{program}` {how}; no space left on device for `{}`:\n{log}", path.display())]
    Full { program: &'static str, how: String, log: String, path: PathBuf },
}

/// Where PostgreSQL's programs are.
#[derive(Clone, Debug)]
pub(crate) struct Binaries {
    directory: PathBuf,
}

impl Binaries {
    /// Looks on PATH first, then where distributions put them, the newest version first.
    pub(crate) fn find(environment: &Environment) -> Option<Self> {
        let versioned =
            ["/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt", "/usr/local/opt"];
        environment
            .path()
            .chain(versioned.into_iter().flat_map(|parent| versions(Path::new(parent))))
            .filter_map(|directory| fs::canonicalize(directory.join("postgres")).ok())
            .filter_map(|program| program.parent().map(Path::to_owned))
            .find(|directory| directory.join("initdb").is_file())
            .map(|directory| Self { directory })
    }

    fn program(&self, name: &str) -> String {
        self.directory.join(name).to_string_lossy().into_owned()
    }
}

/// Returns the `bin` directories of the versions below a directory, the highest number first.
fn versions(parent: &Path) -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            let version = name.to_str()?.trim_start_matches("postgresql@").parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    found.into_iter().map(|(_, directory)| directory).collect()
}

/// Returns the user for the server: PostgreSQL refuses to run as root. `None` for anybody else.
pub(crate) fn account() -> Result<Option<Account>, PostgresError> {
    if socket::own_uid() != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    ["postgres", "nobody"]
        .into_iter()
        .find_map(|user| account_of(&users, user))
        .map(Some)
        .ok_or(PostgresError::Account)
}

fn account_of(users: &str, user: &str) -> Option<Account> {
    users.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        if fields.first() != Some(&user) {
            return None;
        }
        Some(Account { uid: fields.get(2)?.parse().ok()?, gid: fields.get(3)?.parse().ok()? })
    })
}

/// Returns where the data of a database belongs.
pub(crate) fn data_directory(layout: &Layout, name: &Name, account: Option<Account>) -> PathBuf {
    match account {
        Some(_) => {
            Path::new(ROOT_DATA).join(socket::digest(layout.directory())).join(name.as_str())
        }
        None => layout.database(name).directory.join("data"),
    }
}

/// What is needed to run the server of one database.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) binaries: Binaries,
    pub(crate) layout: DatabaseLayout,
    pub(crate) record: DatabaseRecord,
    pub(crate) port: u16,
    pub(crate) supervisor: Identity,
    pub(crate) path: String,
}

impl Server {
    fn cluster(&self) -> PathBuf {
        self.record.data.join("cluster")
    }

    /// Makes the cluster and the database, from nothing: half of one may lie there.
    pub(crate) async fn initialise(&self) -> Result<(), PostgresError> {
        let password = random::password().map_err(PostgresError::Password)?;
        let data = &self.record.data;
        self.prepare_files(&password)
            .map_err(|source| PostgresError::Prepare { path: data.clone(), source })?;
        let cluster = text(&self.cluster());
        let password_file = text(&data.join("password"));
        self.finish(
            "initdb",
            &[
                "-D",
                &cluster,
                "-U",
                USERNAME,
                "-A",
                "scram-sha-256",
                "--pwfile",
                &password_file,
                "-E",
                "UTF8",
                "--locale=C",
                "--no-sync",
                "--no-instructions",
            ],
            None,
        )
        .await?;
        let session = data.join("create.sql");
        self.finish("postgres", &["--single", "-D", &cluster, "postgres"], Some(session.clone()))
            .await?;
        let url = format!(
            "postgres://{USERNAME}:{password}@127.0.0.1:{}/{}",
            self.port, self.record.name
        );
        let path = self.layout.url(&self.record);
        file::write_atomically(&path, url.as_bytes())
            .and_then(|()| file::remove(&data.join("password")))
            .and_then(|_| file::remove(&session))
            .map_err(|source| PostgresError::Prepare { path, source })?;
        Ok(())
    }

    fn prepare_files(&self, password: &str) -> io::Result<()> {
        let data = &self.record.data;
        // Another environment may remove an empty parent between two of these steps.
        let mut attempts = 5;
        while let Err(error) = self.make_data_directory() {
            attempts -= 1;
            if error.kind() != io::ErrorKind::NotFound || attempts == 0 {
                return Err(error);
            }
        }
        let own = |path: &Path| match self.record.account {
            Some(account) => chown(path, Some(account.uid), Some(account.gid)),
            None => Ok(()),
        };
        own(data)?;
        file::remove_tree(&self.cluster())?;
        // The name holds no quote: it is a label.
        let session = format!("CREATE DATABASE \"{}\";\n", self.record.name);
        for (name, content) in [("password", password), ("create.sql", &session)] {
            let path = data.join(name);
            file::write_atomically(&path, content.as_bytes())?;
            own(&path)?;
        }
        Ok(())
    }

    fn make_data_directory(&self) -> io::Result<()> {
        let data = &self.record.data;
        if let (Some(_), Some(parent)) = (self.record.account, data.parent()) {
            DirBuilder::new().recursive(true).mode(0o711).create(parent)?;
            // The server's user must be able to pass through, whatever the umask.
            for directory in [Path::new(ROOT_DATA), parent] {
                fs::set_permissions(directory, fs::Permissions::from_mode(0o711))?;
            }
        }
        match DirBuilder::new().mode(0o700).create(data) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    }

    /// Starts the server; returns when it accepts connections.
    pub(crate) async fn start(&self) -> Result<Launched, PostgresError> {
        let cluster = self.cluster();
        if !cluster.join("PG_VERSION").is_file() {
            return Err(PostgresError::Gone { path: cluster });
        }
        if let Err(error) = crate::port::bind(self.port) {
            return Err(PostgresError::Port(match error.kind() {
                io::ErrorKind::AddrInUse => crate::port::in_use(self.port),
                _ => format!("failed to bind port {} of 127.0.0.1: {error}", self.port),
            }));
        }
        let _ = log::rotate_if_large(&self.layout.log());
        self.forget_dead_server()?;
        let port = self.port.to_string();
        let cluster_text = text(&cluster);
        let mut arguments = vec!["-D", &cluster_text, "-k", "", "-h", "127.0.0.1", "-p", &port];
        for setting in
            ["shared_buffers=16MB", "max_connections=50", "max_wal_size=128MB", "min_wal_size=32MB"]
        {
            arguments.extend(["-c", setting]);
        }
        let since = log::length(&self.layout.log());
        let mut launched = self.launch("postgres", &arguments, None).await?;
        let pid = launched.identity.pid;
        let ready = async {
            while !is_ready(&cluster, pid) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        let how = tokio::select! {
            () = ready => return Ok(launched),
            () = sleep(START) => format!("was not ready within {} s", START.as_secs()),
            status = ended(&mut launched) => status,
        };
        self.end(&launched).await;
        Err(self.failure("postgres", how, since))
    }

    /// Removes the lock file of a killed server. PostgreSQL asks `kill(pid, 0)`, and a zombie whose parent
    /// does not reap, as in many containers, still answers: it would refuse to start for ever. Nobody else
    /// starts servers on this data, and ours is known to have ended; that no backend is left PostgreSQL
    /// checks again by its shared memory.
    fn forget_dead_server(&self) -> Result<(), PostgresError> {
        let path = self.cluster().join("postmaster.pid");
        leftover::end_workers(&self.record.data)?;
        file::remove(&path).map(drop).map_err(|source| PostgresError::Prepare { path, source })
    }

    /// Runs a program to its end.
    async fn finish(
        &self,
        program: &'static str,
        arguments: &[&str],
        input: Option<PathBuf>,
    ) -> Result<(), PostgresError> {
        let since = log::length(&self.layout.log());
        let mut launched = self.launch(program, arguments, input).await?;
        let end = timeout(PREPARE, launched.exit.wait_for(Option::is_some)).await;
        let status = end.ok().and_then(Result::ok).and_then(|status| *status);
        self.end(&launched).await;
        match status {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(self.failure(program, describe(status), since)),
            None => Err(self.failure(
                program,
                format!("took longer than {} s", PREPARE.as_secs()),
                since,
            )),
        }
    }

    async fn launch(
        &self,
        program: &str,
        arguments: &[&str],
        input: Option<PathBuf>,
    ) -> Result<Launched, PostgresError> {
        let order = Launch {
            program: self.binaries.program(program),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            environment: BTreeMap::from([
                ("LC_ALL".to_owned(), "C".to_owned()),
                ("PATH".to_owned(), self.path.clone()),
            ]),
            directory: self.record.data.clone(),
            log: self.layout.log(),
            record: self.layout.process(),
            input,
            account: self.record.account,
        };
        let supervisor = self.supervisor.clone();
        Ok(super::blocking(move || launch(&order, &supervisor)).await?)
    }

    /// Ends what is left of a program, and forgets it.
    async fn end(&self, launched: &Launched) {
        let identity = launched.identity.clone();
        let ended =
            super::blocking(move || identity.end_group(Signal::QUIT, Duration::from_secs(2))).await;
        let removed = match ended {
            Ok(_) => {
                record::remove(&self.layout.process()).map_err(|error| crate::report::chain(&error))
            }
            Err(error) => Err(crate::report::chain(&error)),
        };
        if let Err(error) = removed {
            super::say(&error);
        }
    }

    /// `since`: how long the log was when the program started.
    fn failure(&self, program: &'static str, how: String, since: u64) -> PostgresError {
        let log = log::tail_since(&self.layout.log(), since, 20);
        for path in [&self.record.data, &self.layout.directory] {
            if log::is_disk_full(path) {
                return PostgresError::Full { program, how, log, path: path.clone() };
            }
        }
        PostgresError::Ended { program, how, log }
    }
}

async fn ended(launched: &mut Launched) -> String {
    let status = launched.exit.wait_for(Option::is_some).await.ok().and_then(|status| *status);
    status.map_or_else(|| "ended".to_owned(), describe)
}

fn describe(status: ExitStatus) -> String {
    format!("ended with {status}")
}

/// Line 8 of `postmaster.pid` says `ready`, and line 1 is our server: after a crash the old file still lies there.
fn is_ready(cluster: &Path, pid: i32) -> bool {
    fs::read_to_string(cluster.join("postmaster.pid")).is_ok_and(|text| says_ready(&text, pid))
}

fn says_ready(text: &str, pid: i32) -> bool {
    let mut lines = text.lines().map(str::trim);
    lines.next() == Some(&pid.to_string()) && lines.nth(6) == Some("ready")
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_ready_when_its_own_file_says_so() {
        let text = "42\n/data\n1700000000\n5432\n\n127.0.0.1\n  123  456\nready   \n";
        assert!(says_ready(text, 42));
        assert!(!says_ready(text, 43));
        assert!(!says_ready(&text.replace("ready", "starting"), 42));
        assert!(!says_ready("42\n", 42));
    }

    #[test]
    fn accounts_come_from_the_user_table() {
        let users = "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65533::/:/bin/false\nbroken\n";
        assert_eq!(account_of(users, "nobody"), Some(Account { uid: 65534, gid: 65533 }));
        assert_eq!(account_of(users, "postgres"), None);
    }

    #[test]
    fn the_newest_version_comes_first() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["9", "15", "postgresql@16", "node@18", "common"] {
            fs::create_dir(parent.path().join(name)).unwrap();
        }
        let found: Vec<_> = versions(parent.path())
            .into_iter()
            .map(|path| path.strip_prefix(parent.path()).unwrap().to_string_lossy().into_owned())
            .collect();
        assert_eq!(found, ["postgresql@16/bin", "15/bin", "9/bin"]);
    }
}
