//! The same work for each of many items, on as many threads as the machine runs at once.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Files are what the work waits for, and more threads than this wait for the same disk.
const MOST: usize = 8;

/// How many items a thread takes at a time, at most: many enough that nobody waits for the counter.
const BLOCK: usize = 32;

/// Returns what the work makes of each item, in the order of the items.
pub(crate) fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(MOST);
    map_on(threads, items, work)
}

fn map_on<T: Sync, R: Send>(threads: usize, items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    if threads < 2 || items.len() < 2 {
        return items.iter().map(work).collect();
    }
    // Few enough for each thread that all end together.
    let block = (items.len() / (8 * threads)).clamp(1, BLOCK);
    let next = AtomicUsize::new(0);
    let run = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(items) = items.chunks(block).nth(index) else { return done };
            done.push((index, items.iter().map(&work).collect::<Vec<R>>()));
        }
    };
    let mut blocks = thread::scope(|scope| {
        let others: Vec<_> = (1..threads.min(items.len())).map(|_| scope.spawn(run)).collect();
        let mut blocks = run();
        for other in others {
            match other.join() {
                Ok(done) => blocks.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        blocks
    });
    blocks.sort_unstable_by_key(|(index, _)| *index);
    blocks.into_iter().flat_map(|(_, done)| done).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_item_once_and_in_order() {
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 10 * BLOCK + 7] {
            let items: Vec<usize> = (0..length).collect();
            for threads in [0, 1, 2, 5] {
                let expected: Vec<usize> = items.iter().map(|item| item * 2).collect();
                assert_eq!(map_on(threads, &items, |item| item * 2), expected);
            }
            assert_eq!(map(&items, |item| *item), items);
        }
    }
}
