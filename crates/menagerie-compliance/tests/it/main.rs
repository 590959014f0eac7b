//! Judging as its users do it.

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without fails it")]

mod faults;
mod input;
mod schema;
