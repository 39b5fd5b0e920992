//! Lines about tasks: their ends, and what a long one waits for where no line can be redrawn. Lines that are redrawn
//! are in `progress`.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::reminders::Reminders;
use super::{UiState, Verbosity, style};
use crate::base::text;
use crate::model::event::TaskOutcome;
use crate::model::port::PublishedPort;

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
        self.reminders().forget(subject);
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

    /// Prints the end of work on a subject. A detail that does not fit continues on the next line.
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
