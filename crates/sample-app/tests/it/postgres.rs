//! With a PostgreSQL of its own.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::thread::scope;

use duct::unix::HandleExt as _;
use serde_json::json;

use crate::guestbook::{Guestbook, PROGRAM, launch, until};

const SIGQUIT: i32 = 3;
const PASSWORD: &str = "hunter2-of-the-test";

/// A server, ended with the test.
struct Server {
    directory: tempfile::TempDir,
    bin: PathBuf,
    port: u16,
    handle: duct::Handle,
}

impl Server {
    /// Starts one where PostgreSQL is installed.
    fn start() -> Option<Self> {
        let bin = installed()?;
        let directory = tempfile::tempdir().unwrap();
        let password = directory.path().join("password");
        fs::write(&password, PASSWORD).unwrap();
        for path in [directory.path(), &password] {
            if let Some(user) = other_user(path) {
                chown(path, Some(user), None).unwrap();
            }
        }
        let data = directory.path().join("data");
        let arguments = ["--no-sync", "--no-locale", "--encoding=UTF8", "--username=guest"];
        let mut initdb: Vec<String> = arguments.map(str::to_owned).to_vec();
        initdb.push("--auth=scram-sha-256".to_owned());
        initdb.push(format!("--pwfile={}", password.display()));
        initdb.push(format!("--pgdata={}", data.display()));
        command(&bin.join("initdb"), directory.path(), initdb).stdout_null().run().unwrap();
        // Free at this moment; nothing else in this test takes ports of its choice.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let handle = run(&bin, directory.path(), port);
        Some(Self { directory, bin, port, handle })
    }

    /// Has it speak TLS only, by a certificate that nobody has signed but itself.
    #[cfg(feature = "tls")]
    fn require_tls(&mut self) {
        let data = self.directory.path().join("data");
        let words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=guestbook";
        let mut arguments: Vec<String> = words.split(' ').map(str::to_owned).collect();
        for (option, file) in [("-keyout", "server.key"), ("-out", "server.crt")] {
            arguments.extend([option.to_owned(), data.join(file).display().to_string()]);
        }
        let openssl = command(Path::new("openssl"), self.directory.path(), arguments);
        openssl.stderr_null().run().unwrap();
        fs::write(data.join("pg_hba.conf"), "hostssl all all 127.0.0.1/32 scram-sha-256\n")
            .unwrap();
        fs::write(data.join("postgresql.auto.conf"), "ssl = on\n").unwrap();
        self.crash();
        self.start_again();
    }

