//! Signals of the user and the system, for what must not simply die.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use menagerie_terraform::Cancel;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

use crate::exit;
use crate::progress::Voice;

/// Returns a flag that the first signal that asks to stop sets; the second ends the process.
pub(crate) fn flag() -> io::Result<Arc<AtomicBool>> {
    let is_interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        // Called in the order of registration: at the first signal this one finds the flag not set.
        let code = i32::from(exit::INTERRUPTED);
        flag::register_conditional_shutdown(signal, code, Arc::clone(&is_interrupted))?;
        flag::register(signal, Arc::clone(&is_interrupted))?;
    }
    Ok(is_interrupted)
}

/// Turns each signal that asks to stop into one count of `cancel`, until the process ends.
///
/// Terraform runs in a process group of its own, so the terminal's signal reaches it through `cancel` only.
pub(crate) fn listen(cancel: Cancel, voice: Voice) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    thread::spawn(move || {
        for _ in signals.forever() {
            if cancel.count() == 0 {
                voice.say("stopping once what runs now can be left safely; press Ctrl-C again to stop at once");
            }
            cancel.interrupt();
        }
    });
    Ok(())
}

/// Whether the user or the system has asked to stop, for what goes on until then.
pub(crate) struct Asked(Arc<AtomicBool>);

impl Asked {
    /// Takes note of the first signal from here on, which no longer ends the process.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self(flag()?))
    }

    pub(crate) fn to_stop(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
