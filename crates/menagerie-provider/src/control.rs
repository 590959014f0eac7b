//! What `serve` and `supervise` say to each other: one JSON line there, one back, per connection.

use crate::{
    backup::Summary,
    name::Name,
    record::{Engine, ServiceSpec, SupervisorRecord},
    report,
    status::Status,
};
use serde::{Deserialize, Serialize};
use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    os::unix::net::UnixStream,
    path::PathBuf,
    time::Duration,
};

/// Both ends must speak the same version; they are one binary, but perhaps of two days.
pub(crate) const VERSION: u32 = 1;

/// Longest line: far above any specification, far below what could hurt.
pub(crate) const LONGEST_LINE: u64 = 4 * 1024 * 1024;

/// An order or a question.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    /// Makes a service be as specified; answers before it is.
    PutService(ServiceSpec),
    /// Ends a service and forgets it; answers when that is done.
    RemoveService(Name),
    /// Says how far a service has come.
    ServiceProgress(Name),
    /// `port` is what Terraform planned, where it planned one.
    PutDatabase {
        name: Name,
        engine: Engine,
        port: Option<u16>,
    },
    RemoveDatabase(Name),
    DatabaseProgress(Name),
    PutCollector {
        name: Name,
        port: Option<u16>,
    },
    RemoveCollector(Name),
    CollectorProgress(Name),
    /// Writes a backup of a database into a new file; answers when that is done.
    BackUp {
        database: Name,
        output: PathBuf,
    },
    /// Puts a backup in the place of what a database holds; answers when that is done.
    Restore {
        database: Name,
        input: PathBuf,
    },
    Status,
}

impl Request {
    /// Whether it changes something.
    pub(crate) fn is_order(&self) -> bool {
        !matches!(
            self,
            Self::ServiceProgress(_)
                | Self::DatabaseProgress(_)
                | Self::CollectorProgress(_)
                | Self::Status
        )
    }
}

/// An answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Response {
    Put,
    /// `last`: nothing is left, the supervisor is leaving.
    Removed {
        last: bool,
    },
    Progress(Progress),
    /// A backup was made or restored.
    Copied(Summary),
    Status(Status),
    /// It is leaving: wait until it is gone, then start another one.
    Leaving,
    Failed(Fault),
}

/// How far a resource has come.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Progress {
    /// Not yet; the reason is what stands in the way now.
    Waiting(Option<String>),
    Ready,
    /// Waiting longer is of no use.
    Hopeless(String),
}

/// An error that crosses the wire: what failed, a way out, and the attribute to blame.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Fault {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    pub(crate) attribute: Option<String>,
}

impl Fault {
    pub(crate) fn new(error: &dyn std::error::Error) -> Self {
        Self { message: report::chain(error), hint: None, attribute: None }
    }

    pub(crate) fn text(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, attribute: None }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn with_attribute(mut self, attribute: &str) -> Self {
        self.attribute = Some(attribute.to_owned());
        self
    }
}

#[derive(Serialize, Deserialize)]
struct Envelope<T> {
    version: u32,
    #[serde(flatten)]
    content: Content<T>,
}

#[derive(Serialize, Deserialize)]
struct Content<T> {
    message: T,
}

/// A conversation that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlError {
    #[error("failed to reach the supervisor (pid {pid})")]
    Connect { pid: i32, source: io::Error },
    #[error("the supervisor (pid {pid}) gave no answer")]
    Answer { pid: i32, source: io::Error },
    #[error("the supervisor (pid {pid}) gave an answer that is not understood")]
    Parse { pid: i32, source: ParseError },
}

/// A line that is no message of this protocol.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ParseError {
    #[error("not a message")]
    Json(#[source] serde_json::Error),
    #[error(
        "version {0} of the control protocol, not {VERSION}; end the environment's supervisor and apply again"
    )]
    Version(u32),
}

/// Writes a message as one line.
pub(crate) fn to_line<T: Serialize>(message: T) -> Vec<u8> {
    let envelope = Envelope { version: VERSION, content: Content { message } };
    let mut line = serde_json::to_vec(&envelope).expect("messages are plain data");
    line.push(b'\n');
    line
}

/// Reads a message from a line.
pub(crate) fn from_line<T: for<'de> Deserialize<'de>>(line: &[u8]) -> Result<T, ParseError> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let Version { version } = serde_json::from_slice(line).map_err(ParseError::Json)?;
    if version != VERSION {
        return Err(ParseError::Version(version));
    }
    let envelope: Envelope<T> = serde_json::from_slice(line).map_err(ParseError::Json)?;
    Ok(envelope.content.message)
}

/// Asks a supervisor, and waits for its answer for at most `patience`.
pub(crate) fn ask(
    supervisor: &SupervisorRecord,
    request: &Request,
    patience: Duration,
) -> Result<Response, ControlError> {
    let pid = supervisor.identity.pid;
    let mut stream = UnixStream::connect(&supervisor.socket)
        .map_err(|source| ControlError::Connect { pid, source })?;
    let mut line = Vec::new();
    let mut converse = || {
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        stream.write_all(&to_line(request))?;
        BufReader::new((&stream).take(LONGEST_LINE)).read_until(b'\n', &mut line)
    };
    match converse() {
        Ok(0) => Err(ControlError::Answer { pid, source: io::ErrorKind::UnexpectedEof.into() }),
        Ok(_) => from_line(&line).map_err(|source| ControlError::Parse { pid, source }),
        Err(source) => Err(ControlError::Answer { pid, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_one_line() {
        let line = to_line(Request::RemoveService("web".parse().unwrap()));
        insta::assert_snapshot!(String::from_utf8(line).unwrap(), @r#"{"version":1,"message":{"remove_service":"web"}}"#);
    }

    #[test]
    fn another_version_is_named_before_its_content_is_read() {
        let error = from_line::<Request>(br#"{"version":2,"message":{"dance":true}}"#).unwrap_err();
        insta::assert_snapshot!(error, @"version 2 of the control protocol, not 1; end the environment's supervisor and apply again");
    }

    #[test]
    fn names_are_checked_on_arrival() {
        assert!(
            from_line::<Request>(br#"{"version":1,"message":{"remove_service":"../x"}}"#).is_err()
        );
    }
}
