//! The stand-in's own clock: at any pace, or moved only by tests.

use std::time::{Duration, Instant, SystemTime};

use jiff::{SignedDuration, Timestamp};

/// The pace of the clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TimeScale {
    /// Seconds on the clock for each second of real time.
    Live(f64),
    /// A clock that moves only by `ControlFile::Advance`.
    ByHand,
}

/// The clock.
#[derive(Debug)]
pub(super) struct Time {
    pace: TimeScale,
    began: Timestamp,
    machine: Instant,
    added: Duration,
}

impl Time {
    pub(super) fn new(pace: TimeScale, began: Timestamp) -> Self {
        Self { pace, began, machine: Instant::now(), added: Duration::ZERO }
    }

    /// Returns the time since the start.
    pub(super) fn now(&self) -> Duration {
        let live = match self.pace {
            TimeScale::Live(scale) => self.machine.elapsed().mul_f64(scale.clamp(0.0, 1e6)),
            TimeScale::ByHand => Duration::ZERO,
        };
        live + self.added
    }

    pub(super) fn advance(&mut self, span: Duration) {
        self.added += span;
    }

    /// Returns a timestamp in GitLab's format.
    pub(super) fn stamp(&self, at: Duration) -> String {
        let at = SignedDuration::try_from(at).ok().and_then(|span| self.began.checked_add(span).ok());
        at.unwrap_or(Timestamp::MAX).strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
    }

    /// Returns the wall clock time.
    pub(super) fn wall(&self, at: Duration) -> SystemTime {
        SystemTime::from(self.began) + at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manual_time_moves_only_by_advance() {
        let mut time = Time::new(TimeScale::ByHand, Timestamp::UNIX_EPOCH);
        assert_eq!(time.now(), Duration::ZERO);
        time.advance(Duration::from_millis(61_250));
        assert_eq!(time.stamp(time.now()), "1970-01-01T00:01:01.250Z");
        assert_eq!(time.wall(time.now()), SystemTime::UNIX_EPOCH + Duration::from_millis(61_250));
    }
}