    /// Returns the variables by which PostgreSQL's own programs find it.
    fn variables(&self) -> [(&'static str, String); 5] {
        [
            ("PGHOST", "127.0.0.1".to_owned()),
            ("PGPORT", self.port.to_string()),
            ("PGDATABASE", "postgres".to_owned()),
            ("PGUSER", "guest".to_owned()),
            ("PGPASSWORD", PASSWORD.to_owned()),
        ]
    }

    fn url(&self) -> String {
        format!("postgres://guest:{PASSWORD}@127.0.0.1:{}/postgres", self.port)
    }

    /// Ends it as a crash would.
    fn crash(&self) {
        self.handle.send_signal(SIGQUIT).unwrap();
        self.handle.wait().unwrap();
    }

    fn start_again(&mut self) {
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
    let arguments =
        ["-D", data.to_str().unwrap(), "-h", "127.0.0.1", "-k", "", "-p", &port.to_string(), "-F"]
            .map(str::to_owned);
    let log = fs::File::create(directory.join("log")).unwrap();
    let server = command(&bin.join("postgres"), directory, arguments.to_vec());
    let handle = server.stdout_null().stderr_file(log).unchecked().start().unwrap();
    let pid = handle.pids()[0].to_string();
    until("PostgreSQL is ready", || {
        assert!(
            handle.try_wait().unwrap().is_none(),
            "{}",
            fs::read_to_string(directory.join("log")).unwrap()
        );
        // After a crash the file of the server before is still there.
        let file = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
        let line = |number| file.lines().nth(number).map(str::trim);
        line(0) == Some(&pid) && line(7) == Some("ready")
    });
    handle
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

#[expect(clippy::disallowed_methods, reason = "tests have no other way to be told")]
fn installed() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let packaged = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut places =
        packaged.map(|version| version.path().join("bin")).chain(std::env::split_paths(&path));
    let found = places.find(|bin| bin.join("initdb").is_file() && bin.join("postgres").is_file());
    if found.is_none() {
        assert!(!is_required(), "no PostgreSQL");
        eprintln!("skipped: PostgreSQL is not installed");
    }
    found
}

/// Returns whether nothing may be skipped.
#[expect(clippy::disallowed_methods, reason = "tests have no other way to be told")]
fn is_required() -> bool {
    std::env::var("MENAGERIE_REQUIRE").as_deref() == Ok("all")
}

#[test]
fn two_replicas_start_at_once_and_share_the_entries() {
    let Some(server) = Server::start() else { return };
    let url = server.url();
    let replicas = scope(|scope| {
        let starting = [(); 2].map(|()| scope.spawn(|| Guestbook::start(&url)));
        starting.map(|replica| replica.join().unwrap())
    });
    scope(|scope| {
        for replica in &replicas {
            for _ in 0..10 {
                scope.spawn(|| {
                    let answer = replica.post(&json!({ "name": "Ada", "message": "grüße 🦦" }));
                    assert_eq!(answer.status, 201, "{answer:?}");
                });
            }
        }
    });
    for replica in &replicas {
        let entries = replica.get("/entries").json();
        let ids: Vec<_> =
            entries.as_array().unwrap().iter().map(|entry| entry["id"].as_i64().unwrap()).collect();
        assert_eq!(ids.len(), 20);
        assert!(ids.is_sorted_by(|newer, older| newer > older), "{ids:?}");
        assert_eq!(entries[0]["message"], "grüße 🦦");
        assert_eq!(replica.end(), Some(0));
    }
}

#[test]
fn a_database_that_crashes_makes_it_unready_until_it_is_back() {
    let Some(mut server) = Server::start() else { return };
    let guestbook = Guestbook::start(&server.url());
    assert_eq!(guestbook.post(&json!({ "name": "Ada", "message": "hello" })).status, 201);
    assert_eq!(guestbook.get("/readyz").status, 200);
    server.crash();
    assert_eq!(guestbook.get("/readyz").status, 503);
    assert_eq!(guestbook.get("/healthz").status, 200);
    let refused = guestbook.get("/");
    assert_eq!(refused.status, 503);
    assert!(!refused.body.contains(PASSWORD) && !refused.body.contains("127.0.0.1"), "{refused:?}");
    let told = guestbook.next("a query failed").to_string();
    assert!(!told.contains(PASSWORD), "{told}");
    server.start_again();
    until("ready again", || guestbook.get("/readyz").status == 200);
    assert_eq!(guestbook.get("/entries").json()[0]["message"], "hello");
}

#[test]
fn one_that_comes_up_later_is_waited_for() {
    let Some(mut server) = Server::start() else { return };
    server.crash();
    let (handle, log) = launch(&server.url(), &[("LOG_LEVEL", "debug")]);
    log.next("waiting for the database");
    server.start_again();
    log.next("listening");
    handle.kill().unwrap();
}

#[test]
fn a_wrong_password_is_told_at_once_and_never_shown() {
    let Some(server) = Server::start() else { return };
    let url = server.url().replace(PASSWORD, "hunter3-is-wrong");
    let output = duct::cmd!(PROGRAM)
        .full_env([("DATABASE_URL", &*url), ("PORT", "0")])
        .stdout_capture()
        .stderr_capture()
        .unchecked()
        .run()
        .unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("password authentication failed"), "{text}");
    // Not waited for, as it would not get right.
    assert!(!text.contains("waiting for the database") && !text.contains("hunter3"), "{text}");
}

/// Starts it with PostgreSQL's own variables and these, and without a URL.
fn by_variables(server: &Server, more: &[(&str, &str)]) -> Guestbook {
    let variables = server.variables();
    let own = variables.iter().map(|(name, value)| (*name, value.as_str()));
    Guestbook::start_with("", &own.chain(more.iter().copied()).collect::<Vec<_>>())
}

/// Starts it likewise where it must fail, and returns all that it says.
fn refused(server: &Server, more: &[(&str, &str)]) -> String {
    let variables = server.variables();
    let own = variables.iter().map(|(name, value)| (*name, value.as_str()));
    let output = duct::cmd!(PROGRAM)
        .full_env(own.chain([("PORT", "0")]).chain(more.iter().copied()))
        .stdout_capture()
        .stderr_capture()
        .unchecked()
        .run()
        .unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    text
}

#[test]
fn the_variables_of_postgresql_take_the_place_of_a_url() {
    let Some(server) = Server::start() else { return };
    let guestbook = by_variables(&server, &[]);
    assert_eq!(guestbook.post(&json!({ "name": "Ada", "message": "hello" })).status, 201);
    assert_eq!(guestbook.get("/entries").json()[0]["message"], "hello");
    let told = refused(&server, &[("PGPASSWORD", "hunter3-is-wrong")]);
    assert!(told.contains("password authentication failed") && !told.contains("hunter3"), "{told}");
}

/// As the image is built, and RDS is asked.
#[cfg(feature = "tls")]
#[test]
fn a_database_that_requires_tls() {
    if duct::cmd!("openssl", "version").stdout_null().run().is_err() {
        assert!(!is_required(), "no `openssl`");
        eprintln!("skipped: `openssl` is missing, which makes the server's certificate");
        return;
    }
    let Some(mut server) = Server::start() else { return };
    server.require_tls();
    let guestbook = by_variables(&server, &[("PGSSLMODE", "require")]);
    assert_eq!(guestbook.post(&json!({ "name": "Ada", "message": "hello" })).status, 201);
    assert_eq!(guestbook.get("/readyz").status, 200);
    let told = refused(&server, &[("PGSSLMODE", "disable")]);
    assert!(told.contains("no encryption"), "{told}");
    let told = refused(&server, &[("PGSSLMODE", "verify-full")]);
    assert!(told.contains("certificate") && !told.contains(PASSWORD), "{told}");
}

#[cfg(not(feature = "tls"))]
#[test]
fn a_program_without_tls_says_how_to_get_it() {
    let Some(server) = Server::start() else { return };
    let told = refused(&server, &[("PGSSLMODE", "require")]);
    assert!(told.contains("build it with `--features tls`"), "{told}");
}
