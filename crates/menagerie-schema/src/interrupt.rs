//! Ctrl-C: Terraform runs in a process group of its own, and hears of it only by what is counted here.

use std::io;
use std::thread;

use menagerie_terraform::Cancel;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Returns what counts the signals that ask to stop, from here on.
pub(crate) fn listen() -> io::Result<Cancel> {
    let (cancel, mut signals) = (Cancel::default(), Signals::new([SIGINT, SIGTERM, SIGHUP])?);
    let counting = cancel.clone();
    thread::spawn(move || signals.forever().for_each(|_| counting.interrupt()));
    Ok(cancel)
}
