//! One environment in a directory of its own: provider, Terraform, and what they left.

use serde_json::Value;
use std::{
    env, fs,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};
use tempfile::TempDir;

pub(crate) const PROVIDER: &str = env!("CARGO_BIN_EXE_menagerie-provider");

/// Far above what anything here takes; a test that reaches it has failed.
const PATIENCE: Duration = Duration::from_secs(90);

/// Whether a program is on PATH; where it must be and is not, the test fails.
pub(crate) fn has(program: &str) -> bool {
    let found = env::split_paths(&env::var_os("PATH").unwrap_or_default())
        .any(|directory| directory.join(program).is_file());
    if !found {
        assert!(
            env::var("MENAGERIE_REQUIRE").as_deref() != Ok("all"),
            "`{program}` is required and not installed"
        );
        println!("skipped: `{program}` is not installed");
    }
    found
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The program that runs as a replica; `cargo test` builds it.
pub(crate) fn echo() -> String {
    let path = Path::new(PROVIDER).parent().unwrap().join("examples/echo");
    assert!(path.is_file(), "run through `cargo test`, which builds the example `echo`");
    path.to_str().unwrap().to_owned()
}

pub(crate) struct Environment {
    /// Root module and state.
    pub(crate) root: TempDir,
    /// The provider's runtime directory.
    pub(crate) dir: PathBuf,
}

/// What a program printed and how it ended.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    #[track_caller]
    pub(crate) fn success(self) -> Self {
        assert!(self.status.success(), "{}\n{}\n{}", self.status, self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Asserts that an error says all of this; Terraform breaks and frames its lines.
    #[track_caller]
    pub(crate) fn says(&self, expected: &[&str]) {
        let flat = flat(&format!("{} {}", self.stdout, self.stderr));
        for text in expected {
            assert!(
                flat.contains(&self::flat(text)),
                "`{text}` is not in:\n{}\n{}",
                self.stdout,
                self.stderr
            );
        }
    }
}

fn flat(text: &str) -> String {
    text.replace(['│', '╷', '╵'], " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Environment {
    pub(crate) fn new() -> Self {
        let root = tempfile::Builder::new().prefix("mp").tempdir().unwrap();
        fs::create_dir(root.path().join("run")).unwrap();
        let dir = root.path().join("local");
        Self { root, dir }
    }

    /// Writes the root module.
    pub(crate) fn configure(&self, resources: &str) {
        let text = format!(
            "terraform {{\n  required_providers {{\n    menagerie = {{ source = \"menagerie.local/menagerie/menagerie\" }}\n  }}\n}}\nprovider \"menagerie\" {{}}\n{resources}"
        );
        fs::write(self.root.path().join("main.tf"), text).unwrap();
    }

    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.root.path()).env_clear();
        for name in ["PATH", "HOME", "TMPDIR"] {
            if let Some(value) = env::var_os(name) {
                command.env(name, value);
            }
        }
        command.env("XDG_RUNTIME_DIR", self.root.path().join("run")).stdin(Stdio::null());
        command
    }

    /// Runs Terraform with a provider of its own, as one run of `xtask` does.
    pub(crate) fn terraform(&self, arguments: &[&str]) -> Output {
        let server = self.serve();
        let output = finish(self.start_terraform(&server, arguments));
        server.close();
        output
    }

    /// Starts Terraform in a group of its own.
    pub(crate) fn start_terraform(&self, server: &Server, arguments: &[&str]) -> Child {
        let mut command = self.command("terraform");
        command
            .args(arguments)
            .env("TF_REATTACH_PROVIDERS", &server.reattach)
            .env("TF_CLI_CONFIG_FILE", "/dev/null")
            .env("TF_IN_AUTOMATION", "1")
            .env("CHECKPOINT_DISABLE", "1")
            .process_group(0)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    pub(crate) fn apply(&self) -> Output {
        self.terraform(&["apply", "-auto-approve", "-no-color", "-input=false"])
    }

    pub(crate) fn destroy(&self) -> Output {
        self.terraform(&["destroy", "-auto-approve", "-no-color", "-input=false"])
    }

    /// Exits with 2 when there are changes.
    pub(crate) fn plan(&self) -> Output {
        self.terraform(&["plan", "-detailed-exitcode", "-no-color", "-input=false"])
    }

    pub(crate) fn serve(&self) -> Server {
        self.start_provider("serve", &[])
    }

    /// Stands in for cloud providers.
    pub(crate) fn rehearse(&self, options: &[&str]) -> Server {
        self.start_provider("rehearse", options)
    }

    fn start_provider(&self, subcommand: &str, options: &[&str]) -> Server {
        // Whoever starts it keeps its files to itself; a database server runs as another user all the same.
        let mut command = self.command("sh");
        command.args(["-c", "umask 077 && exec \"$0\" \"$@\"", PROVIDER]);
        command.args([subcommand, "--idle-seconds", "1", "--dir"]).arg(&self.dir).args(options);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut reattach = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut reattach).unwrap();
        Server { child, reattach: reattach.trim().to_owned() }
    }

    /// Runs the provider's own command line.
    pub(crate) fn provider(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(PROVIDER);
        finish(
            command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap(),
        )
    }

    pub(crate) fn status(&self) -> Value {
        let output = self.provider(&["status", "--dir", self.dir.to_str().unwrap()]).success();
        serde_json::from_str(&output.stdout).unwrap()
    }

    pub(crate) fn down(&self) -> Value {
        let output = self.provider(&["down", "--dir", self.dir.to_str().unwrap()]).success();
        serde_json::from_str(&output.stdout).unwrap()
    }

    pub(crate) fn state(&self) -> String {
        fs::read_to_string(self.root.path().join("terraform.tfstate")).unwrap_or_default()
    }

    /// Returns an attribute of a resource in the state.
    pub(crate) fn attribute(&self, r#type: &str, name: &str) -> Value {
        let state: Value = serde_json::from_str(&self.state()).unwrap();
        let resources = state["resources"].as_array().unwrap();
        let resource = resources.iter().find(|resource| resource["type"] == r#type).unwrap();
        resource["instances"][0]["attributes"][name].clone()
    }

    pub(crate) fn port(&self) -> u16 {
        u16::try_from(self.attribute("menagerie_service", "port").as_u64().unwrap()).unwrap()
    }

    pub(crate) fn supervisor(&self) -> i32 {
        pid(&self.status()["supervisor"])
    }

    pub(crate) fn replica(&self, index: usize) -> i32 {
        pid(&self.status()["services"][0]["replicas"][index])
    }

    pub(crate) fn database(&self) -> i32 {
        pid(&self.status()["databases"][0])
    }

    /// Asserts that no process, socket or data of this environment is left.
    #[track_caller]
    pub(crate) fn assert_nothing_left(&self) {
        until("no process is left", || self.processes().is_empty());
        assert_eq!(entries(&self.root.path().join("run")), [""; 0], "sockets are left");
        let left: Vec<_> = entries(&self.dir)
            .into_iter()
            // Locks, a log, and where this is: nothing that runs, and no data.
            .filter(|name| {
                !name.starts_with("supervisor.l") && name != "place.json" && name != "serve.lock"
            })
            .collect();
        assert_eq!(left, [""; 0], "records or data are left");
        let outside = self.data_outside();
        assert!(!outside.exists(), "`{}` is left", outside.display());
    }

    /// Where PostgreSQL's data lies when this runs as root.
    pub(crate) fn data_outside(&self) -> PathBuf {
        use sha2::{Digest as _, Sha256};
        use std::{fmt::Write as _, os::unix::ffi::OsStrExt as _};
        let path = self.root.path().canonicalize().unwrap().join("local");
        let digest = Sha256::digest(path.as_os_str().as_bytes());
        let name = digest[..8].iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        });
        Path::new("/var/lib/menagerie").join(name)
    }

    /// Finds this environment's processes by what they alone have in their command line or directory.
    pub(crate) fn processes(&self) -> Vec<i32> {
        let marks = [
            self.root.path().to_string_lossy().into_owned(),
            self.data_outside().to_string_lossy().into_owned(),
        ];
        let own = i32::try_from(std::process::id()).unwrap();
        entries(Path::new("/proc"))
            .into_iter()
            .filter_map(|name| name.parse().ok())
            .filter(|pid: &i32| *pid != own)
            .filter(|pid| {
                let process = PathBuf::from(format!("/proc/{pid}"));
                let command = fs::read(process.join("cmdline")).unwrap_or_default();
                let command = String::from_utf8_lossy(&command).into_owned();
                let directory = fs::read_link(process.join("cwd")).unwrap_or_default();
                marks.iter().any(|mark| command.contains(mark) || directory.starts_with(mark))
            })
            .collect()
    }
}

