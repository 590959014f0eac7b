//! The provider against the real `terraform`, with real replicas and real databases.
//!
//! Each test has its own directory, and ends what it started by its record. Linux tells more about
//! processes than macOS does: what is read from `/proc` is checked only where there is one.
#![expect(
    clippy::disallowed_methods,
    reason = "tests start terraform and the provider, and read what is required"
)]

#[cfg(test)]
mod backup;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod interrupt;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod rehearsal;
#[cfg(test)]
mod telemetry;
#[cfg(test)]
mod truth;
#[cfg(test)]
mod update;
#[cfg(test)]
mod zones;
