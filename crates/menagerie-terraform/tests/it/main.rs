//! The runner against the real Terraform, and in a few cases against a script that plays it.

#![expect(clippy::unwrap_used, reason = "a test fails by it, also in what its tests share")]
#![expect(clippy::print_stdout, reason = "a test that is skipped says why")]

mod aws;
mod commands;
mod configuration;
mod disk;
mod endings;
mod fake;
mod initialise;
mod interrupt;
mod mirror;
mod outlive;
mod parallel;
mod postgres;
mod providers;
mod rescue;
mod retry;
mod state;
mod support;
mod workspace;
