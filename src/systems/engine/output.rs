//! Output of a container or of a command in it, as it comes. Its end is not the end of the program: the death
//! of the engine ends it, too, so the exit code is a separate request.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::errors::Error;
use bytes::Bytes;
use futures_util::{Stream as _, StreamExt as _, stream};
use jiff::Timestamp;

use super::error::EngineError;
use super::{ContainerEngine, IDLE_TIMEOUT};
use crate::model::event::Stream;
use crate::model::log::LogPiece;

/// A piece of output: neither a line nor whole characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Stream to which it was written.
    pub stream: Stream,
    /// Content.
    pub bytes: Bytes,
    /// Timestamp, in a log, on request.
    pub time: Option<Timestamp>,
    /// It precedes the selected lines of a log.
    pub is_context: bool,
}

impl Chunk {
    /// Splits off the timestamp that an engine puts before each piece of a log on request.
    pub(super) fn with_time(mut self) -> Self {
        // Longest timestamp: `2026-11-22T10:00:00.123456789+01:00`.
        let end = self.bytes.iter().take(40).position(|byte| *byte == b' ');
        self.time = end.and_then(|end| std::str::from_utf8(&self.bytes[..end]).ok()?.parse().ok());
        if let (Some(_), Some(end)) = (self.time, end) {
            let _ = self.bytes.split_to(end + 1);
        }
        self
    }
}

impl From<Chunk> for LogPiece {
    fn from(Chunk { stream, bytes, time, is_context }: Chunk) -> Self {
        Self { stream, bytes, time, is_context }
    }
}

type Chunks = Pin<Box<dyn futures_util::Stream<Item = Result<Chunk, EngineError>> + Send>>;

/// Output as it comes. The order is kept within each of the two streams, not between them: the engines read
/// them separately.
pub struct OutputStream(Chunks);

impl OutputStream {
    /// Returns the next piece; `None` at the end and after an error. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<Chunk, EngineError>> {
        self.0.next().await
    }

    /// Creates it from any stream of chunks.
    pub(super) fn new(
        chunks: impl futures_util::Stream<Item = Result<Chunk, EngineError>> + Send + 'static,
    ) -> Self {
        // Further calls after the end return the end again.
        Self(Box::pin(chunks.fuse()))
    }

    /// Changes each piece.
    pub(super) fn map(self, change: impl FnMut(Chunk) -> Chunk + Send + 'static) -> Self {
        let mut change = change;
        Self::new(self.0.map(move |chunk| chunk.map(&mut change)))
    }

    /// Limits the silence of the stream, after which it fails although the engine lives.
    pub(super) fn within(self, limit: Duration, engine: &ContainerEngine, doing: String) -> Self {
        let address = engine.address().to_owned();
        let state = Some((self, EngineError::Silent { address, doing }));
        Self::new(stream::unfold(state, move |state| async move {
            let (mut output, silent) = state?;
            match tokio::time::timeout(limit, output.next()).await {
                Ok(item) => item.map(|item| (item, Some((output, silent)))),
                Err(_) => Some((Err(silent), None)),
            }
        }))
    }

    /// Creates it from bollard's stream. Pings the engine whenever the stream is silent for a while, since a
    /// stuck engine would block it forever.
    pub(super) fn watched(
        engine: &ContainerEngine,
        doing: String,
        output: impl futures_util::Stream<Item = Result<LogOutput, Error>> + Send + 'static,
    ) -> Self {
        let engine = engine.clone();
        let state = Some((Box::pin(output), engine, doing));
        Self::new(stream::unfold(state, |state| async move {
            let (mut output, engine, doing) = state?;
            let item = watch(&engine, &mut output).await;
            match item {
                Ok(None) => None,
                Ok(Some(Ok(output_item))) => Some((Ok(chunk(output_item)), Some((output, engine, doing)))),
                Ok(Some(Err(error))) => Some((Err(engine.failed(&doing, &error).await), None)),
                Err(error) => Some((Err(error), None)),
            }
        }))
    }
}

impl fmt::Debug for OutputStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OutputStream").field(&self.0.size_hint()).finish()
    }
}

/// Returns the next item of an engine's stream, and pings the engine whenever the stream is silent. The ping
/// does not delay an item that comes meanwhile.
pub(super) async fn watch<S: futures_util::Stream + Unpin>(
    engine: &ContainerEngine,
    stream: &mut S,
) -> Result<Option<S::Item>, EngineError> {
    loop {
        if let Ok(item) = tokio::time::timeout(IDLE_TIMEOUT, stream.next()).await {
            return Ok(item);
        }
        tokio::select! {
            biased;
            item = stream.next() => return Ok(item),
            alive = engine.ping() => alive?,
        }
    }
}

fn chunk(output: LogOutput) -> Chunk {
    let stream = match &output {
        LogOutput::StdErr { .. } => Stream::Stderr,
        _ => Stream::Stdout,
    };
    Chunk { stream, bytes: output.into_bytes(), time: None, is_context: false }
}
