//! Output on its way to the user: masked, otherwise unchanged, and sent on in one event as soon as no
//! more output is available. So a batch costs one write and is never held back for output to come. Only
//! in a burst, single lines of an engine are gathered for a moment.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::time::Instant;

use crate::base::redact::{RedactStream, Redactor};
use crate::model::event::{Event, Events, OutputLine, Stream};

/// Maximum bytes of a line; longer lines are cut.
pub(in crate::ops) const LONGEST_LINE: usize = 64 << 10;
/// Bytes at which a batch is sent on although more output may be available.
const LARGEST: usize = 64 << 10;

/// Minimum time between two events; too short to notice.
const PAUSE: Duration = Duration::from_millis(5);

/// Silence after which output that is held back is shown, such as a prompt.
pub(in crate::ops) const QUIET: Duration = Duration::from_millis(300);

/// Maximum number of pieces to take before checking for anything else.
const AT_ONCE: usize = 1024;

/// Output for one event.
pub(in crate::ops) struct Batch {
    events: Events,
    pieces: Vec<OutputLine>,
    size: usize,
}

impl Batch {
    pub(in crate::ops) fn new(events: &Events) -> Self {
        Self { events: events.clone(), pieces: Vec::new(), size: 0 }
    }

    /// Adds a piece that may continue in the next one.
    pub(in crate::ops) fn push(&mut self, subject: &Arc<str>, stream: Stream, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        match self.pieces.last_mut() {
            Some(last)
                if last.stream == stream && last.time.is_none() && Arc::ptr_eq(&last.subject, subject) =>
            {
                last.bytes.extend_from_slice(bytes);
                self.grow(bytes.len());
            }
            _ => self.add(OutputLine {
                subject: subject.clone(),
                stream,
                bytes: bytes.to_vec(),
                time: None,
                ends: false,
            }),
        }
    }

    /// Adds a complete piece.
    pub(in crate::ops) fn add(&mut self, piece: OutputLine) {
        let size = piece.bytes.len() + size_of::<OutputLine>();
        self.pieces.push(piece);
        self.grow(size);
    }

    /// Records the end of one of a subject's two streams.
    pub(in crate::ops) fn end(&mut self, subject: &Arc<str>, stream: Stream) {
        self.add(OutputLine { subject: subject.clone(), stream, bytes: Vec::new(), time: None, ends: true });
    }

    fn grow(&mut self, by: usize) {
        self.size += by;
        if self.size >= LARGEST {
            self.send();
        }
    }

    /// Sends the output, of a subject that writes nothing for a while.
    pub(in crate::ops) fn pause(&mut self, subject: &Arc<str>) {
        self.send();
        self.events.send(Event::OutputPaused(vec![subject.clone()]));
    }

    /// Returns whether there is output to send.
    pub(in crate::ops) fn holds(&self) -> bool {
        !self.pieces.is_empty()
    }

    /// Sends the output.
    pub(in crate::ops) fn send(&mut self) {
        self.size = 0;
        if !self.pieces.is_empty() {
            self.events.send(Event::Output(std::mem::take(&mut self.pieces)));
        }
    }
}

/// The next step for a stream of output.
pub(in crate::ops) enum Step<T> {
    /// Take this piece; `None` is the end.
    Take(Option<T>),
    /// Send the pieces taken so far.
    Send,
    /// Show what is held back, since nothing has come for a while.
    Pause,
}

/// The pace of sending: at once, unless the last event was a moment ago.
#[derive(Debug, Default)]
pub(in crate::ops) struct RelayPace {
    sent: Option<Instant>,
    /// Nothing has come since the last pause.
    is_paused: bool,
}

impl RelayPace {
    /// Returns the next step; `holds` says whether there are pieces to send. Dropping the future loses
    /// nothing.
    pub(in crate::ops) async fn next<S>(&mut self, output: &mut S, holds: bool) -> Step<S::Item>
    where
        S: futures_util::Stream + Unpin,
    {
        if let Some(next) = output.next().now_or_never() {
            self.is_paused = false;
            return Step::Take(next);
        }
        if !holds {
            let next = match self.is_paused {
                true => Ok(output.next().await),
                false => tokio::time::timeout(QUIET, output.next()).await,
            };
            self.is_paused = next.is_err();
            return next.map_or(Step::Pause, Step::Take);
        }
        let due = self.sent.map(|sent| sent + PAUSE).filter(|due| *due > Instant::now());
        if let Some(due) = due
            && let Ok(next) = tokio::time::timeout_at(due, output.next()).await
        {
            return Step::Take(next);
        }
        self.sent = Some(Instant::now());
        Step::Send
    }
}

/// Pieces of output, as they come.
pub(in crate::ops) type Pieces<'a, E> = BoxStream<'a, Result<(Stream, Bytes), E>>;

