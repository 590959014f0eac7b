//! [`Cancel`]: how often the user asked to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts how often the user asked to stop; clones share the count.
///
/// The program's signal handler or a thread of it calls [`Cancel::interrupt`]; the runner looks every few milliseconds. A command
/// that is to run after the user asked is not started at all.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicUsize>);

impl Cancel {
    /// Asks to stop, or insists on it.
    pub fn interrupt(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    /// Returns how often it was asked.
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl From<Arc<AtomicUsize>> for Cancel {
    /// Uses a count that somebody else keeps, such as a signal handler that may do nothing but count.
    fn from(count: Arc<AtomicUsize>) -> Self {
        Self(count)
    }
}
