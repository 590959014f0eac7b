//! The transfer, by `curl`.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use crate::release::Origin;

/// An archive of Terraform has 30 MB; what is ten times as large is none.
const LARGEST: u64 = 300 * 1024 * 1024;

/// A file could not be fetched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DownloadError {
    /// There is no `curl`.
    #[error("failed to start `curl`")]
    Start(#[source] io::Error),
    /// The transfer failed.
    #[error("failed to fetch `{url}`: {reason}")]
    Failed {
        /// What was asked for.
        url: String,
        /// What `curl` said.
        reason: String,
        /// Its exit code: <https://everything.curl.dev/cmdline/exitcode.html>.
        code: Option<i32>,
    },
}

impl DownloadError {
    /// Returns the way out.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Start(_) => Some("install curl, and see that it is on the PATH"),
            Self::Failed { code: Some(5..=7), .. } => {
                Some("behind a proxy, set `HTTPS_PROXY`; from a mirror, give `--from URL`")
            }
            Self::Failed { code: Some(22), reason, .. } if reason.contains("404") => {
                Some("see whether this version exists there")
            }
            Self::Failed { code: Some(23), .. } => Some("see whether the disk is full"),
            Self::Failed { code: Some(35 | 60 | 77), .. } => Some(
                "a proxy that opens TLS needs its certificate in the system's store, or in a file that `CURL_CA_BUNDLE` names",
            ),
            Self::Failed { .. } => None,
        }
    }
}

/// Fetches a file. What transient errors (408, 429, 5xx, a time-out) take away is tried again three times.
pub(crate) fn download(url: &str, origin: &Origin, to: &Path) -> Result<(), DownloadError> {
    let output = duct::cmd("curl", arguments(url, origin, to))
        .stdin_null()
        .stdout_null()
        .stderr_capture()
        .unchecked()
        .run()
        .map_err(DownloadError::Start)?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    // It tells of each attempt; the last line is why it gave up.
    let last = stderr.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    let reason = last.strip_prefix("curl: ").unwrap_or(last).to_owned();
    let reason = if reason.is_empty() { output.status.to_string() } else { reason };
    Err(DownloadError::Failed { url: url.to_owned(), reason, code: output.status.code() })
}

fn arguments(url: &str, origin: &Origin, to: &Path) -> Vec<OsString> {
    let protocol = if origin.is_loopback() { "=http" } else { "=https" };
    let mut arguments: Vec<OsString> =
        ["--fail", "--silent", "--show-error", "--location", "--max-redirs", "5"]
            .map(OsString::from)
            .to_vec();
    // A redirect must not leave what was agreed on.
    for (option, value) in [
        ("--proto", protocol.to_owned()),
        ("--proto-redir", protocol.to_owned()),
        ("--connect-timeout", "15".to_owned()),
        ("--speed-limit", "1024".to_owned()),
        ("--speed-time", "20".to_owned()),
        ("--max-time", "900".to_owned()),
        ("--retry", "3".to_owned()),
        ("--max-filesize", LARGEST.to_string()),
    ] {
        arguments.extend([option.into(), value.into()]);
    }
    if origin.is_loopback() {
        arguments.extend(["--noproxy".into(), "*".into()]);
    }
    arguments.extend(["--output".into(), to.into(), "--url".into(), url.into()]);
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(origin: &str, expected: &str) {
        let origin: Origin = origin.parse().unwrap();
        let arguments = arguments("U", &origin, Path::new("F"));
        let words: Vec<&str> = arguments.iter().map(|word| word.to_str().unwrap()).collect();
        assert_eq!(words.join(" "), expected);
    }

    #[test]
    fn what_curl_is_told() {
        let common = "--connect-timeout 15 --speed-limit 1024 --speed-time 20 --max-time 900 --retry 3 --max-filesize 314572800";
        let begin = "--fail --silent --show-error --location --max-redirs 5";
        check(
            "https://mirror.example.com",
            &format!("{begin} --proto =https --proto-redir =https {common} --output F --url U"),
        );
        check(
            "http://127.0.0.1:1",
            &format!(
                "{begin} --proto =http --proto-redir =http {common} --noproxy * --output F --url U"
            ),
        );
    }
}
