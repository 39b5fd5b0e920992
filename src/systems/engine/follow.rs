//! Logs of a container. Following is unreliable on both engines: Docker may lose the last lines when the
//! container ends, and Podman drops lines from the middle of a burst, or never ends. So Docker's follower
//! gives the live view, and the rest is read when the container has ended; Podman's only signals that there
//! is something new, which is then read from the log itself.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bollard::query_parameters::LogsOptionsBuilder;
use futures_util::stream;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

use super::container::short;
use super::error::EngineError;
use super::log_tail::LogTail;
use super::output::{Chunk, OutputStream};
use super::{AddressKind, ContainerEngine, WRITE_TIMEOUT};
use crate::model::event::Stream;
use crate::model::log::LogRequest;

/// Maximum delay of a follower after the end of the container.
const CLOCK_TOLERANCE: Duration = Duration::from_millis(300);
/// Minimum time between two readings of a log.
const PAUSE: Duration = Duration::from_millis(50);
/// Maximum time between two readings of a log, unless it is long.
const PATIENCE: Duration = Duration::from_secs(2);
/// Minimum bytes of a line of context, on average. A secret over shorter lines is not found anyway.
const SHORTEST_LINE: usize = 12;

impl ContainerEngine {
    /// Returns a container's output so far, and with `follow` its further output.
    ///
    /// # Errors
    /// Fails if the container does not exist.
    pub async fn logs(&self, id: &str, request: LogRequest) -> Result<OutputStream, EngineError> {
        // Without this, a missing container would be an error in the middle of the stream at best.
        self.inspect(id).await?;
        let log = LogState { engine: self.clone(), id: id.to_owned(), request };
        match (request.follow, request.tail) {
            (true, _) => {}
            (false, Some(lines)) => {
                // Podman's tail counts pieces as written, not lines, and returns them in reverse.
                let few = lines.saturating_add(request.context / SHORTEST_LINE);
                let few = Some(few).filter(|_| self.kind() == AddressKind::Docker);
                let tail = log.tail(lines, few, &mut LogPosition::default()).await?;
                return Ok(OutputStream::new(stream::iter(tail.into_iter().map(Ok))));
            }
            (false, None) => return Ok(log.open(false, None)),
        }
        let (sender, receiver) = mpsc::channel(64);
        let follower = LogFollower(tokio::spawn(async move {
            if let Err(error) = log.follow(request.tail, &sender).await {
                // If the receiver is gone, nothing reads the error.
                let _ = sender.send(Err(error)).await;
            }
        }));
        Ok(OutputStream::new(stream::unfold((receiver, follower), |(mut receiver, follower)| async {
            receiver.recv().await.map(|chunk| (chunk, (receiver, follower)))
        })))
    }
}

/// Task that ends with its reader.
struct LogFollower(JoinHandle<()>);

impl Drop for LogFollower {
    fn drop(&mut self) {
        self.0.abort();
    }
}

type Sender = mpsc::Sender<Result<Chunk, EngineError>>;

struct LogState {
    engine: ContainerEngine,
    id: String,
    request: LogRequest,
}

/// Number of bytes of each stream that were handled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct LogPosition {
    stdout: usize,
    stderr: usize,
}

impl LogPosition {
    /// Counts a piece.
    pub(super) fn add(&mut self, chunk: &Chunk) {
        *self.of(chunk.stream) += chunk.bytes.len();
    }

    fn of(&mut self, stream: Stream) -> &mut usize {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }
}

impl LogState {
    fn open(&self, follow: bool, tail: Option<usize>) -> OutputStream {
        let LogRequest { since, context, .. } = self.request;
        // Neither engine can find the lines before a time without reading all of them.
        let since = since.map(|since| since.max(0));
        let begins_with_context = since.filter(|_| context > 0);
        let engine_since = since.filter(|_| context == 0);
        let has_times = self.request.timestamps || begins_with_context.is_some();
        let options = LogsOptionsBuilder::new()
            .stdout(true)
            .stderr(true)
            .follow(follow)
            .since(engine_since.map_or(0, |since| i32::try_from(since).unwrap_or(i32::MAX)))
            .timestamps(has_times)
            .tail(&tail.map_or_else(|| "all".to_owned(), |lines| lines.to_string()))
            .build();
        let doing = format!("read the log of container `{}`", short(&self.id));
        let log = OutputStream::watched(
            &self.engine,
            doing.clone(),
            self.engine.docker.logs(&self.id, Some(options)),
        );
        // Existing lines come without a pause.
        let log = if follow { log } else { log.within(WRITE_TIMEOUT, &self.engine, doing) };
        if !has_times {
            return log;
        }
        log.map(move |chunk| {
            let chunk = chunk.with_time();
            let is_before = |since| chunk.time.is_some_and(|time| time.as_second() < since);
            Chunk { is_context: begins_with_context.is_some_and(is_before), ..chunk }
        })
    }

