//! The real program over real HTTP, with real databases.

#![expect(
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test says on standard error what it skips, and what it cannot go on without fails it"
)]

mod entries;
mod guestbook;
mod operations;
mod postgres;
mod start;
mod traces;
