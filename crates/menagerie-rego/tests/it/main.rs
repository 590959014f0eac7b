//! Open Policy Agent itself against this crate, and against native rules: the same findings, or a difference that
//! `docs/compliance/rego.md` lists.
//!
//! `tests/opa.py install` gets OPA. `MENAGERIE_SEEDS=1000` makes more policies and plans than there usually are.
#![expect(clippy::disallowed_methods, reason = "a test starts OPA, and is its own edge")]
#![expect(clippy::print_stderr, reason = "what was compared is told with `--nocapture`")]

mod calls;
mod conditions;
mod dice;
mod differences;
mod engines;
mod generated;
mod native;
mod opa;
mod pack;
mod packs;
mod pairs;
mod plans;
mod policies;

/// Returns how many seeds there are: `few`, unless somebody wants more.
fn seeds(few: u64) -> std::ops::Range<u64> {
    let more = std::env::var("MENAGERIE_SEEDS").ok();
    let count = more.map_or(few, |text| text.parse().expect("MENAGERIE_SEEDS is a number"));
    assert_ne!(count, 0, "`MENAGERIE_SEEDS` is a number of cases, so at least 1");
    0..count
}