    async fn follow(&self, tail: Option<usize>, sender: &Sender) -> Result<(), EngineError> {
        let mut done = LogPosition::default();
        if let Some(lines) = tail {
            for chunk in self.tail(lines, None, &mut done).await? {
                send(chunk, &mut LogPosition::default(), sender).await;
            }
        }
        let followed = match self.engine.kind() {
            AddressKind::Docker => self.follow_live(&mut done, sender).await,
            AddressKind::Podman => self.follow_by_reading(&mut done, sender).await,
        };
        match followed {
            Ok(()) => self.send_rest(&mut done, sender).await,
            Err(EngineError::NotStarted { .. }) => Ok(()),
            // A removed container cannot be read; the lines so far are all.
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Passes on new output, until the container ends.
    async fn follow_live(&self, done: &mut LogPosition, sender: &Sender) -> Result<(), EngineError> {
        let ended = self.engine.wait_for_end(&self.id);
        tokio::pin!(ended);
        let mut live = Skip::new(self.open(true, None), *done);
        loop {
            tokio::select! {
                chunk = live.next() => match chunk {
                    Some(Ok(chunk)) => send(chunk, done, sender).await,
                    Some(Err(error)) if error.is_engine_gone() => return Err(error),
                    // The container's state decides whether this was the end of the log.
                    Some(Err(_)) | None => return ended.await.map(drop),
                },
                end = &mut ended => {
                    end?;
                    break;
                }
            }
        }
        while let Ok(Some(Ok(chunk))) = tokio::time::timeout(CLOCK_TOLERANCE, live.next()).await {
            send(chunk, done, sender).await;
        }
        Ok(())
    }

    /// Reads the log again whenever it has something new, until the container ends.
    async fn follow_by_reading(&self, done: &mut LogPosition, sender: &Sender) -> Result<(), EngineError> {
        let news = Notify::new();
        let listening = async {
            let mut live = self.open(true, Some(0));
            while let Some(Ok(_)) = live.next().await {
                news.notify_one();
            }
            // From here on, only the timer triggers another reading.
            std::future::pending::<()>().await;
        };
        let reading = async {
            loop {
                let began = Instant::now();
                if let Err(error) = self.send_rest(done, sender).await {
                    return error;
                }
                // A long log takes long to read: most of the time is left to other work.
                tokio::time::sleep((began.elapsed() * 10).max(PAUSE)).await;
                let _ = tokio::time::timeout(PATIENCE, news.notified()).await;
            }
        };
        tokio::select! {
            end = self.engine.wait_for_end(&self.id) => end.map(drop),
            error = reading => Err(error),
            () = listening => Ok(()),
        }
    }

    /// Passes on the lines of the log that were not handled yet.
    async fn send_rest(&self, done: &mut LogPosition, sender: &Sender) -> Result<(), EngineError> {
        let mut rest = Skip::new(self.open(false, None), *done);
        while let Some(chunk) = rest.next().await {
            match chunk {
                Ok(chunk) => send(chunk, done, sender).await,
                // Removed meanwhile.
                Err(error) if error.is_absence() => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Returns the last existing lines, after their context. All bytes read for them count as handled; `few` is the
    /// maximum number of lines to read.
    async fn tail(
        &self,
        lines: usize,
        few: Option<usize>,
        done: &mut LogPosition,
    ) -> Result<VecDeque<Chunk>, EngineError> {
        let mut tail = LogTail::new(lines, self.request.context);
        let mut log = self.open(false, few);
        while let Some(chunk) = log.next().await {
            let chunk = chunk?;
            done.add(&chunk);
            tail.push(chunk);
        }
        Ok(tail.into_chunks())
    }
}

/// Passes on a piece; counted bytes were passed on, wherever this is dropped. Without a receiver, the whole
/// task is about to be aborted.
async fn send(chunk: Chunk, done: &mut LogPosition, sender: &Sender) {
    let Ok(room) = sender.reserve().await else { return std::future::pending().await };
    done.add(&chunk);
    room.send(Ok(chunk));
}

/// Filter that drops the first bytes of a log.
pub(super) struct Skip {
    log: OutputStream,
    left: LogPosition,
}

impl Skip {
    pub(super) fn new(log: OutputStream, left: LogPosition) -> Self {
        Self { log, left }
    }

    pub(super) async fn next(&mut self) -> Option<Result<Chunk, EngineError>> {
        loop {
            let mut chunk = match self.log.next().await? {
                Ok(chunk) => chunk,
                Err(error) => return Some(Err(error)),
            };
            let left = self.left.of(chunk.stream);
            let skipped = chunk.bytes.len().min(*left);
            *left -= skipped;
            let _ = chunk.bytes.split_to(skipped);
            if !chunk.bytes.is_empty() {
                return Some(Ok(chunk));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn out(text: &'static str) -> Chunk {
        let bytes = Bytes::from_static(text.as_bytes());
        Chunk { stream: Stream::Stdout, bytes, time: None, is_context: false }
    }

    #[tokio::test]
    async fn skip_drops_delivered_bytes_per_stream() {
        let err = |text: &'static str| Chunk { stream: Stream::Stderr, ..out(text) };
        let log = OutputStream::new(stream::iter([out("abc"), err("xy"), out("def"), err("z")].map(Ok)));
        let mut rest = Skip::new(log, LogPosition { stdout: 4, stderr: 0 });
        let mut seen = Vec::new();
        while let Some(chunk) = rest.next().await {
            seen.push(chunk.expect("is good"));
        }
        assert_eq!(seen, [err("xy"), out("ef"), err("z")]);
    }
}
