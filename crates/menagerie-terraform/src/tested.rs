//! What `test` says, gathered while it runs.

use menagerie_plan::{
    Diagnostic, Event, TestLeftover, TestProgress, TestRun, TestStatus, TestSummary,
};

/// How the tests of a root module came out.
#[derive(Debug, Clone, PartialEq)]
pub struct TestDone {
    /// Each `run` block that is complete, in order.
    pub runs: Vec<TestRun>,
    /// How many of them came out how.
    pub summary: TestSummary,
    /// What does not hold or could not be run, and warnings.
    pub diagnostics: Vec<Diagnostic>,
    /// What the tests made and could not destroy: it is in no state, and nobody else knows of it.
    pub left: Vec<TestLeftover>,
}

impl TestDone {
    /// Returns whether something was tested, all of it holds, and nothing is left. Terraform takes no test at all for a success.
    pub fn passed(&self) -> bool {
        self.summary.status == TestStatus::Pass && self.summary.passed > 0 && self.left.is_empty()
    }
}

/// What was said so far.
#[derive(Debug, Default)]
pub(crate) struct Tests {
    runs: Vec<TestRun>,
    summary: Option<TestSummary>,
    left: Vec<TestLeftover>,
    /// Whether somebody interrupted it, be it us or not.
    pub(crate) interrupted: bool,
}

impl Tests {
    pub(crate) fn add(&mut self, event: &Event) {
        match event {
            Event::TestRun(run) if run.progress == TestProgress::Complete => {
                self.runs.push(run.clone());
            }
            Event::TestSummary(summary) => self.summary = Some(summary.clone()),
            Event::TestCleanup(cleanup) => self.left.extend_from_slice(&cleanup.left),
            Event::TestInterrupt { .. } => self.interrupted = true,
            // The only trace in the stream of one that ends with 0.
            Event::Log { message, .. } if message.contains("Interrupt received") => {
                self.interrupted = true;
            }
            _ => {}
        }
    }

    /// Returns how they came out; `None` where they never began.
    pub(crate) fn done(self, diagnostics: Vec<Diagnostic>) -> Option<TestDone> {
        Some(TestDone { runs: self.runs, summary: self.summary?, diagnostics, left: self.left })
    }
}
