//! `env test`: shows that an environment works, by its health, by requests, and by the application's own tests.

use crate::file::{self, Context as _, FileError};
use crate::inventory::Entry;
use crate::kind::{Explain, Kind};
use crate::process_group::{self, Ended};
use crate::repository::Repository;
use jiff::Timestamp;
use menagerie_config::{CommandLine, ReadError, TestRequest, Tests, Timeout};
use menagerie_terraform::Cancel;
use sha2::{Digest as _, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use ureq::http::{Method, Request};

/// What is tested.
#[derive(Debug)]
pub struct Tested<'a> {
    /// The repository.
    pub repository: &'a Repository,
    /// The environment.
    pub entry: &'a Entry,
    /// Where it answers.
    pub url: &'a str,
    /// Set when the user wants it to stop.
    pub cancel: &'a Cancel,
}

/// One thing that was tested.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// What it is called.
    pub name: String,
    /// How long it took.
    pub time: Duration,
    /// What came of it.
    pub verdict: Verdict,
    /// The file with all that a command printed.
    pub log: Option<PathBuf>,
}

/// What came of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is as it should be.
    Passed,
    /// It is not.
    Failed {
        /// Why, in one line.
        reason: String,
        /// What came instead: the answer's body, or the end of what a command printed.
        detail: String,
    },
    /// It was not tried.
    Skipped {
        /// Why.
        reason: String,
    },
}

/// A test could not be run at all.
#[derive(Debug, thiserror::Error)]
pub enum TestError {
    /// `menagerie.toml` is wrong.
    #[error(transparent)]
    Project(#[from] ReadError),
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The command could not be started or waited for.
    #[error("failed to run `{command}`")]
    Command {
        /// The command, as written in `menagerie.toml`.
        command: String,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// It was interrupted.
    #[error("interrupted during {0}")]
    Interrupted(String),
}

impl Explain for TestError {
    fn kind(&self) -> Kind {
        match self {
            Self::Project(_) => Kind::Invalid,
            Self::File(_) | Self::Command { .. } => Kind::Failed,
            Self::Interrupted(_) => Kind::Interrupted,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Command { .. } => {
                Some("docs/configuration.md describes `test.command`".to_owned())
            }
            Self::Project(_) | Self::File(_) | Self::Interrupted(_) => None,
        }
    }
}

/// Tests an environment as `menagerie.toml` says; `begin` is told what is tried next, `end` what came of it.
///
/// Without health nothing else is tried. The environment is not held meanwhile: a test can be long, and only asks.
pub fn test(
    tested: &Tested<'_>,
    begin: &mut dyn FnMut(&str),
    end: &mut dyn FnMut(&Case),
) -> Result<Vec<Case>, TestError> {
    let project = tested.repository.project()?;
    let settings = tested.entry.environment.as_ref().map(|environment| &environment.settings);
    let health_check_path = settings
        .and_then(|settings| settings.health_check_path.clone())
        .unwrap_or_else(|| project.application.health_check_path.clone());
    let Tests { command, timeout, requests } = &project.tests;
    let unique = unique();
    let mut run = Run { tested, begin, end, cases: Vec::new() };
    let health = Ask {
        name: format!("health: GET {health_check_path}"),
        method: Method::GET,
        path: health_check_path.as_str().to_owned(),
        headers: Vec::new(),
        body: None,
        status: None,
        contains: None,
        timeout: TestRequest::TIMEOUT,
    };
    run.case(&health.name.clone(), || Ok((verdict(health.ask(tested.url)), None)))?;
    let is_healthy = run.cases.iter().all(|case| case.verdict == Verdict::Passed);
    for request in requests {
        let ask = Ask::new(request, &unique);
        let name = ask.name.clone();
        run.case_if(is_healthy, &name, || Ok((verdict(ask.ask(tested.url)), None)))?;
    }
    if let Some(command) = command {
        let timeout = timeout.unwrap_or(Tests::TIMEOUT);
        let name = format!("command: {}", shown(command));
        run.case_if(is_healthy, &name, || run_command(tested, command, timeout))?;
    }
    Ok(run.cases)
}

/// The cases so far, and who is told of them.
struct Run<'a> {
    tested: &'a Tested<'a>,
    begin: &'a mut dyn FnMut(&str),
    end: &'a mut dyn FnMut(&Case),
    cases: Vec<Case>,
}

impl Run<'_> {
    fn case(
        &mut self,
        name: &str,
        test: impl FnOnce() -> Result<(Verdict, Option<PathBuf>), TestError>,
    ) -> Result<(), TestError> {
        if self.tested.cancel.count() > 0 {
            return Err(TestError::Interrupted(format!("`{name}`")));
        }
        (self.begin)(name);
        let begin = Instant::now();
        let (verdict, log) = test()?;
        self.add(Case { name: name.to_owned(), time: begin.elapsed(), verdict, log });
        Ok(())
    }

