//! Time as something that is given, so that waiting can be tested without waiting. Showing a span
//! of time is `base::text`; the time stamped on output is the host's.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant, SystemTime};

/// A pause that ends by itself; dropping it ends it at once.
pub type Pause<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Where time comes from, and how to wait for it.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The time since some moment in the past. It never goes back.
    fn elapsed(&self) -> Duration;

    /// The time of day, to compare with dates that others write.
    fn wall(&self) -> SystemTime;

    /// Waits.
    fn sleep(&self, span: Duration) -> Pause<'_>;
}

/// The machine's clock. Its pauses need the runtime.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock(Instant);

impl SystemClock {
    /// Begins to count now.
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

    fn sleep(&self, span: Duration) -> Pause<'_> {
        // The real thing: who waits says why, and tests have a clock that does not.
        Box::pin(tokio::time::sleep(span))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_goes_on() {
        let clock = SystemClock::new();
        let before = clock.elapsed();
        clock.sleep(Duration::from_millis(1)).await;
        assert!(clock.elapsed() >= before + Duration::from_millis(1));
    }
}
