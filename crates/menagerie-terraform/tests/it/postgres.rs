//! A PostgreSQL server to keep states in, and to take away.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use duct::unix::HandleExt as _;
use tempfile::TempDir;

use crate::support::is_required;

const SIGQUIT: i32 = 3;

/// A server, ended with the test.
pub(crate) struct Server {
    directory: TempDir,
    bin: PathBuf,
    port: u16,
    handle: duct::Handle,
}

impl Server {
    /// Starts one; `None`, with the reason printed, where PostgreSQL is not installed.
    pub(crate) fn start() -> Option<Self> {
        let Some(bin) = installed() else {
            assert!(!is_required(), "MENAGERIE_REQUIRE=all: PostgreSQL is not installed");
            println!("skipped: PostgreSQL is not installed");
            return None;
        };
        let directory = tempfile::tempdir().unwrap();
        if let Some(user) = other_user(directory.path()) {
            chown(directory.path(), Some(user), None).unwrap();
        }
        let data = format!("--pgdata={}", directory.path().join("data").display());
        let arguments =
            ["--no-sync", "--no-locale", "--encoding=UTF8", "--username=guest", "--auth=trust"];
        let mut initdb = arguments.map(str::to_owned).to_vec();
        initdb.push(data);
        command(&bin.join("initdb"), directory.path(), initdb).stdout_null().run().unwrap();
        // Free at this moment; nothing else in this test takes ports of its choice.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let handle = run(&bin, directory.path(), port);
        Some(Self { directory, bin, port, handle })
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://guest@127.0.0.1:{}/postgres?sslmode=disable", self.port)
    }

    /// Returns the command that ends it as a crash would, and returns when nobody is connected any more.
    pub(crate) fn crash_command(&self) -> String {
        let lock = self.directory.path().join("data/postmaster.pid");
        let (pid, lock) = (self.handle.pids()[0], lock.display());
        // The lock goes last. The process itself is there until its parent, this test, asks how it ended.
        format!(
            "kill -QUIT {pid}; i=0; while [ -e '{lock}' ] && [ $i -lt 1000 ]; do sleep 0.01; i=$((i + 1)); done"
        )
    }

    /// Waits for its end.
    pub(crate) fn wait(&self) {
        self.handle.wait().unwrap();
    }

    pub(crate) fn start_again(&mut self) {
        self.handle = run(&self.bin, self.directory.path(), self.port);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.handle.send_signal(SIGQUIT);
        let _ = self.handle.wait();
    }
}

fn run(bin: &Path, directory: &Path, port: u16) -> duct::Handle {
    let data = directory.join("data");
    let port = port.to_string();
    let arguments = ["-D", data.to_str().unwrap(), "-h", "127.0.0.1", "-k", "", "-p", &port, "-F"];
    let log = fs::File::create(directory.join("log")).unwrap();
    let server = command(&bin.join("postgres"), directory, arguments.map(str::to_owned).to_vec());
    let handle = server.stdout_null().stderr_file(log).unchecked().start().unwrap();
    let pid = handle.pids()[0].to_string();
    for _ in 0..1200 {
        let log = || fs::read_to_string(directory.join("log")).unwrap();
        assert!(handle.try_wait().unwrap().is_none(), "{}", log());
        // After a crash the file of the server before is still there.
        let file = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
        let line = |number| file.lines().nth(number).map(str::trim);
        if line(0) == Some(&pid) && line(7) == Some("ready") {
            return handle;
        }
        thread::sleep(Duration::from_millis(25));
    }
    panic!("PostgreSQL does not become ready");
}

/// Runs a program of PostgreSQL as an ordinary user, for it refuses to be root.
fn command(program: &Path, directory: &Path, mut arguments: Vec<String>) -> duct::Expression {
    let program = program.to_str().unwrap().to_owned();
    let owner = directory.metadata().unwrap().uid();
    let expression = if fs::metadata("/proc/self").is_ok_and(|own| own.uid() != owner) {
        let mut all = vec![format!("--reuid={owner}"), "--clear-groups".to_owned(), program];
        all.append(&mut arguments);
        duct::cmd("setpriv", all)
    } else {
        duct::cmd(program, arguments)
    };
    expression.dir(directory).env("LC_ALL", "C").stdin_null()
}

/// Returns the user that stands in for root, if a file is root's.
fn other_user(path: &Path) -> Option<u32> {
    if path.metadata().unwrap().uid() != 0 {
        return None;
    }
    let id = |user| duct::cmd!("id", "-u", user).stderr_null().read();
    Some(id("postgres").or_else(|_| id("nobody")).unwrap().parse().unwrap())
}

fn installed() -> Option<PathBuf> {
    let packaged = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let path = std::env::vars_os().find_map(|(name, value)| (name == "PATH").then_some(value));
    let path: Vec<PathBuf> = std::env::split_paths(&path.unwrap_or_default()).collect();
    let mut places = packaged.map(|version| version.path().join("bin")).chain(path);
    places.find(|bin| bin.join("initdb").is_file() && bin.join("postgres").is_file())
}
