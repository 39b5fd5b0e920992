//! Work on many items, shared among the processors of this machine. The work is up to the caller; nothing
//! here waits for other processes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Maximum number of threads: more do not help with files on one disk.
const MOST: usize = 8;

/// Applies a function to each item and returns the results in the order of the items. Starts a thread for
/// at least `least` items, since a thread costs more than it saves on fewer. Threads take that many items
/// at a time, so that all end together even if another process keeps a processor busy.
pub fn map<T: Send, R: Send>(items: Vec<T>, least: usize, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let least = least.max(1);
    if items.len() < least * 2 {
        return items.into_iter().map(work).collect();
    }
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(MOST);
    let count = items.len();
    let mut items = items.into_iter();
    let portions: Vec<Mutex<Vec<T>>> =
        (0..count.div_ceil(least)).map(|_| Mutex::new(items.by_ref().take(least).collect())).collect();
    let next = AtomicUsize::new(0);
    // Processes one portion after another until none is left.
    let take = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(portion) = portions.get(at) else { return done };
            let items = std::mem::take(&mut *portion.lock().unwrap_or_else(PoisonError::into_inner));
            done.push((at, items.into_iter().map(&work).collect::<Vec<R>>()));
        }
    };
    let mut done = std::thread::scope(|scope| {
        let workers: Vec<_> = (1..processors.min(portions.len())).map(|_| scope.spawn(take)).collect();
        let mut done = take();
        for worker in workers {
            match worker.join() {
                Ok(more) => done.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    let mut results = Vec::with_capacity(count);
    done.into_iter().for_each(|(_, portion)| results.extend(portion));
    results
}

#[cfg(test)]
mod tests {
    #[test]
    fn map_keeps_item_order() {
        for count in [0, 1, 7, 8, 1000] {
            let results = super::map((0..count).collect(), 4, |item: u32| item * 2);
            assert_eq!(results, (0..count).map(|item| item * 2).collect::<Vec<_>>());
        }
    }
}
