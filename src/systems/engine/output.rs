//! What a container or a command in it writes, as it comes. The end of it is not the end of the
//! program: an engine that dies ends it just as well, so an exit code is asked for separately.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::errors::Error;
use bytes::Bytes;
use futures_util::{Stream as _, StreamExt as _, stream};

use super::error::EngineError;
use super::{ContainerEngine, SILENCE};
use crate::model::event::Stream;

/// A piece of output: neither a line nor whole characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Where it was written to.
    pub stream: Stream,
    /// What was written.
    pub bytes: Bytes,
}

impl Chunk {
    /// Takes off the time that an engine puts before each piece of a log when it is asked to.
    #[must_use]
    pub fn split_time(mut self) -> (Option<jiff::Timestamp>, Self) {
        // No time is longer: `2026-11-22T10:00:00.123456789+01:00`.
        let end = self.bytes.iter().take(40).position(|byte| *byte == b' ');
        let time = end.and_then(|end| std::str::from_utf8(&self.bytes[..end]).ok()?.parse().ok());
        if let (Some(_), Some(end)) = (time, end) {
            let _ = self.bytes.split_to(end + 1);
        }
        (time, self)
    }
}

type Chunks = Pin<Box<dyn futures_util::Stream<Item = Result<Chunk, EngineError>> + Send>>;

/// Output as it comes. The order within one of the two streams is kept, that between them is not:
/// the engines read them apart.
pub struct OutputStream(Chunks);

impl OutputStream {
    /// The next piece; `None` at the end. After an error comes nothing more. Dropping the future
    /// loses nothing.
    pub async fn next(&mut self) -> Option<Result<Chunk, EngineError>> {
        self.0.next().await
    }

    /// From anything that gives chunks.
    pub(super) fn new(
        chunks: impl futures_util::Stream<Item = Result<Chunk, EngineError>> + Send + 'static,
    ) -> Self {
        // Whoever asks again after the end gets the end again.
        Self(Box::pin(chunks.fuse()))
    }

    /// The same, given up when nothing comes for so long, although the engine lives.
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

    /// From what bollard gives, asking the engine whether it still lives whenever nothing comes
    /// for a while: one that is stuck would leave us waiting for ever.
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

/// The next item of a stream of the engine's, with a look at the engine whenever it is silent. The
/// look does not get in the way of an item that comes meanwhile.
pub(super) async fn watch<S: futures_util::Stream + Unpin>(
    engine: &ContainerEngine,
    stream: &mut S,
) -> Result<Option<S::Item>, EngineError> {
    loop {
        if let Ok(item) = tokio::time::timeout(SILENCE, stream.next()).await {
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
    Chunk { stream, bytes: output.into_bytes() }
}
