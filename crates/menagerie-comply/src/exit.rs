//! Exit codes: those of xtask, as `docs/exit-codes.md` promises them.

/// It is done.
pub(crate) const DONE: u8 = 0;
/// Something was found at or above the threshold, or it did not work, and the error says why.
pub(crate) const FAILED: u8 = 1;
/// The command line is wrong; clap's own code.
pub(crate) const USAGE: u8 = 2;
/// A rule, a waiver or another file of a policy is wrong.
pub(crate) const POLICY: u8 = 3;
/// Nothing was judged by any rule.
pub(crate) const NOTHING_EVALUATED: u8 = 4;
/// It was not done because it should not be.
pub(crate) const REFUSED: u8 = 7;
