//! Ctrl-C: what runs is ended and removed, and nothing new is measured.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

static ASKED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Notes from here on that somebody asks to stop. What was started hears of Ctrl-C itself, and fails.
pub(crate) fn listen() -> io::Result<()> {
    [SIGHUP, SIGINT, SIGTERM]
        .into_iter()
        .try_for_each(|signal| flag::register(signal, Arc::clone(&ASKED)).map(drop))
}

/// Returns whether somebody asked to stop.
pub(crate) fn is_asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}
