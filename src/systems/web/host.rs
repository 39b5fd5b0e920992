//! One web server while its pages are asked for: few pages at a time, none during a pause that it asked for, and none
//! at all once it turned out that it does not answer.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use super::page_state::PageState;
use crate::base::clock::Clock;

/// Maximum number of pages at a time.
const PARALLEL: usize = 4;

/// Number of pages that a server refuses because of too many requests until it is asked for no more.
const LIMITED: usize = 3;

/// State of a server.
#[derive(Debug)]
pub(super) struct WebHost {
    turns: Semaphore,
    /// Time of the clock before which no request is sent.
    not_before: Mutex<Duration>,
    /// Number of pages that were refused because of too many requests.
    limited: AtomicUsize,
    /// State of all pages that are not asked for any more.
    closed: OnceLock<PageState>,
}

impl Default for WebHost {
    fn default() -> Self {
        Self {
            turns: Semaphore::new(PARALLEL),
            not_before: Mutex::default(),
            limited: AtomicUsize::new(0),
            closed: OnceLock::new(),
        }
    }
}

impl WebHost {
    /// Waits for the turn of a page, which ends when it is dropped.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // Nobody closes the semaphore.
        self.turns.acquire().await.ok()
    }

    /// Waits until a request may be sent.
    ///
    /// # Errors
    /// Returns the state of the page if no request is to be sent any more.
    pub(super) async fn ready(&self, clock: &dyn Clock) -> Result<(), PageState> {
        loop {
            if let Some(state) = self.closed.get() {
                return Err(state.clone());
            }
            match self.not_before().saturating_sub(clock.elapsed()) {
                Duration::ZERO => return Ok(()),
                left => clock.sleep(left).await,
            }
        }
    }

    /// Sends no request before a pause is over.
    pub(super) fn pause(&self, clock: &dyn Clock, pause: Duration) {
        let until = clock.elapsed() + pause;
        let mut not_before = self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
        *not_before = (*not_before).max(until);
    }

    /// Sends no request any more: all further pages are in this state. Returns the state.
    pub(super) fn close(&self, state: PageState) -> PageState {
        // Requests that ran at the same time may have closed it already.
        let _ = self.closed.set(state.clone());
        state
    }

    /// Records a page that was refused because of too many requests. After some of these, or `at_once`, no request is
    /// sent any more. Returns the state of the page.
    pub(super) fn limit(&self, at_once: bool) -> PageState {
        let before = self.limited.fetch_add(1, Ordering::Relaxed);
        match at_once || before + 1 >= LIMITED {
            true => self.close(PageState::RateLimited),
            false => PageState::RateLimited,
        }
    }

    fn not_before(&self) -> Duration {
        *self.not_before.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
