//! [`Floor`]: whoever has it may speak; it is given in the order in which it was asked for.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A lock that is given in the order in which it was asked for.
///
/// A plain mutex goes to whoever is quickest, which is the one that had it last.
#[derive(Debug)]
pub(crate) struct Floor<'a, O> {
    turns: Mutex<Turns>,
    next: Condvar,
    observer: Mutex<&'a mut O>,
}

/// As at a counter: who comes takes a number, and waits until it is shown.
#[derive(Debug, Default)]
struct Turns {
    taken: u64,
    shown: u64,
}

impl<'a, O> Floor<'a, O> {
    pub(crate) fn new(observer: &'a mut O) -> Self {
        Self { turns: Mutex::default(), next: Condvar::new(), observer: Mutex::new(observer) }
    }

    pub(crate) fn take<R>(&self, speak: impl FnOnce(&mut O) -> R) -> R {
        let mut turns = lock(&self.turns);
        let number = turns.taken;
        turns.taken += 1;
        while turns.shown != number {
            turns = self.next.wait(turns).unwrap_or_else(PoisonError::into_inner);
        }
        drop(turns);
        // Also when `speak` panics.
        let _turn = Turn(self);
        speak(&mut lock(&self.observer))
    }
}

struct Turn<'f, 'a, O>(&'f Floor<'a, O>);

impl<O> Drop for Turn<'_, '_, O> {
    fn drop(&mut self) {
        lock(&self.0.turns).shown += 1;
        self.0.next.notify_all();
    }
}

/// A panic of a speaker is told as the end of its job, and is nothing that the next one has to mind.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn it_is_given_in_the_order_in_which_it_was_asked_for() {
        let mut heard = Vec::new();
        let floor = Floor::new(&mut heard);
        let asked = |count| {
            while lock(&floor.turns).taken < count {
                thread::yield_now();
            }
        };
        thread::scope(|scope| {
            floor.take(|heard| {
                heard.push(0);
                for speaker in 1..=4 {
                    let floor = &floor;
                    scope.spawn(move || floor.take(|heard| heard.push(speaker)));
                    asked(speaker + 1);
                }
            });
            // It has spoken, and now waits behind all of them.
            floor.take(|heard| heard.push(0));
        });
        assert_eq!(heard, [0, 1, 2, 3, 4, 0]);
    }
}
