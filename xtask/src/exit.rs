//! Exit codes, as `docs/exit-codes.md` promises them.

use menagerie_lifecycle::Kind;

/// It is done.
pub(crate) const DONE: u8 = 0;
/// It did not work, and the error says why.
pub(crate) const FAILED: u8 = 1;
/// The command line is wrong; clap's own code.
pub(crate) const USAGE: u8 = 2;
/// Nothing was judged by any rule.
pub(crate) const NOTHING_EVALUATED: u8 = 4;
/// A file of the project is wrong.
pub(crate) const INVALID: u8 = 5;
/// There is no such environment.
pub(crate) const NOT_FOUND: u8 = 6;
/// It was not done because it should not be: not confirmed, or not what was shown.
pub(crate) const REFUSED: u8 = 7;
/// Another run holds the environment.
pub(crate) const LOCKED: u8 = 8;
/// There is no Terraform that can be used.
pub(crate) const NO_TERRAFORM: u8 = 9;
/// A destroy left something behind.
pub(crate) const INCOMPLETE: u8 = 10;
/// A test of an environment failed.
pub(crate) const TEST_FAILED: u8 = 11;
/// B is slower than A, and that was to be a failure.
pub(crate) const SLOWER: u8 = 12;
/// Whether B is slower than A can't be told, and that was to be a failure.
pub(crate) const UNCLEAR: u8 = 13;
/// It was interrupted; what a shell gives a program that SIGINT ended.
pub(crate) const INTERRUPTED: u8 = 130;

/// Returns the code of a kind of failure.
pub(crate) fn of(kind: Kind) -> u8 {
    match kind {
        Kind::Failed => FAILED,
        Kind::Invalid => INVALID,
        Kind::NotFound => NOT_FOUND,
        Kind::Refused => REFUSED,
        Kind::Locked => LOCKED,
        Kind::NoTerraform => NO_TERRAFORM,
        Kind::Incomplete => INCOMPLETE,
        Kind::Interrupted => INTERRUPTED,
    }
}
