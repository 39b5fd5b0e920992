//! Work on many items, shared among the processors of this machine. What the work is, the caller
//! says; nothing here waits for anything outside of the process.

/// More threads than this do not help with files on one disk.
const MOST: usize = 8;

/// Does the same work with each item and gives the results in the order of the items. A thread is
/// started for at least `least` items, since it costs more than little work saves.
pub fn map<T: Send, R: Send>(items: Vec<T>, least: usize, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    if items.len() < least.max(1) * 2 {
        return items.into_iter().map(work).collect();
    }
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(MOST);
    let shares = (items.len() / least.max(1)).clamp(1, processors);
    let size = items.len().div_ceil(shares);
    let work = &work;
    let mut items = items.into_iter();
    let first: Vec<T> = items.by_ref().take(size).collect();
    std::thread::scope(|scope| {
        let mut workers = Vec::new();
        while items.len() > 0 {
            let share: Vec<T> = items.by_ref().take(size).collect();
            workers.push(scope.spawn(move || share.into_iter().map(work).collect::<Vec<R>>()));
        }
        let mut results: Vec<R> = first.into_iter().map(work).collect();
        for worker in workers {
            match worker.join() {
                Ok(share) => results.extend(share),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        results
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn results_keep_the_order_of_the_items() {
        for count in [0, 1, 7, 8, 1000] {
            let results = super::map((0..count).collect(), 4, |item: u32| item * 2);
            assert_eq!(results, (0..count).map(|item| item * 2).collect::<Vec<_>>());
        }
    }
}
