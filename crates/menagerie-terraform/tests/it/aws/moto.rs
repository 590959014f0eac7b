//! The stand-in for AWS, for as long as a test runs.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// A running moto server.
pub(crate) struct Moto {
    handle: duct::Handle,
    url: String,
}

impl Moto {
    pub(crate) fn start(program: &Path, log: &Path) -> Self {
        // It chooses a free port and says which, as Flask does.
        let handle = duct::cmd!(program, "-H", "127.0.0.1", "-p", "0")
            .stdin_null()
            .stdout_null()
            .stderr_path(log)
            .unchecked()
            .start()
            .unwrap();
        let start = Instant::now();
        loop {
            let text = fs::read_to_string(log).unwrap();
            // From here on it answers: the port is open before it is told.
            let line = text.lines().find(|line| line.contains("Running on http://"));
            if let Some((_, url)) = line.and_then(|line| line.split_once("Running on ")) {
                return Self { handle, url: url.trim().to_owned() };
            }
            assert!(handle.try_wait().unwrap().is_none(), "moto ended: {text}");
            assert!(start.elapsed() < Duration::from_mins(2), "moto does not start: {text}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Calls an operation of a service that speaks JSON, past Terraform.
    #[track_caller]
    pub(crate) fn call(&self, service: &str, operation: &str, body: &str) -> Value {
        // It tells the service from the scope of the signature, which it does not check.
        let signature = format!(
            "Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
        );
        let (target, json) =
            (format!("X-Amz-Target: {operation}"), "Content-Type: application/x-amz-json-1.1");
        let answer = duct::cmd!(
            "curl",
            "--silent",
            "--show-error",
            "--fail-with-body",
            "--noproxy",
            "*",
            "--max-time",
            "60",
            "--header",
            signature,
            "--header",
            target,
            "--header",
            json,
            "--data",
            body,
            &self.url
        )
        .read()
        .unwrap();
        if answer.is_empty() { Value::Null } else { serde_json::from_str(&answer).unwrap() }
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        self.handle.kill().unwrap();
    }
}