impl Drop for Environment {
    /// A test that failed leaves nothing either: what is recorded is ended by its record.
    fn drop(&mut self) {
        let mut command = self.command(PROVIDER);
        let _ = command
            .args(["down", "--dir"])
            .arg(&self.dir)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}

/// A running `serve`.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) reattach: String,
}

impl Server {
    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    /// Ends its standard input, and sees it leave.
    #[track_caller]
    pub(crate) fn close(mut self) {
        drop(self.child.stdin.take());
        let mut status = None;
        until("serve leaves", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        assert!(status.unwrap().success(), "{status:?}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for a program, which is killed when it takes too long.
pub(crate) fn finish(mut child: Child) -> Output {
    let read = |stream: Option<Box<dyn io::Read + Send>>| {
        std::thread::spawn(move || {
            let mut text = String::new();
            if let Some(mut stream) = stream {
                let _ = stream.read_to_string(&mut text);
            }
            text
        })
    };
    let stdout = read(child.stdout.take().map(|stream| Box::new(stream) as _));
    let stderr = read(child.stderr.take().map(|stream| Box::new(stream) as _));
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > PATIENCE {
            let _ = child.kill();
        }
        sleep(Duration::from_millis(5));
    };
    Output { status, stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() }
}

#[track_caller]
pub(crate) fn until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "it never became true that {what}");
        sleep(Duration::from_millis(10));
    }
}

