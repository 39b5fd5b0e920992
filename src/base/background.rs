//! Optional work on other threads, which is complete when its owner ends. Work on the parts of
//! a whole is in [`super::share`].

use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

/// Threads that end before their owner.
#[derive(Debug, Default)]
pub struct BackgroundWork(Mutex<Vec<JoinHandle<()>>>);

impl BackgroundWork {
    /// Runs a function on another thread. Without a thread it is left out, so it does nothing that must be done.
    pub fn run(&self, work: impl FnOnce() + Send + 'static) {
        if let Ok(thread) = std::thread::Builder::new().spawn(work) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        }
    }
}

impl Drop for BackgroundWork {
    fn drop(&mut self) {
        let threads = std::mem::take(self.0.get_mut().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // A panic of a thread was reported by the thread.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn background_work_is_complete_when_its_owner_ends() {
        let done = Arc::new(AtomicUsize::new(0));
        let background = BackgroundWork::default();
        for _ in 0..3 {
            let done = Arc::clone(&done);
            background.run(move || {
                done.fetch_add(1, Ordering::SeqCst);
            });
        }
        background.run(|| panic!("the others are joined all the same"));
        drop(background);
        assert_eq!(done.load(Ordering::SeqCst), 3);
    }
}
