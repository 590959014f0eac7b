//! [`Tests`]: what shows that an environment works.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

use crate::CommandLine;
use crate::choice::Method;
use crate::document::Document;
use crate::health_check_path::wrong_character;
use crate::project::command_line;
use crate::ttl::seconds;

/// What shows that an environment works: requests, then a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tests {
    /// The application's own integration tests, run at the repository's root.
    pub command: Option<CommandLine>,
    /// How long the command may take; `None` is [`Tests::TIMEOUT`].
    pub timeout: Option<Timeout>,
    /// What is asked before, in this order.
    pub requests: Vec<TestRequest>,
}

/// A request, and what its answer has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestRequest {
    /// What people call it.
    pub name: Option<String>,
    /// The method.
    pub method: Method,
    /// The path, in which `{unique}` stands for a text of this run's own.
    pub path: RequestPath,
    /// What is sent beside.
    pub headers: BTreeMap<HeaderName, HeaderValue>,
    /// The body, in which `{unique}` stands for the same text.
    pub body: Option<String>,
    /// The status; `None` is any in the 200s.
    pub status: Option<u16>,
    /// What the answer contains, in which `{unique}` stands for the same text.
    pub contains: Option<String>,
    /// How long the answer may take; `None` is [`TestRequest::TIMEOUT`].
    pub timeout: Option<Timeout>,
}

impl Tests {
    /// How long the command may take where nothing else is said.
    pub const TIMEOUT: Timeout = Timeout { seconds: 600 };

    pub(crate) fn read(document: &mut Document<'_>) -> Self {
        let count = document.count("test.request");
        Self {
            command: command_line(document, "test.command"),
            timeout: document.string("test.timeout"),
            requests: (0..count).filter_map(|index| request(document, index)).collect(),
        }
    }
}

impl TestRequest {
    /// How long an answer may take where nothing else is said.
    pub const TIMEOUT: Timeout = Timeout { seconds: 10 };
    /// What stands for a text of a run's own.
    pub const UNIQUE: &str = "{unique}";
}

/// Reads one request; `None` where something of it is wrong, which is noted.
fn request(document: &mut Document<'_>, index: usize) -> Option<TestRequest> {
    let key = |name: &str| format!("test.request.{index}.{name}");
    document.require(&key("path"), "\"/entries\"");
    let given = document.string(&key("method"));
    let method = given.unwrap_or(Method::Get);
    let body: Option<String> = document.string(&key("body"));
    // A method that there is not was noted as such.
    let is_known = given.is_some() || !document.has(&key("method"));
    if body.is_some() && is_known && !method.has_body() {
        document.refuse(&key("body"), format!("a request with the method `{method}` has no body"));
    }
    let contains: Option<String> = document.string(&key("contains"));
    if contains.as_deref() == Some("") {
        document.refuse(&key("contains"), "every answer contains the empty text".to_owned());
    }
    Some(TestRequest {
        name: document.string(&key("name")),
        method,
        headers: document.map(&key("headers")),
        body,
        status: document.integer(&key("status"), |status| match u16::try_from(status) {
            Ok(status @ 200..=599) => Ok(status),
            _ => Err(format!("`{status}` is no status of an answer: it is from 200 to 599")),
        }),
        contains,
        timeout: document.string(&key("timeout")),
        path: document.string(&key("path"))?,
    })
}

/// How long something may take: from one second to a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timeout {
    seconds: u32,
}

/// Why a text is no timeout.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TimeoutError {
    /// It is not written as numbers with units.
    #[error("`{}` is no timeout: write `30s`, `5m` or `1h30m`", .0.escape_debug())]
    Form(String),
    /// It is no time at all, or longer than a day.
    #[error("a timeout is from 1s to 1d, and this one is {0}")]
    Range(String),
}

impl From<Timeout> for Duration {
    fn from(timeout: Timeout) -> Self {
        Self::from_secs(timeout.seconds.into())
    }
}

impl FromStr for Timeout {
    type Err = TimeoutError;

    fn from_str(text: &str) -> Result<Self, TimeoutError> {
        const DAY: u32 = 24 * 60 * 60;
        let found = seconds(text).ok_or_else(|| TimeoutError::Form(text.to_owned()))?;
        match u32::try_from(found) {
            Ok(seconds @ 1..=DAY) => Ok(Self { seconds }),
            _ => Err(TimeoutError::Range(text.to_owned())),
        }
    }
}

impl fmt::Display for Timeout {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}s", self.seconds)
    }
}

/// The path of a request, with what follows its `?`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestPath(String);

/// Why a text is no such path.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RequestPathError {
    /// It does not start with a slash.
    #[error("a path starts with `/`")]
    Start,
    /// It has a character that has to be written otherwise in a request.
    #[error("a path is part of a URL, in which `{}` can't stand; only `{{unique}}` can", .0.escape_debug())]
    Character(char),
}

impl RequestPath {
    /// Returns the path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RequestPath {
    type Err = RequestPathError;

    fn from_str(text: &str) -> Result<Self, RequestPathError> {
        if !text.starts_with('/') {
            return Err(RequestPathError::Start);
        }
        match wrong_character(&text.replace(TestRequest::UNIQUE, "")) {
            Some((_, character)) => Err(RequestPathError::Character(character)),
            None => Ok(Self(text.to_owned())),
        }
    }
}

