//! The pace of following: the pause between two polls, and the time that counts against a limit. Pure rules; waiting is
//! in `ops`.

use std::time::Duration;

/// The shortest pause, as a part of the longest one.
const SHORTEST: u32 = 5;
/// A pause that took this much longer than asked for: the machine was asleep.
const GAP: Duration = Duration::from_secs(30);
/// No poll takes this long, whatever the servers do: the machine was asleep.
const LONGEST_POLL: Duration = Duration::from_secs(3600);

/// Adapts the pause between two polls: short at first and after each change, longer while nothing changes.
#[derive(Debug, Clone)]
pub struct PollPace {
    longest: Duration,
    next: Duration,
}

impl PollPace {
    /// Creates a pace whose pauses are at most `longest`.
    #[must_use]
    pub fn new(longest: Duration) -> Self {
        Self { longest, next: longest / SHORTEST }
    }

    /// Returns the next pause, after a poll that has seen a change or not.
    pub fn pause(&mut self, changed: bool) -> Duration {
        if changed {
            self.next = self.longest / SHORTEST;
        }
        let pause = self.next;
        self.next = self.next.mul_f64(1.5).min(self.longest);
        pause
    }
}

/// Time that counts against limits: without the sleep of the machine, during which nothing could be seen.
#[derive(Debug, Clone, Default)]
pub struct AwakeTime {
    asleep: Duration,
}

impl AwakeTime {
    /// Notes a pause and how long it really took; returns the time asleep if the machine was.
    pub fn note_pause(&mut self, pause: Duration, took: Duration) -> Option<Duration> {
        self.note(took.saturating_sub(pause), GAP)
    }

    /// Notes how long a poll took, which also waits for retries; returns the time asleep if the machine was.
    pub fn note_poll(&mut self, took: Duration) -> Option<Duration> {
        self.note(took, LONGEST_POLL)
    }

    fn note(&mut self, excess: Duration, limit: Duration) -> Option<Duration> {
        if excess < limit {
            return None;
        }
        self.asleep += excess;
        Some(excess)
    }

    /// Returns a time of the clock without the sleep of the machine.
    #[must_use]
    pub fn of(&self, elapsed: Duration) -> Duration {
        elapsed.saturating_sub(self.asleep)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_while_nothing_changes() {
        let mut pace = PollPace::new(Duration::from_secs(5));
        let pauses: Vec<u128> = (0..6).map(|_| pace.pause(false).as_millis()).collect();
        assert_eq!(pauses, [1000, 1500, 2250, 3375, 5000, 5000]);
        assert_eq!(pace.pause(true), Duration::from_secs(1));
        assert_eq!(pace.pause(false), Duration::from_millis(1500));
    }

    #[test]
    fn sleep_of_the_machine_does_not_count() {
        let seconds = Duration::from_secs;
        let mut awake = AwakeTime::default();
        assert_eq!(awake.note_pause(seconds(5), seconds(6)), None);
        assert_eq!(awake.note_pause(seconds(5), seconds(3605)), Some(seconds(3600)));
        assert_eq!(awake.of(seconds(3700)), seconds(100));
        assert_eq!(
            (awake.note_poll(seconds(900)), awake.note_poll(seconds(7200))),
            (None, Some(seconds(7200)))
        );
        assert_eq!(awake.of(seconds(11_000)), seconds(200));
    }
}
