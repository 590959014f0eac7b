//! Zones: as if a machine had two, so that the loss of one can be rehearsed.

use serde::{Deserialize, Serialize};

/// Where a replica belongs.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Zone {
    A,
    B,
}

impl Zone {
    /// Returns the zone of a replica: they alternate, so that two replicas are in two zones.
    pub(crate) fn of(index: u32) -> Self {
        if index.is_multiple_of(2) { Self::A } else { Self::B }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
        }
    }
}
