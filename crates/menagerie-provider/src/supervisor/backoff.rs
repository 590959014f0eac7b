//! Pauses between restarts of what keeps ending.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

/// After this long in health an end is a new accident, not the old one again.
const FORGIVEN: Duration = Duration::from_secs(10);

/// Doubles from 100 ms to 5 s.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { next: FIRST }
    }
}

impl Backoff {
    /// Returns the pause after a program ended that had been healthy for a while.
    pub(super) fn pause(&mut self, healthy: Duration) -> Duration {
        if healthy >= FORGIVEN {
            self.next = FIRST;
        }
        let pause = self.next;
        self.next = (pause * 2).min(LONGEST);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit_and_health_resets_them() {
        let mut backoff = Backoff::default();
        let pauses: Vec<_> = (0..8).map(|_| backoff.pause(Duration::ZERO).as_millis()).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(backoff.pause(FORGIVEN), FIRST);
    }
}
