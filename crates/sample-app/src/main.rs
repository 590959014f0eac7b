//! Menagerie.
fn main() {}