/// The name of a header, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HeaderName(String);

/// The value of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderValue(String);

/// Why a text is no name or no value of a header.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HeaderError {
    /// It is no name.
    #[error("`{}` is no name of a header", .0.escape_debug())]
    Name(String),
    /// It follows from the request.
    #[error("the header `{0}` follows from the request, so it can't be given")]
    Own(String),
    /// A control character or a letter outside ASCII.
    #[error("the value of a header is printable ASCII")]
    Value,
}

impl HeaderName {
    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl HeaderValue {
    /// Returns the value as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HeaderName {
    type Err = HeaderError;

    fn from_str(text: &str) -> Result<Self, HeaderError> {
        const OWN: [&str; 4] = ["connection", "content-length", "host", "transfer-encoding"];
        let is_token = |character: char| {
            character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character)
        };
        let name = text.to_ascii_lowercase();
        match &*name {
            "" => Err(HeaderError::Name(name)),
            own if OWN.contains(&own) => Err(HeaderError::Own(name)),
            token if token.chars().all(is_token) => Ok(Self(name)),
            _ => Err(HeaderError::Name(text.to_owned())),
        }
    }
}

impl FromStr for HeaderValue {
    type Err = HeaderError;

    fn from_str(text: &str) -> Result<Self, HeaderError> {
        if text.chars().all(|character| character == ' ' || character.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(HeaderError::Value)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use insta::assert_snapshot;

    use super::*;
    use crate::Project;

    #[test]
    fn everything_set() {
        let text = r#"
            [test]
            command = ["make", "integration"]
            timeout = "5m"
            [[test.request]]
            name = "write"
            method = "POST"
            path = "/entries?of={unique}"
            headers = { Accept = "application/json" }
            body = '{"message": "{unique}"}'
            status = 201
            contains = "{unique}"
            timeout = "1m30s"
            [[test.request]]
            path = "/entries"
        "#;
        let tests = Project::parse(text, Path::new("menagerie.toml")).unwrap().tests;
        assert_eq!(tests.command.unwrap().program(), "make");
        assert_eq!(Duration::from(tests.timeout.unwrap()), Duration::from_mins(5));
        let [write, read] = &tests.requests[..] else { panic!("two requests") };
        assert_eq!((write.name.as_deref(), write.method), (Some("write"), Method::Post));
        assert_eq!(write.path.as_str(), "/entries?of={unique}");
        let headers = write.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        assert_eq!(headers.collect::<Vec<_>>(), [("accept", "application/json")]);
        assert_eq!(write.body.as_deref(), Some(r#"{"message": "{unique}"}"#));
        assert_eq!((write.status, write.contains.as_deref()), (Some(201), Some("{unique}")));
        assert_eq!(write.timeout.unwrap().to_string(), "90s");
        let nothing = TestRequest {
            name: None,
            method: Method::Get,
            path: "/entries".parse().unwrap(),
            headers: BTreeMap::new(),
            body: None,
            status: None,
            contains: None,
            timeout: None,
        };
        assert_eq!(read, &nothing);
    }

    #[test]
    fn all_problems_at_once() {
        let text = r#"[test]
timeout = "0s"
[[test.request]]
method = "get"
body = "x"
contains = ""
[[test.request]]
path = "/a b"
headers = { Host = "x", "a b" = "x", accept = "é" }
status = 100
timeout = "soon"
pat = 1
"#;
        let errors = Project::parse(text, Path::new("menagerie.toml")).unwrap_err();
        let lines: Vec<String> = errors
            .problems()
            .iter()
            .map(|problem| {
                let hint = problem.hint.as_ref().map(|hint| format!(" ({hint})"));
                format!("{}: {}{}", problem.line, problem.message, hint.unwrap_or_default())
            })
            .collect();
        assert_snapshot!(lines.join("\n"), @r#"
        2: a timeout is from 1s to 1d, and this one is 0s
        3: `test.request.path` is missing (for example `path = "/entries"`)
        4: there is no method `get`; there is `GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE`
        6: every answer contains the empty text
        8: a path is part of a URL, in which ` ` can't stand; only `{unique}` can
        9: the header `host` follows from the request, so it can't be given
        9: `a b` is no name of a header
        9: the value of a header is printable ASCII
        10: `100` is no status of an answer: it is from 200 to 599
        11: `soon` is no timeout: write `30s`, `5m` or `1h30m`
        12: unknown key `test.request.pat` (did you mean `path`?)
        "#);
        let error = |text: &str| {
            let errors = Project::parse(text, Path::new("menagerie.toml")).unwrap_err();
            errors.problems()[0].message.clone()
        };
        let start = "[[test.request]]\npath = '/'\n";
        assert_eq!(
            error(&format!("{start}method = 'DELETE'\nbody = ''\n")),
            "a request with the method `DELETE` has no body"
        );
        assert_eq!(
            error("test.request = [1]\n"),
            "`test.request` is a table in each place, not an integer"
        );
        assert_eq!(
            error("[test.request]\npath = '/'\n"),
            "`test.request` is an array of tables, not a table"
        );
    }
}
