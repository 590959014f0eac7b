//! Judging as its users do it.

mod input;
