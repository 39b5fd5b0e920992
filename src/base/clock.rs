//! Time as a dependency, so that tests of waiting do not have to wait. Formatting a duration is in
//! `base::text`; the timestamps of output are the host's.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant, SystemTime};

/// A pause that ends without being stopped; dropping it ends it immediately.
pub type Sleep<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Source of time and pauses.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Returns the time since an arbitrary moment in the past. It never decreases.
    fn elapsed(&self) -> Duration;

    /// Returns the time of day, for comparison with dates from outside.
    fn wall(&self) -> SystemTime;

    /// Waits for a duration.
    fn sleep(&self, span: Duration) -> Sleep<'_>;
}

/// The machine's clock. Its pauses need the tokio runtime.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock(Instant);

impl SystemClock {
    /// Creates a clock that starts at 0 now.
    #[must_use]
    pub fn new() -> Self {
        Self(Instant::now())
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, span: Duration) -> Sleep<'_> {
        // The only real sleep: callers state their reason, and tests have a clock without one.
        Box::pin(tokio::time::sleep(span))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn system_clock_advances_while_sleeping() {
        let clock = SystemClock::new();
        let before = clock.elapsed();
        clock.sleep(Duration::from_millis(1)).await;
        assert!(clock.elapsed() >= before + Duration::from_millis(1));
    }
}
