//! Tests of the repository as a whole; what one crate can test alone is tested there.

#![expect(
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test says on standard error what it skips, and what it cannot go on without fails it"
)]

mod bench;
mod campaign;
mod comply;
mod follow;
mod foreign;
mod hosting;
mod import;
mod input;
mod interrupts;
mod life;
mod measuring;
mod playground;
mod processes;
mod rehearsal;
mod repair;
mod repository;
mod rescue;
mod tags;
mod templates;
mod testing;
mod tf;
