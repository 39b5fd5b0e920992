//! What a component writes, on its way to the person: masked, cut into lines of bounded length,
//! and watched for the line that says it is ready.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::base::redact::{RedactStream, Redactor};
use crate::base::text::LineSplitter;
use crate::model::event::{Event, Events, Stream};

/// Lines are cut here.
const LONGEST_LINE: usize = 64 << 10;
/// So many last lines are kept, to be shown when something fails.
const KEPT: usize = 12;

/// Takes the output of one unit.
pub(super) struct Pump {
    subject: String,
    events: Events,
    shown: bool,
    stdout: Lane,
    stderr: Lane,
    tail: Tail,
    /// The text to look for, and whether it was seen.
    wanted: Option<(String, watch::Sender<bool>)>,
    log: Option<Log>,
}

struct Lane {
    redact: RedactStream,
    lines: LineSplitter,
}

/// Takes whole lines.
type Log = Box<dyn Fn(&str) + Send>;

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
        let lane = || Lane { redact: redactor.stream(), lines: LineSplitter::new(LONGEST_LINE) };
        Self {
            subject: subject.to_owned(),
            events: events.clone(),
            shown,
            stdout: lane(),
            stderr: lane(),
            tail: Tail::default(),
            wanted: None,
            log: None,
        }
    }

    /// Looks for a text in the lines; the answer turns true when it was seen.
    pub(super) fn watch_for(&mut self, text: &str) -> watch::Receiver<bool> {
        let (sender, receiver) = watch::channel(false);
        self.wanted = Some((text.to_owned(), sender));
        receiver
    }

    /// Also gives every line, masked, to this.
    pub(super) fn also(&mut self, log: impl Fn(&str) + Send + 'static) {
        self.log = Some(Box::new(log));
    }

    /// The last lines, to be read at any time.
    pub(super) fn tail(&self) -> Tail {
        self.tail.clone()
    }

    /// Takes a piece of output.
    pub(super) fn push(&mut self, stream: Stream, bytes: &[u8]) {
        self.take(stream, |lane, out| lane.redact.push(bytes, out), false);
    }

    /// Gives out what is left at the end.
    pub(super) fn finish(&mut self) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            self.take(stream, |lane, out| lane.redact.finish(out), true);
        }
    }

    fn take(&mut self, stream: Stream, mask: impl FnOnce(&mut Lane, &mut Vec<u8>), last: bool) {
        let Self { subject, events, shown, stdout, stderr, tail, wanted, log } = self;
        let lane = if stream == Stream::Stdout { stdout } else { stderr };
        let mut masked = Vec::new();
        mask(lane, &mut masked);
        let mut line = |text: &str| {
            tail.push(text);
            if let Some(log) = log {
                log(text);
            }
            if *shown {
                events.send(Event::Line { subject: subject.clone(), stream, text: text.to_owned() });
            }
            // Last, so that a line is shown before what follows from it.
            if let Some((wanted, seen)) = wanted
                && text.contains(wanted.as_str())
            {
                seen.send_replace(true);
            }
        };
        lane.lines.push(&masked, &mut line);
        if last {
            lane.lines.finish(&mut line);
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
