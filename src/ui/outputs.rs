//! State of the output of components: lines that have not ended. Writing the output is in `output`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::text::LineCutter;
use crate::model::event::Stream;

/// State of the output so far.
#[derive(Debug, Default)]
pub(super) struct Outputs {
    pub(super) lanes: BTreeMap<(Arc<str>, bool), OutputLane>,
    /// Subject of the unfinished line on each of the two streams; none on a terminal.
    pub(super) open: [Option<Arc<str>>; 2],
}

impl Outputs {
    /// Returns whether another message has to begin a new line on standard error, and records the new line.
    pub(super) fn break_line(&mut self) -> bool {
        self.open[index(Stream::Stderr)].take().is_some()
    }
}

/// One of the two streams of one subject.
#[derive(Debug)]
pub(super) struct OutputLane {
    pub(super) cutter: LineCutter,
    /// Time at which the unfinished line began.
    pub(super) began: Option<jiff::Timestamp>,
}

pub(super) fn index(stream: Stream) -> usize {
    usize::from(stream == Stream::Stderr)
}
