//! What kind of failure an error is, and the way out of it: what a front end needs to choose an exit code and a hint.

/// Sorts failures by what the caller can do about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It did not work, and the error says why.
    Failed,
    /// A file of the project is wrong.
    Invalid,
    /// There is no such environment.
    NotFound,
    /// It was not done because it should not be.
    Refused,
    /// Another run holds the environment.
    Locked,
    /// There is no Terraform that can be used.
    NoTerraform,
    /// A destroy left something behind.
    Incomplete,
    /// It was interrupted.
    Interrupted,
}

/// Explains an error beyond its text.
pub trait Explain: std::error::Error {
    /// Returns what kind of failure it is.
    fn kind(&self) -> Kind;

    /// Returns the way out, where one is known.
    fn hint(&self) -> Option<String>;
}
