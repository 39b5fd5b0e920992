//! Lines about tasks: their ends, and what a long one waits for where no line can be redrawn. Lines that are redrawn
//! are in `progress`.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::{UiState, Verbosity, style};
use crate::base::text;
use crate::model::event::TaskOutcome;
use crate::model::port::PublishedPort;

/// Time between two lines about the same task.
const REMINDER: Duration = Duration::from_secs(15);

/// Tasks under way, where no line can be redrawn: the start of each, and the last line about it.
#[derive(Debug, Default)]
pub(super) struct Reminders(BTreeMap<String, (Instant, Instant)>);

impl Reminders {
    fn begin(&mut self, subject: &str, now: Instant) {
        self.0.insert(subject.to_owned(), (now, now));
    }

    /// Returns the running time of a task if a line about it is due.
    fn due(&mut self, subject: &str, now: Instant) -> Option<Duration> {
        let (began, last) = self.0.get_mut(subject)?;
        if now.duration_since(*last) < REMINDER {
            return None;
        }
        *last = now;
        Some(now.duration_since(*began))
    }
}

impl UiState {
    pub(super) fn started(&self, subject: &str, doing: &str) {
        self.progress.start(subject, doing);
        if !self.progress.draws() {
            self.reminders().begin(subject, Instant::now());
        }
    }

    /// Shows the current step of a task.
    pub(super) fn detail(&self, subject: &str, text: &str) {
        let text = text::safe_line(text);
        self.progress.detail(subject, &text);
        if self.progress.draws() || self.options.verbosity == Verbosity::Quiet {
            return;
        }
        let due = self.reminders().due(subject, Instant::now());
        if let Some(took) = due {
            let subject = style::name(&format!("{:<11}", text::safe_line(subject)));
            self.message(&format!("  {subject}  {} · {text}", text::duration(took)));
        }
    }

    pub(super) fn forget(&self, subject: &str) {
        self.progress.finish(subject);
        self.reminders().0.remove(subject);
    }

    /// Prints the directory and the state of sources.
    pub(super) fn source(&self, subject: &str, path: &str, state: &str) {
        self.finished(subject, TaskOutcome::Done, &format!("{path}  {state}"), Duration::ZERO);
    }

    /// Prints that a subject runs, with its addresses.
    pub(super) fn ready(&self, subject: &str, state: String, ports: &[PublishedPort], took: Duration) {
        let addresses = ports.iter().map(PublishedPort::address);
        let detail = std::iter::once(state).chain(addresses).collect::<Vec<_>>().join("  ");
        self.finished(subject, TaskOutcome::Done, &detail, took);
    }

    /// Prints the end of work on a subject. A detail that does not fit goes on below itself.
    pub(super) fn finished(&self, subject: &str, state: TaskOutcome, detail: &str, took: Duration) {
        self.forget(subject);
        if self.options.verbosity == Verbosity::Quiet && state != TaskOutcome::Failed {
            return;
        }
        let time = if took.as_millis() >= 950 { text::duration(took) } else { String::new() };
        let subject = text::safe_line(subject);
        let detail = text::safe_line(detail);
        let padded = format!("{subject:<11}");
        let painted = match state {
            TaskOutcome::Done | TaskOutcome::Unchanged => style::name(&padded),
            TaskOutcome::Skipped => style::warn(&padded),
            TaskOutcome::Failed => style::bad(&padded),
        };
        let room = self.terminal.columns.filter(|_| self.terminal.stderr);
        let indent = 2 + text::width(&padded) + 2;
        let used = indent + if time.is_empty() { 0 } else { text::width(&time) + 2 };
        let mut lines = match room {
            Some(room) if text::width(&detail) > room.saturating_sub(used) => {
                text::wrap(&detail, room.saturating_sub(used).max(20))
            }
            _ => vec![detail.into_owned()],
        }
        .into_iter();
        let first = lines.next().unwrap_or_default();
        let column = room.map_or(0, |room| room.min(100));
        let gap = column.saturating_sub(used + text::width(&first)) + 2;
        let time = if time.is_empty() { time } else { format!("{}{}", " ".repeat(gap), style::dim(&time)) };
        self.message(&format!("  {painted}  {first}{time}"));
        for line in lines {
            self.message(&format!("{}{line}", " ".repeat(indent)));
        }
    }

    fn reminders(&self) -> std::sync::MutexGuard<'_, Reminders> {
        self.reminders.lock().unwrap_or_else(PoisonError::into_inner)
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
