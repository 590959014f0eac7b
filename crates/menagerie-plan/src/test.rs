//! What `terraform test -json` says beside what every command says.

use serde::Deserialize;

/// How a run block, a file of them, or all of them came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TestStatus {
    /// It has not been run.
    Pending,
    /// It was left out.
    Skip,
    /// All that it asserts holds.
    Pass,
    /// Something that it asserts does not hold.
    Fail,
    /// It could not be run.
    Error,
    /// Anything newer.
    #[serde(other)]
    Other,
}

/// How far a run block or a file of them is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TestProgress {
    /// It begins.
    Starting,
    /// It still runs; every two seconds.
    Running,
    /// What it made is destroyed.
    Teardown,
    /// It is over.
    Complete,
    /// Anything newer.
    #[serde(other)]
    Other,
}

/// How far one `run` block is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct TestRun {
    /// Its file, as seen from the root module.
    pub path: String,
    /// Its name.
    pub run: String,
    /// How far it is.
    #[serde(default = "complete")]
    pub progress: TestProgress,
    /// How it came out, once it is complete.
    #[serde(default)]
    pub status: Option<TestStatus>,
    /// The milliseconds since its start, while it runs.
    #[serde(default)]
    pub elapsed: Option<u64>,
    /// The same in words.
    #[serde(skip)]
    pub message: String,
}

/// How far one file of `run` blocks is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct TestFile {
    /// The file, as seen from the root module.
    pub path: String,
    /// How far it is.
    #[serde(default = "complete")]
    pub progress: TestProgress,
    /// How it came out, once it is complete.
    #[serde(default)]
    pub status: Option<TestStatus>,
    /// The same in words.
    #[serde(skip)]
    pub message: String,
}

/// How all of it came out. An interrupted test may say that it passed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct TestSummary {
    /// The worst of all; `pass` also where nothing was run.
    pub status: TestStatus,
    /// How many run blocks passed.
    pub passed: usize,
    /// How many assert what does not hold.
    pub failed: usize,
    /// How many could not be run.
    pub errored: usize,
    /// How many were left out.
    pub skipped: usize,
    /// The same in words.
    #[serde(skip)]
    pub message: String,
}

/// What a file of tests made and could not destroy.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct TestCleanup {
    /// Each instance that is left.
    #[serde(rename = "failed_resources")]
    pub left: Vec<TestLeftover>,
    /// The same in words.
    #[serde(skip)]
    pub message: String,
}

/// An instance that a test made and could not destroy.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct TestLeftover {
    /// The absolute address.
    pub instance: String,
    /// The key of a deposed object.
    #[serde(default)]
    pub deposed_key: Option<String>,
}

/// A tool that tells no progress tells only of what is complete.
fn complete() -> TestProgress {
    TestProgress::Complete
}

#[cfg(test)]
mod tests {
    use crate::Event;

    use super::*;

    #[test]
    fn a_real_test() {
        let stream = include_str!("../tests/fixtures/test.jsonl");
        let told: Vec<String> = stream
            .lines()
            .filter_map(|line| match Event::from_line(line).unwrap() {
                Event::TestRun(run) => {
                    Some(format!("{}: {:?} {:?}", run.run, run.progress, run.status))
                }
                Event::TestFile(file) => {
                    Some(format!("{}: {:?} {:?}", file.path, file.progress, file.status))
                }
                Event::TestCleanup(cleanup) => Some(format!("left: {}", cleanup.left[0].instance)),
                Event::TestSummary(summary) => {
                    Some(format!("{:?}: {}", summary.status, summary.message))
                }
                _ => None,
            })
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        tests/bad.tftest.hcl: Starting None
        bad: Starting None
        bad: Complete Some(Fail)
        tests/bad.tftest.hcl: Teardown None
        tests/bad.tftest.hcl: Complete Some(Fail)
        tests/left.tftest.hcl: Starting None
        left: Starting None
        left: Complete Some(Pass)
        tests/left.tftest.hcl: Teardown None
        left: Teardown None
        left: terraform_data.web
        tests/left.tftest.hcl: Complete Some(Error)
        Error: Failure! 1 passed, 1 failed.
        ");
    }

    #[test]
    fn what_tells_no_progress_is_complete() {
        let line = r#"{"type":"test_run","@message":"pass","test_run":{"path":"a","run":"b","status":"pass"}}"#;
        let Event::TestRun(run) = Event::from_line(line).unwrap() else { panic!("a run") };
        assert_eq!((run.progress, run.status), (TestProgress::Complete, Some(TestStatus::Pass)));
        assert_eq!(run.message, "pass");
    }
}
