//! What is known of the output of components so far: the lines that have not ended. How output is written
//! is in `output`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::text::LineCutter;
use crate::model::event::Stream;

/// What is known of the output so far.
#[derive(Debug, Default)]
pub(super) struct Outputs {
    pub(super) lanes: BTreeMap<(Arc<str>, bool), Lane>,
    /// Whose line has not ended, on each of the two streams. Never so on a terminal.
    pub(super) open: [Option<Arc<str>>; 2],
}

impl Outputs {
    /// Whether something else has to begin a new line on standard error; it does so from here on.
    pub(super) fn break_line(&mut self) -> bool {
        self.open[index(Stream::Stderr)].take().is_some()
    }
}

/// One of the two streams of one subject.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) cutter: LineCutter,
    /// When the line began that has not ended.
    pub(super) began: Option<jiff::Timestamp>,
}

pub(super) fn index(stream: Stream) -> usize {
    usize::from(stream == Stream::Stderr)
}
