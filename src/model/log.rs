//! Recorded output of an instance: the selection of a part of it, and its pieces. Reading it belongs to the engines.

use bytes::Bytes;
use jiff::Timestamp;

use super::event::Stream;

/// Selection of log lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogRequest {
    /// Continue with new lines, until the instance ends.
    pub follow: bool,
    /// Number of existing last lines; `None` means all.
    pub tail: Option<usize>,
    /// Earliest timestamp, in seconds since 1970.
    pub since: Option<i64>,
    /// Return the timestamp of each piece.
    pub timestamps: bool,
    /// Minimum number of bytes before the selected lines to return as well, as context. A secret may begin in them.
    pub context: usize,
}

/// A piece of output, as it comes or recorded: neither a line nor whole characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPiece {
    /// Stream to which it was written.
    pub stream: Stream,
    /// Content.
    pub bytes: Bytes,
    /// Its timestamp, on request.
    pub time: Option<Timestamp>,
    /// It precedes the selected lines, and is not to be shown.
    pub is_context: bool,
}

impl From<(Stream, Bytes)> for LogPiece {
    fn from((stream, bytes): (Stream, Bytes)) -> Self {
        Self { stream, bytes, time: None, is_context: false }
    }
}
