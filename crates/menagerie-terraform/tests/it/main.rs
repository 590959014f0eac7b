//! The runner against the real Terraform, and in a few cases against a script that plays it.

mod commands;
mod disk;
mod endings;
mod fake;
mod initialise;
mod interrupt;
mod outlive;
mod support;
