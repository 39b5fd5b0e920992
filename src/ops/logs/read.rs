//! Reading of one instance's output: masked, and cut into lines if they have times. Merging them is in `logs`.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::base::redact::{RedactStream, Redactor};
use crate::base::text::LineCutter;
use crate::model::event::Stream;
use crate::model::log::LogPiece;
use crate::ops::runtime::error::InstanceError;
use crate::ops::runtime::instance::LogPieces;
use crate::ops::runtime::relay::{LONGEST_LINE, RelayPace, Step};

/// Approximate bytes of a part.
const PART: usize = 32 << 10;

/// A line with its end, or a piece of output if lines do not matter.
pub(super) struct LogLine {
    pub(super) stream: Stream,
    pub(super) bytes: Vec<u8>,
    pub(super) time: Option<Timestamp>,
    /// The stream has ended.
    pub(super) ends: bool,
}

/// Lines that were available together.
pub(super) type Part = Result<VecDeque<LogLine>, InstanceError>;

/// The masked output of one stream, cut into lines if they have times.
struct Cutter {
    redact: RedactStream,
    lines: Option<LineCutter>,
    /// The time of the unfinished line.
    began: Option<Timestamp>,
}

impl Cutter {
    /// Takes masked output.
    fn take(
        &mut self,
        (stream, time): (Stream, Option<Timestamp>),
        masked: &[u8],
        ready: &mut VecDeque<LogLine>,
    ) {
        let mut line = |bytes: &[u8], time| {
            ready.push_back(LogLine { stream, bytes: bytes.to_vec(), time, ends: false });
        };
        let Some(lines) = &mut self.lines else {
            if !masked.is_empty() {
                line(masked, None);
            }
            return;
        };
        let mut began = self.began.take();
        lines.push(masked, |bytes| line(bytes, began.take().or(time)));
        self.began = began;
    }

    fn finish(mut self, stream: Stream, ready: &mut VecDeque<LogLine>) {
        let mut masked = Vec::new();
        self.redact.finish(&mut masked);
        self.take((stream, self.began), &masked, ready);
        let mut rest = LogLine { stream, bytes: Vec::new(), time: self.began, ends: true };
        if let Some(lines) = &mut self.lines {
            lines.finish(|bytes| rest.bytes.extend_from_slice(bytes));
        }
        ready.push_back(rest);
    }
}

/// Reads output to its end, and passes available pieces on together.
pub(super) async fn read(
    mut output: LogPieces,
    redactor: &Redactor,
    cut: bool,
    to: &mpsc::Sender<Part>,
) -> Result<(), InstanceError> {
    let mut cutters: BTreeMap<bool, Cutter> = BTreeMap::new();
    let mut masked = Vec::new();
    let (mut ready, mut size) = (VecDeque::new(), 0);
    let mut pace = RelayPace::default();
    loop {
        let step = match size < PART || ready.is_empty() {
            true => pace.next(&mut output, !ready.is_empty()).await,
            false => Step::Send,
        };
        if matches!(step, Step::Pause) {
            for (is_stderr, cutter) in &mut cutters {
                masked.clear();
                cutter.redact.pause(&mut masked);
                let stream = if *is_stderr { Stream::Stderr } else { Stream::Stdout };
                cutter.take((stream, cutter.began), &masked, &mut ready);
            }
        }
        let Step::Take(next) = step else {
            size = 0;
            if !ready.is_empty() && to.send(Ok(std::mem::take(&mut ready))).await.is_err() {
                return Ok(());
            }
            continue;
        };
        let Some(next) = next else { break };
        let LogPiece { stream, bytes, time, is_context } = match next {
            Ok(piece) => piece,
            Err(error) => {
                if !ready.is_empty() {
                    // The receiver may be gone.
                    let _ = to.send(Ok(ready)).await;
                }
                return Err(error);
            }
        };
        let cutter = cutters.entry(stream == Stream::Stderr).or_insert_with(|| Cutter {
            redact: redactor.outside_stream(),
            lines: cut.then(|| LineCutter::new(LONGEST_LINE)),
            began: None,
        });
        if is_context {
            cutter.redact.push_context(&bytes);
            continue;
        }
        masked.clear();
        cutter.redact.push(&bytes, &mut masked);
        size += bytes.len();
        cutter.take((stream, time), &masked, &mut ready);
        if !bytes.ends_with(b"\n") {
            cutter.began = cutter.began.or(time);
        }
    }
    for (is_stderr, cutter) in cutters {
        cutter.finish(if is_stderr { Stream::Stderr } else { Stream::Stdout }, &mut ready);
    }
    if !ready.is_empty() {
        // The receiver may be gone.
        let _ = to.send(Ok(ready)).await;
    }
    Ok(())
}
