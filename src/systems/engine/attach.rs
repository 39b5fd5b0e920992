//! Output of a container from its first byte on. Reading it afterwards is in `follow`.
//!
//! Podman reads that output from a socket of its monitor. When a container ends right after its start, the socket
//! may be reset before all was read: Podman then writes an error of its own into the container's standard error
//! and ends the stream. The log has the whole output, so the rest is read there.

use std::time::Duration;

use bollard::query_parameters::AttachContainerOptionsBuilder;
use futures_util::stream;

use super::container::{short, start_error};
use super::error::EngineError;
use super::follow::{LogPosition, Skip};
use super::output::{Chunk, OutputStream};
use super::{AddressKind, ContainerEngine, WRITE_TIMEOUT};
use crate::model::event::Stream;
use crate::model::log::LogRequest;

/// Beginning of Podman's message; see `hijackWriteError` in its `libpod/util.go`.
const BROKEN_OFF: &[u8] = b"Error: read unixpacket ";
/// Maximum time for which such a piece is held, as the container may have written it. Podman ends the stream at
/// once.
const PATIENCE: Duration = Duration::from_secs(1);

impl ContainerEngine {
    /// Attaches to a container's output. Call it before the start, so that nothing is missed; the caller must
    /// then read, or the container blocks when the buffer is full.
    ///
    /// # Errors
    /// As [`ContainerEngine::start`]: Podman prepares the start here already.
    pub async fn attach(&self, id: &str) -> Result<OutputStream, EngineError> {
        let options = AttachContainerOptionsBuilder::new().stdout(true).stderr(true).stream(true).build();
        let doing = format!("attach to container `{}`", short(id));
        let attached =
            self.call(&doing, WRITE_TIMEOUT, self.docker.attach_container(id, Some(options))).await;
        let attached = attached.map_err(|error| start_error(id, error))?;
        Ok(self.completed(id, OutputStream::watched(self, doing, attached.output)))
    }

    /// Continues attached output with the log where Podman breaks it off.
    pub(super) fn completed(&self, id: &str, attached: OutputStream) -> OutputStream {
        if self.kind() == AddressKind::Docker {
            return attached;
        }
        let (engine, id) = (self.clone(), id.to_owned());
        continued(attached, PATIENCE, async move {
            engine.logs(&id, LogRequest { follow: true, ..LogRequest::default() }).await
        })
    }
}

/// Continues `attached` with the rest of `log` if the engine breaks it off, which it does within `patience`.
fn continued(
    attached: OutputStream,
    patience: Duration,
    log: impl Future<Output = Result<OutputStream, EngineError>> + Send + 'static,
) -> OutputStream {
    let log = Box::pin(log);
    let source =
        PieceSource::Attached { output: attached, done: LogPosition::default(), next: None, patience, log };
    OutputStream::new(stream::unfold(source, async |mut source| {
        let item = source.next().await?;
        Some((item, source))
    }))
}

/// Source of the next piece.
enum PieceSource<L> {
    Attached {
        output: OutputStream,
        /// Bytes passed on.
        done: LogPosition,
        /// Piece that came while another one was held.
        next: Option<Result<Chunk, EngineError>>,
        /// Maximum time for which a piece is held.
        patience: Duration,
        /// Opens the log, which is read after a break.
        log: L,
    },
    Log(Skip),
    Ended,
}

impl<L: Future<Output = Result<OutputStream, EngineError>>> PieceSource<L> {
    async fn next(&mut self) -> Option<Result<Chunk, EngineError>> {
        match self {
            Self::Ended => return None,
            Self::Log(rest) => return rest.next().await,
            Self::Attached { output, done, next, patience, .. } => {
                let item = match next.take() {
                    Some(item) => Some(item),
                    None => output.next().await,
                };
                match item {
                    Some(Ok(chunk)) if is_break(&chunk) => {
                        let following = tokio::time::timeout(*patience, output.next()).await;
                        if !matches!(following, Ok(None)) {
                            *next = following.ok().flatten();
                            done.add(&chunk);
                            return Some(Ok(chunk));
                        }
                    }
                    Some(Ok(chunk)) => {
                        done.add(&chunk);
                        return Some(Ok(chunk));
                    }
                    other => return other,
                }
            }
        }
        let Self::Attached { done, log, .. } = std::mem::replace(self, Self::Ended) else { return None };
        let mut rest = match log.await {
            Ok(log) => Skip::new(log, done),
            Err(error) => return Some(Err(error)),
        };
        let item = rest.next().await;
        *self = Self::Log(rest);
        item
    }
}

fn is_break(chunk: &Chunk) -> bool {
    chunk.stream == Stream::Stderr && chunk.bytes.starts_with(BROKEN_OFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BREAK: &str = "Error: read unixpacket @->/proc/self/fd/13/attach: read: connection reset by peer\n";

    fn out(text: &'static str) -> Chunk {
        Chunk { stream: Stream::Stdout, bytes: text.as_bytes().into(), time: None, is_context: false }
    }

    fn err(text: &'static str) -> Chunk {
        Chunk { stream: Stream::Stderr, ..out(text) }
    }

    fn output(chunks: impl IntoIterator<Item = Chunk>) -> OutputStream {
        OutputStream::new(stream::iter(chunks.into_iter().map(Ok).collect::<Vec<_>>()))
    }

    /// Returns the pieces, and whether the log was read.
    async fn read(attached: OutputStream, log: Vec<Chunk>) -> (Vec<Chunk>, bool) {
        let (sender, mut opened) = tokio::sync::oneshot::channel();
        let mut output = continued(attached, PATIENCE, async move {
            sender.send(()).expect("is awaited");
            Ok(output(log))
        });
        let mut chunks = Vec::new();
        while let Some(chunk) = output.next().await {
            chunks.push(chunk.expect("is no error"));
        }
        (chunks, opened.try_recv().is_ok())
    }

    #[tokio::test]
    async fn attach_reads_the_rest_of_broken_output_from_the_log() {
        let attached = output([out("on"), err(BREAK)]);
        let log = vec![err("bad\n"), out("one\ntwo\n")];
        assert_eq!(read(attached, log).await, (vec![out("on"), err("bad\n"), out("e\ntwo\n")], true));
        assert_eq!(read(output([err(BREAK)]), vec![out("all\n")]).await, (vec![out("all\n")], true));
    }

    #[tokio::test]
    async fn attach_passes_the_same_text_of_a_container() {
        let chunks = vec![err(BREAK), err(BREAK), out("more\n")];
        assert_eq!(read(output(chunks.clone()), vec![]).await, (chunks, false));
        let last = vec![out("x\n"), err(BREAK)];
        assert_eq!(read(output(last.clone()), last.clone()).await, (last, true));
    }

    #[tokio::test]
    async fn attach_holds_such_a_piece_for_a_limited_time() {
        let silent = futures_util::StreamExt::chain(stream::iter([Ok(err(BREAK))]), stream::pending());
        let mut output = continued(OutputStream::new(silent), Duration::from_millis(1), async {
            unreachable!("is no break")
        });
        assert_eq!(output.next().await.expect("is there").expect("is no error"), err(BREAK));
    }
}