pub(crate) fn pid(value: &Value) -> i32 {
    i32::try_from(value["pid"].as_i64().unwrap_or_else(|| panic!("no pid in {value}"))).unwrap()
}

pub(crate) fn signal(pid: i32, signal: rustix::process::Signal) {
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), signal).unwrap();
}

pub(crate) fn kill(pid: i32) {
    signal(pid, rustix::process::Signal::KILL);
}

/// Asks a service; the status code and the body.
pub(crate) fn get(port: u16, path: &str) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let invalid = || io::Error::new(io::ErrorKind::InvalidData, format!("not HTTP: {text:?}"));
    let code = text.get(9..12).and_then(|code| code.parse().ok()).ok_or_else(invalid)?;
    let body = text.split_once("\r\n\r\n").ok_or_else(invalid)?.1.to_owned();
    Ok((code, body))
}

#[track_caller]
pub(crate) fn body(port: u16, path: &str) -> String {
    let (code, body) = get(port, path).unwrap();
    assert_eq!(code, 200, "{body}");
    body
}

pub(crate) fn entries(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut names: Vec<_> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Runs SQL as the application would.
#[track_caller]
pub(crate) fn psql(environment: &Environment, sql: &str) -> String {
    let secret = environment.attribute("menagerie_database", "connection_secret");
    let url =
        fs::read_to_string(secret.as_str().unwrap().strip_prefix("file://").unwrap()).unwrap();
    let mut command = environment.command("psql");
    command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql, &url]);
    let output = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    finish(output).success().stdout.trim().to_owned()
}

/// A service with these lines, besides its name.
pub(crate) fn service(lines: &str) -> String {
    format!("resource \"menagerie_service\" \"web\" {{\n  name = \"web\"\n{lines}\n}}\n")
}

/// A service that runs `echo` with these arguments.
pub(crate) fn echo_service(arguments: &[&str], lines: &str) -> String {
    let command: Vec<_> =
        std::iter::once(echo()).chain(arguments.iter().map(|&text| text.to_owned())).collect();
    service(&format!("  command = {}\n{lines}", serde_json::to_string(&command).unwrap()))
}
