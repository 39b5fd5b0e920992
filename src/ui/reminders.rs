//! The moments at which a line about a long task is due, where no line can be redrawn. The lines are in `tasks`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Time between two lines about the same task.
const REMINDER: Duration = Duration::from_secs(15);

/// Tasks under way, where no line can be redrawn: the start of each, and the last line about it.
#[derive(Debug, Default)]
pub(super) struct Reminders(BTreeMap<String, (Instant, Instant)>);

impl Reminders {
    pub(super) fn forget(&mut self, subject: &str) {
        self.0.remove(subject);
    }

    pub(super) fn begin(&mut self, subject: &str, now: Instant) {
        self.0.insert(subject.to_owned(), (now, now));
    }

    /// Returns the running time of a task if a line about it is due.
    pub(super) fn due(&mut self, subject: &str, now: Instant) -> Option<Duration> {
        let (began, last) = self.0.get_mut(subject)?;
        if now.duration_since(*last) < REMINDER {
            return None;
        }
        *last = now;
        Some(now.duration_since(*began))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reminders_are_due_at_intervals_from_the_start() {
        let (mut reminders, began) = (Reminders::default(), Instant::now());
        let after = |seconds: u64| began + Duration::from_secs(seconds);
        assert_eq!(reminders.due("web", after(99)), None, "not under way");
        reminders.begin("web", began);
        let due: Vec<u64> =
            (1..50).filter(|seconds| reminders.due("web", after(*seconds)).is_some()).collect();
        assert_eq!(due, [15, 30, 45]);
    }
}