    fn case_if(
        &mut self,
        is_healthy: bool,
        name: &str,
        test: impl FnOnce() -> Result<(Verdict, Option<PathBuf>), TestError>,
    ) -> Result<(), TestError> {
        if is_healthy {
            return self.case(name, test);
        }
        let verdict = Verdict::Skipped { reason: "it is not healthy".to_owned() };
        self.add(Case { name: name.to_owned(), time: Duration::ZERO, verdict, log: None });
        Ok(())
    }

    fn add(&mut self, case: Case) {
        (self.end)(&case);
        self.cases.push(case);
    }
}

/// A text that no other run has.
fn unique() -> String {
    let seed = format!("{} {}", Timestamp::now().as_nanosecond(), std::process::id());
    format!("menagerie-{}", crate::hex(&Sha256::digest(seed)[..8]))
}

/// A request as it is made.
#[derive(Debug)]
struct Ask {
    name: String,
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
    status: Option<u16>,
    contains: Option<String>,
    timeout: Timeout,
}

impl Ask {
    fn new(request: &TestRequest, unique: &str) -> Self {
        let fill = |text: &str| text.replace(TestRequest::UNIQUE, unique);
        let name = match &request.name {
            Some(name) => name.clone(),
            None => format!("{} {}", request.method, request.path.as_str()),
        };
        let mut headers: Vec<(String, String)> = request
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.as_str().to_owned()))
            .collect();
        if request.body.is_some() && !headers.iter().any(|(name, _)| name == "content-type") {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        Self {
            name,
            method: request.method.as_str().parse().expect("each of our methods is one of HTTP's"),
            path: fill(request.path.as_str()),
            headers,
            body: request.body.as_deref().map(fill),
            status: request.status,
            contains: request.contains.as_deref().map(fill),
            timeout: request.timeout.unwrap_or(TestRequest::TIMEOUT),
        }
    }

    /// Makes the request; the error is the reason and the detail.
    fn ask(&self, url: &str) -> Result<(), (String, String)> {
        let failed = |error: &dyn std::error::Error| (error.to_string(), String::new());
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(self.timeout.into()))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            // Every hosting that there is answers on this machine's loopback, where the user's proxy does not lead.
            .proxy(None)
            .build();
        let agent = ureq::Agent::new_with_config(config);
        let uri = format!("{}{}", url.trim_end_matches('/'), self.path);
        let mut builder = Request::builder().method(self.method.clone()).uri(uri);
        for (name, value) in &self.headers {
            builder = builder.header(name, value);
        }
        let has_body = matches!(self.method, Method::POST | Method::PUT | Method::PATCH);
        let answer = if has_body {
            let body = self.body.clone().unwrap_or_default();
            agent.run(builder.body(body).map_err(|error| failed(&error))?)
        } else {
            agent.run(builder.body(()).map_err(|error| failed(&error))?)
        };
        let mut answer = answer.map_err(|error| failed(&error))?;
        let body = answer.body_mut().read_to_vec().map_err(|error| failed(&error))?;
        self.judge(answer.status().as_u16(), &String::from_utf8_lossy(&body))
    }

    fn judge(&self, status: u16, body: &str) -> Result<(), (String, String)> {
        let is_right = match self.status {
            Some(expected) => status == expected,
            None => (200..300).contains(&status),
        };
        if !is_right {
            let expected =
                self.status.map_or("one in the 200s".to_owned(), |status| status.to_string());
            return Err((format!("the status is {status}, not {expected}"), excerpt(body)));
        }
        match &self.contains {
            Some(expected) if !body.contains(expected) => {
                Err((format!("the answer does not contain `{expected}`"), excerpt(body)))
            }
            _ => Ok(()),
        }
    }
}

fn verdict(answer: Result<(), (String, String)>) -> Verdict {
    match answer {
        Ok(()) => Verdict::Passed,
        Err((reason, detail)) => Verdict::Failed { reason, detail },
    }
}

/// Returns as much of an answer as helps.
fn excerpt(body: &str) -> String {
    const LONGEST: usize = 2_000;
    match body.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{} …", &body[..end]),
        None => body.to_owned(),
    }
}

