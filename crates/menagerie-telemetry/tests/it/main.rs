//! Tests of the crate as its users see it.

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without fails it")]

mod simulated;
