//! A clock with short pauses between tries of a request, for commands that only look at a server.

use std::time::{Duration, SystemTime};

use crate::base::clock::{Clock, Sleep, SystemClock};

/// Maximum pause between two tries.
const SHORT: Duration = Duration::from_millis(50);

/// Clock of this machine, with short pauses.
#[derive(Debug)]
pub struct BriskClock {
    clock: SystemClock,
    /// Longer pauses than this are those that a server asks for.
    longest: Duration,
}

impl BriskClock {
    /// Creates a clock for work with a timeout: a pause that is longer is kept, so that the work times out.
    #[must_use]
    pub fn new(timeout: Duration) -> Self {
        Self { clock: SystemClock::new(), longest: timeout }
    }
}

impl Clock for BriskClock {
    fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    fn wall(&self) -> SystemTime {
        self.clock.wall()
    }

    fn sleep(&self, span: Duration) -> Sleep<'_> {
        self.clock.sleep(if span > self.longest { span } else { span.min(SHORT) })
    }
}
