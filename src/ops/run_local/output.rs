//! What a component writes, on its way to the person: masked, sent on as it is, and cut into lines
//! of bounded length to look for the one that says it is ready.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::base::redact::{RedactStream, Redactor};
use crate::base::text::{LineCutter, line_text};
use crate::model::event::{Events, Stream};
use crate::ops::relay::Batch;

/// Lines are cut here.
const LONGEST_LINE: usize = 64 << 10;
/// So many last lines are kept, to be shown when something fails.
const KEPT: usize = 12;

/// Takes the output of one unit.
pub(super) struct Pump {
    subject: Arc<str>,
    batch: Batch,
    shown: bool,
    stdout: Lane,
    stderr: Lane,
    tail: Tail,
    /// The text to look for, and whether it was seen.
    wanted: Option<(String, watch::Sender<bool>)>,
    log: Option<Log>,
    /// Whole lines that the log has not been given.
    unlogged: Vec<u8>,
}

struct Lane {
    redact: RedactStream,
    lines: LineCutter,
}

/// Takes whole lines.
type Log = Box<dyn Fn(&[u8]) + Send>;

/// The last lines of a unit.
#[derive(Debug, Clone, Default)]
pub(super) struct Tail(Arc<Mutex<VecDeque<String>>>);

impl Tail {
    /// The lines, oldest first.
    pub(super) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn push(&self, line: &str) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(line.chars().take(400).collect());
    }
}

impl Pump {
    /// For a unit. What is not `shown` is only kept for the case of a failure.
    pub(super) fn new(subject: &str, redactor: &Redactor, events: &Events, shown: bool) -> Self {
        let lane = || Lane { redact: redactor.outside_stream(), lines: LineCutter::new(LONGEST_LINE) };
        Self {
            subject: subject.into(),
            batch: Batch::new(events),
            shown,
            stdout: lane(),
            stderr: lane(),
            tail: Tail::default(),
            wanted: None,
            log: None,
            unlogged: Vec::new(),
        }
    }

    /// Looks for a text in the lines; the answer turns true when it was seen.
    pub(super) fn watch_for(&mut self, text: &str) -> watch::Receiver<bool> {
        let (sender, receiver) = watch::channel(false);
        self.wanted = Some((text.to_owned(), sender));
        receiver
    }

    /// Also gives all lines, masked, to this.
    pub(super) fn also(&mut self, log: impl Fn(&[u8]) + Send + 'static) {
        self.log = Some(Box::new(log));
    }

    /// The last lines, to be read at any time; none of what is shown anyway.
    pub(super) fn tail(&self) -> Tail {
        self.tail.clone()
    }

    /// Takes a piece of output, which is shown with the next [`Pump::send`] at the latest.
    pub(super) fn push(&mut self, stream: Stream, bytes: &[u8]) {
        self.take(stream, |lane, out| lane.redact.push(bytes, out), false);
    }

    /// Whether anything was taken and not sent on.
    pub(super) fn holds(&self) -> bool {
        self.batch.holds() || !self.unlogged.is_empty()
    }

    /// Sends on what has been taken: no more is at hand.
    pub(super) fn send(&mut self) {
        self.batch.send();
        if let Some(log) = self.log.as_ref().filter(|_| !self.unlogged.is_empty()) {
            log(&self.unlogged);
        }
        self.unlogged.clear();
    }

    /// Gives out what is left at the end.
    pub(super) fn finish(&mut self) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            self.take(stream, |lane, out| lane.redact.finish(out), true);
            if self.shown {
                self.batch.end(&self.subject, stream);
            }
        }
        self.send();
    }

    fn take(&mut self, stream: Stream, mask: impl FnOnce(&mut Lane, &mut Vec<u8>), last: bool) {
        let Self { subject, batch, shown, stdout, stderr, tail, wanted, log, unlogged } = self;
        let lane = if stream == Stream::Stdout { stdout } else { stderr };
        let mut masked = Vec::new();
        mask(lane, &mut masked);
        if *shown {
            batch.push(subject, stream, &masked);
        }
        let mut is_seen = false;
        let mut line = |line: &[u8]| {
            if log.is_some() {
                unlogged.extend_from_slice(line);
            }
            if *shown && wanted.is_none() {
                return;
            }
            let text = line_text(line);
            tail.push(&text);
            is_seen |= wanted.as_ref().is_some_and(|(wanted, _)| text.contains(wanted.as_str()));
        };
        lane.lines.push(&masked, &mut line);
        if last {
            lane.lines.finish(&mut line);
        }
        if self.unlogged.len() >= LONGEST_LINE {
            self.send();
        }
        if is_seen {
            // A line is shown before what follows from it.
            self.send();
            if let Some((_, seen)) = self.wanted.take() {
                seen.send_replace(true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secret::{MASK, Secret};

    #[test]
    fn lines_are_masked_kept_and_watched() {
        let redactor = Redactor::new(&[Secret::new("hunter22")]);
        let mut pump = Pump::new("x", &redactor, &Events::silent(), false);
        let tail = pump.tail();
        let seen = pump.watch_for("ready now");
        pump.push(Stream::Stdout, b"pass hun");
        pump.push(Stream::Stdout, b"ter22\nready");
        assert!(!*seen.borrow());
        pump.push(Stream::Stdout, b" now");
        pump.push(Stream::Stderr, b"other\n");
        pump.finish();
        assert!(*seen.borrow());
        assert_eq!(tail.lines(), [format!("pass {MASK}"), "other".into(), "ready now".into()]);
    }
}
