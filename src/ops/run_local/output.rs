//! The output of a unit on its way to the user: masked, passed on, and cut into lines of bounded length
//! to find the line that says it is ready.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::base::redact::{RedactStream, Redactor};
use crate::base::text::{LineCutter, line_text};
use crate::model::event::{Events, Stream};
use crate::model::log::LogPiece;
use crate::ops::runtime::relay::{Batch, LONGEST_LINE};
use crate::ops::runtime::started::LoggedLines;

/// Number of last lines to keep, for the case of a failure.
const KEPT: usize = 12;

/// The receiver of one unit's output.
pub(super) struct Pump {
    subject: Arc<str>,
    batch: Batch,
    shown: bool,
    stdout: UnitStream,
    stderr: UnitStream,
    tail: UnitTail,
    /// The text to look for, and its reported state.
    awaited: Option<(String, watch::Sender<bool>)>,
    log: Option<UnitLog>,
    /// Complete lines that are not in the log yet, and their total bytes.
    unlogged: (Vec<LoggedLines>, usize),
}

struct UnitStream {
    redact: RedactStream,
    lines: LineCutter,
}

/// A receiver of complete lines.
type UnitLog = Box<dyn Fn(&[LoggedLines]) + Send>;

/// The last lines of a unit.
#[derive(Debug, Clone, Default)]
pub(super) struct UnitTail(Arc<Mutex<VecDeque<String>>>);

impl UnitTail {
    /// Returns the lines, oldest first.
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
    /// Returns the receiver for a unit. Unless `shown`, output is only kept for the case of a failure.
    pub(super) fn new(subject: &str, redactor: &Redactor, events: &Events, shown: bool) -> Self {
        let lane = || UnitStream { redact: redactor.outside_stream(), lines: LineCutter::new(LONGEST_LINE) };
        Self {
            subject: subject.into(),
            batch: Batch::new(events),
            shown,
            stdout: lane(),
            stderr: lane(),
            tail: UnitTail::default(),
            awaited: None,
            log: None,
            unlogged: (Vec::new(), 0),
        }
    }

    /// Looks for a text in the lines; the returned value turns true once it was seen.
    pub(super) fn watch_for(&mut self, text: &str) -> watch::Receiver<bool> {
        let (sender, receiver) = watch::channel(false);
        self.awaited = Some((text.to_owned(), sender));
        receiver
    }

    /// Also passes all masked lines to `log`.
    pub(super) fn tee(&mut self, log: impl Fn(&[LoggedLines]) + Send + 'static) {
        self.log = Some(Box::new(log));
    }

    /// Returns the last lines, readable at any time; empty for output that is shown anyway.
    pub(super) fn tail(&self) -> UnitTail {
        self.tail.clone()
    }

    /// Takes a piece of output; the next [`Pump::send`] shows it at the latest.
    pub(super) fn push(&mut self, piece: &LogPiece) {
        let take = |lane: &mut UnitStream, out: &mut Vec<u8>| match piece.is_context {
            true => lane.redact.push_context(&piece.bytes),
            false => lane.redact.push(&piece.bytes, out),
        };
        self.take(piece.stream, take, false);
    }

    /// Returns whether there is output to send.
    pub(super) fn holds(&self) -> bool {
        self.batch.holds() || !self.unlogged.0.is_empty()
    }

    /// Sends the output taken so far, since no more is available.
    pub(super) fn send(&mut self) {
        self.batch.send();
        let (lines, _) = std::mem::take(&mut self.unlogged);
        if let Some(log) = self.log.as_ref().filter(|_| !lines.is_empty()) {
            log(&lines);
        }
    }

    /// Sends output that is held back, since nothing has come for a while.
    pub(super) fn pause(&mut self) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            self.take(stream, |lane, out| lane.redact.pause(out), false);
        }
        self.send();
        if self.shown {
            self.batch.pause(&self.subject);
        }
    }

    /// Sends the rest at the end.
    pub(super) fn finish(&mut self) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            self.take(stream, |lane, out| lane.redact.finish(out), true);
            if self.shown {
                self.batch.end(&self.subject, stream);
            }
        }
        self.send();
    }

    fn take(&mut self, stream: Stream, mask: impl FnOnce(&mut UnitStream, &mut Vec<u8>), last: bool) {
        let Self { subject, batch, shown, stdout, stderr, tail, awaited, log, unlogged } = self;
        let lane = if stream == Stream::Stdout { stdout } else { stderr };
        let mut masked = Vec::new();
        mask(lane, &mut masked);
        if *shown {
            batch.push(subject, stream, &masked);
        }
        let mut is_seen = false;
        let mut line = |line: &[u8]| {
            if log.is_some() {
                match unlogged.0.last_mut() {
                    Some((last, lines)) if *last == stream => lines.extend_from_slice(line),
                    _ => unlogged.0.push((stream, line.to_vec())),
                }
                unlogged.1 += line.len();
            }
            if *shown && awaited.is_none() {
                return;
            }
            let text = line_text(line);
            tail.push(&text);
            is_seen |= awaited.as_ref().is_some_and(|(awaited, _)| text.contains(awaited.as_str()));
        };
        lane.lines.push(&masked, &mut line);
        if last {
            lane.lines.finish(&mut line);
        }
        if self.unlogged.1 >= LONGEST_LINE {
            self.send();
        }
        if is_seen {
            // A line is shown before its consequences.
            self.send();
            if let Some((_, seen)) = self.awaited.take() {
                seen.send_replace(true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secret::{MASK, Secret};
    use bytes::Bytes;

    #[test]
    fn pump_masks_keeps_and_watches_lines() {
        let redactor = Redactor::new(&[Secret::new("hunter22")]);
        let mut pump = Pump::new("x", &redactor, &Events::silent(), false);
        let tail = pump.tail();
        let seen = pump.watch_for("ready now");
        let mut push = |stream, text: &'static [u8]| pump.push(&(stream, Bytes::from_static(text)).into());
        push(Stream::Stdout, b"pass hun");
        push(Stream::Stdout, b"ter22\nready");
        assert!(!*seen.borrow());
        push(Stream::Stdout, b" now");
        push(Stream::Stderr, b"other\n");
        pump.finish();
        assert!(*seen.borrow());
        assert_eq!(tail.lines(), [format!("pass {MASK}"), "other".into(), "ready now".into()]);
    }
}