fn shown(command: &CommandLine) -> String {
    let words =
        std::iter::once(command.program()).chain(command.arguments().iter().map(String::as_str));
    words.collect::<Vec<_>>().join(" ")
}

/// Runs the application's own tests, whose output goes to a file.
fn run_command(
    tested: &Tested<'_>,
    command: &CommandLine,
    timeout: Timeout,
) -> Result<(Verdict, Option<PathBuf>), TestError> {
    let name = &tested.entry.name;
    let runs = tested.repository.home().environment(name).runs();
    file::create_private_directory(&runs)?;
    let time = Timestamp::now().strftime("%Y%m%dT%H%M%S.%3f").to_string();
    let log = runs.join(format!("{time}-{}-test.log", std::process::id()));
    let create = || OpenOptions::new().append(true).create_new(true).mode(0o600).open(&log);
    let stdout = create().during("create", &log)?;
    let stderr = stdout.try_clone().during("write", &log)?;
    let failed = |source| TestError::Command { command: shown(command), source };
    let expression = duct::cmd(command.program(), command.arguments())
        .dir(tested.repository.root())
        .env("MENAGERIE_URL", tested.url)
        .env("MENAGERIE_ENVIRONMENT", name.as_str())
        .stdin_null()
        .stdout_file(stdout)
        .stderr_file(stderr);
    let handle = process_group::start(&expression).map_err(failed)?;
    let limit = Some(timeout.into());
    let reason = match process_group::wait(&handle, tested.cancel, limit).map_err(failed)? {
        Ended::Exited(status) if status.success() => return Ok((Verdict::Passed, Some(log))),
        Ended::Exited(status) => format!("it ended with {status}"),
        Ended::TimedOut => format!("it took more than {timeout}, and was ended"),
        Ended::Interrupted => return Err(TestError::Interrupted(format!("`{}`", shown(command)))),
    };
    let detail = tail(&log).during("read", &log)?;
    Ok((Verdict::Failed { reason, detail }, Some(log)))
}

/// Returns the last lines of a file.
fn tail(path: &Path) -> io::Result<String> {
    const LINES: usize = 40;
    const LONGEST: u64 = 16 * 1024;
    let mut file = File::open(path)?;
    let length = fs::metadata(path)?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LONGEST)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    Ok(lines[lines.len().saturating_sub(LINES)..].join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use menagerie_config::Project;

    fn ask(keys: &str) -> Ask {
        let text = format!("[[test.request]]\n{keys}");
        let project = Project::parse(&text, Path::new("menagerie.toml")).unwrap();
        Ask::new(&project.tests.requests[0], "menagerie-1")
    }

    #[track_caller]
    fn check(keys: &str, status: u16, body: &str, expected: &str) {
        let judged = ask(keys).judge(status, body);
        assert_eq!(judged.err().map_or(String::new(), |(reason, _)| reason), expected);
    }

    #[test]
    fn what_stands_for_a_text_of_the_run() {
        let write = ask("method = 'PUT'\npath = '/a/{unique}'\nbody = '{\"a\": \"{unique}\"}'");
        assert_eq!(write.name, "PUT /a/{unique}");
        assert_eq!(write.path, "/a/menagerie-1");
        assert_eq!(write.body.unwrap(), r#"{"a": "menagerie-1"}"#);
        assert_eq!(write.headers, [("content-type".to_owned(), "application/json".to_owned())]);
        let form = "method = 'POST'\npath = '/'\nbody = 'a=1'\nheaders = { Content-Type = 'a/b' }";
        assert_eq!(ask(form).headers, [("content-type".to_owned(), "a/b".to_owned())]);
        assert_ne!(unique(), unique());
    }

    #[test]
    fn answers() {
        check("path = '/'", 200, "", "");
        check("path = '/'", 204, "", "");
        check("path = '/'", 302, "", "the status is 302, not one in the 200s");
        check("path = '/'\nstatus = 404", 404, "", "");
        check("path = '/'\nstatus = 404", 200, "", "the status is 200, not 404");
        check("path = '/'\ncontains = '{unique}'", 200, "[menagerie-1]", "");
        check(
            "path = '/'\ncontains = '{unique}'",
            200,
            "[]",
            "the answer does not contain `menagerie-1`",
        );
    }

    #[test]
    fn the_end_of_what_was_printed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        fs::write(&path, "").unwrap();
        assert_eq!(tail(&path).unwrap(), "");
        fs::write(&path, "a\n".repeat(100_000) + "b").unwrap();
        let text = tail(&path).unwrap();
        assert_eq!((text.lines().count(), text.lines().last()), (40, Some("b")));
    }
}