/// Masks output and sends it on until it ends.
pub(in crate::ops) async fn relay<E>(
    mut output: Pieces<'_, E>,
    subject: &str,
    redactor: &Redactor,
    events: &Events,
) -> Result<(), E> {
    let subject = Arc::from(subject);
    let mut masks: [RedactStream; 2] = [redactor.outside_stream(), redactor.stream()];
    let mut batch = Batch::new(events);
    let mut masked = Vec::new();
    let mut taken = 0_usize;
    let mut pace = RelayPace::default();
    let result = loop {
        taken += 1;
        if taken.is_multiple_of(AT_ONCE) {
            // The caller notices a signal although there is always more output.
            batch.send();
            tokio::task::yield_now().await;
        }
        let next = match pace.next(&mut output, batch.holds()).await {
            Step::Take(next) => next,
            Step::Send => {
                batch.send();
                continue;
            }
            Step::Pause => {
                for (stream, mask) in [Stream::Stdout, Stream::Stderr].into_iter().zip(&mut masks) {
                    masked.clear();
                    mask.pause(&mut masked);
                    batch.push(&subject, stream, &masked);
                }
                batch.pause(&subject);
                continue;
            }
        };
        match next {
            Some(Ok((stream, bytes))) => {
                masked.clear();
                masks[usize::from(stream == Stream::Stderr)].push(&bytes, &mut masked);
                batch.push(&subject, stream, &masked);
            }
            Some(Err(error)) => break Err(error),
            None => break Ok(()),
        }
    };
    for (stream, mask) in [Stream::Stdout, Stream::Stderr].into_iter().zip(&mut masks) {
        masked.clear();
        mask.finish(&mut masked);
        batch.push(&subject, stream, &masked);
        batch.end(&subject, stream);
    }
    batch.send();
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secret::{MASK, Secret};
    use crate::model::event::Sink;
    use futures_util::stream;
    use std::sync::Mutex;

    #[derive(Clone, Default)]
    struct SeenLines(Arc<Mutex<Vec<Vec<OutputLine>>>>);

    impl Sink for SeenLines {
        fn send(&self, event: Event) {
            if let Event::Output(pieces) = event {
                self.0.lock().expect("nobody panics").push(pieces);
            }
        }
    }

    fn out(bytes: &[u8]) -> Result<(Stream, Bytes), ()> {
        Ok((Stream::Stdout, Bytes::copy_from_slice(bytes)))
    }

    async fn relayed(output: Pieces<'static, ()>) -> Vec<Vec<OutputLine>> {
        let seen = SeenLines::default();
        let redactor = Redactor::new(&[Secret::new("hunter22")]);
        relay(output, "x", &redactor, &Events::new(seen.clone())).await.expect("nothing fails");
        seen.0.lock().expect("nobody panics").clone()
    }

    #[tokio::test]
    async fn relay_batches_available_output_by_64_kib() {
        let lines = (0..20_000).map(|_| out(b"a short line of a log\n"));
        let seen = relayed(stream::iter(lines).boxed()).await;
        let bytes: usize = seen.iter().flatten().map(|piece| piece.bytes.len()).sum();
        assert_eq!(bytes, 20_000 * 22);
        assert!(seen.len() <= 2 + bytes / LARGEST + 20_000 / AT_ONCE, "{} events", seen.len());
    }

    #[tokio::test]
    async fn relay_batches_bursts_of_lines() {
        let lines = stream::iter(0..20_000).then(|_| async {
            tokio::task::yield_now().await;
            out(b"a short line of a log\n")
        });
        let began = Instant::now();
        let seen = relayed(lines.boxed()).await;
        let most = began.elapsed().as_millis() / PAUSE.as_millis();
        let most = usize::try_from(most).expect("is short") + 3 + 20_000 * 22 / LARGEST + 20_000 / AT_ONCE;
        assert!(seen.len() <= most, "{} events", seen.len());
    }

    #[tokio::test]
    async fn relay_does_not_delay_slow_lines() {
        let slow = stream::iter([b"one\n", b"two\n"]).then(|line| async move {
            tokio::time::sleep(PAUSE * 2).await;
            out(line)
        });
        let seen = relayed(slow.boxed()).await;
        assert_eq!(seen.iter().map(|pieces| pieces[0].bytes.len()).collect::<Vec<_>>(), [4, 4]);
    }

    #[tokio::test]
    async fn relay_masks_secrets_across_chunks_only() {
        let whole = b"\0\r\x1b[1m\xff\xc2\x85 hunter22\xff no end";
        for cut in 0..whole.len() {
            let (one, other) = whole.split_at(cut);
            let seen = relayed(stream::iter([out(one), out(other)]).boxed()).await;
            let bytes: Vec<u8> = seen.iter().flatten().flat_map(|piece| piece.bytes.clone()).collect();
            let expected = [b"\0\r\x1b[1m\xff\xc2\x85 ", MASK.as_bytes(), b"\xff no end"].concat();
            assert_eq!(bytes, expected, "cut at {cut}");
        }
    }
}
