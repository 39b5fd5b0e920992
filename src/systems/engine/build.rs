//! Building an image from a context that was packed before. The engine's classic builder is used,
//! which both engines have; what only BuildKit understands fails with the engine's own words.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;

use super::ContainerEngine;
use super::build_lines::BuildLines;
use super::build_request::{BuildRequest, parameters};
use super::context::Packed;
use super::error::EngineError;
use super::image::with_algorithm;
use super::output::watch;
use super::reference::Reference;
use crate::model::event::{Event, Events, Stream, Task, Unit};

/// The context is sent in pieces of this size.
const PIECE: usize = 256 << 10;

/// Most attempts at a build whose cached layers another program removes meanwhile.
const BUILD_ATTEMPTS: usize = 3;

/// Returns whether an engine could not find a layer that it had itself chosen from its cache. A concurrent
/// removal of images takes along the layers that no image uses any more, those of an unfinished build
/// among them. Docker says the first, Podman (containers/storage) the others.
fn is_lost_layer(message: &str) -> bool {
    let is_of_cache = message.contains("cached image") || message.contains("layer");
    message.contains("unknown parent image ID")
        || message.contains("layer not known")
        || (is_of_cache
            && ["image not known", "identifier is not a"].iter().any(|text| message.contains(text)))
}

impl ContainerEngine {
    /// Builds an image and returns its id. Every line of output is sent as an event of the task's
    /// subject, and the step is its progress. Docker ends the build when this is dropped; Podman
    /// lets the instruction that runs come to its end, and makes no image. The layers that were made
    /// until then are removed in a task of its own, for which [`ContainerEngine::settled`] waits.
    ///
    /// # Errors
    /// When an instruction fails, with its step and the last lines of output.
    pub async fn build(
        &self,
        request: &BuildRequest,
        context: &Packed,
        task: &Task,
        events: &Events,
    ) -> Result<String, EngineError> {
        Reference::parse(&request.tag)?;
        let mut attempt = 1;
        loop {
            match self.build_once(request, context, task, events).await {
                Err(EngineError::BuildFailed { message, .. })
                    if attempt < BUILD_ATTEMPTS && is_lost_layer(&message) =>
                {
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    async fn build_once(
        &self,
        request: &BuildRequest,
        context: &Packed,
        task: &Task,
        events: &Events,
    ) -> Result<String, EngineError> {
        let parameters = parameters(self.kind(), request, context.dockerfile());
        let mut answer =
            Box::pin(self.send_build(parameters, reqwest::Body::wrap_stream(pieces(context.file()))));
        let doing = format!("build image `{}`", request.tag);
        let mut lines = BuildLines::new();
        let mut unfinished = Unfinished { engine: self.clone(), layers: Vec::new() };
        let mut id = None;
        task.detail(format!("sending {} to the engine", crate::base::text::bytes(context.size())));
        let show = |line: &str, step: Option<&super::build_lines::Step>| {
            if let Some(step) = step {
                task.progress(step.number - 1, Some(step.of), Unit::Items);
                task.detail(step.instruction.clone());
            }
            let (subject, text) = (task.subject().to_owned(), line.to_owned());
            events.send(Event::Line { subject, stream: Stream::Stderr, text });
        };
        let failure = loop {
            match watch(self, &mut answer).await? {
                None => break None,
                Some(Ok(info)) => {
                    if let Some(text) = info.stream {
                        lines.push(&text, show);
                        unfinished.layers.extend(lines.new_layers());
                    }
                    if let Some(status) = info.status {
                        task.detail(super::error::clean(&status));
                    }
                    id = info.aux.and_then(|image| image.id).or(id);
                }
                Some(Err(error)) => break Some(self.failed(&doing, &error).await),
            }
        };
        lines.finish(show);
        // What was made is the next attempt's cache.
        unfinished.layers.clear();
        match failure {
            Some(EngineError::Refused { message, .. }) => Err(EngineError::BuildFailed {
                tag: request.tag.clone(),
                step: lines.step.map(|step| step.to_string()),
                message,
                last: lines.last.into(),
            }),
            Some(error) => Err(error),
            None => self.built(request, id, lines).await,
        }
    }

    /// The id of what was built; a stream that ends without naming an image has not built one.
    async fn built(
        &self,
        request: &BuildRequest,
        id: Option<String>,
        lines: BuildLines,
    ) -> Result<String, EngineError> {
        match (id, self.image(&request.tag).await?) {
            (Some(id), Some(_)) => Ok(with_algorithm(id)),
            _ => Err(EngineError::BuildFailed {
                tag: request.tag.clone(),
                step: lines.step.map(|step| step.to_string()),
                message: "the build ended without an image".to_owned(),
                last: lines.last.into(),
            }),
        }
    }
}

/// A build that has not ended, and the layers that it has made so far. Dropped before its end, they go:
/// nobody has given them a name, so that nobody would find them.
struct Unfinished {
    engine: ContainerEngine,
    layers: Vec<String>,
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let layers = std::mem::take(&mut self.layers);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if layers.is_empty() {
            return;
        }
        let engine = self.engine.clone();
        let making = Arc::clone(&engine.shared.making).try_read_owned();
        runtime.spawn(async move {
            engine.remove_layers(&layers).await;
            drop(making);
        });
    }
}

/// The bytes of a file, piece by piece, wherever its own position is.
fn pieces(file: &Arc<File>) -> impl futures_util::Stream<Item = Result<Bytes, io::Error>> + use<> {
    stream::try_unfold((Arc::clone(file), 0u64), |(file, at)| async move {
        let read = tokio::task::spawn_blocking(move || {
            let mut piece = vec![0; PIECE];
            let count = file.read_at(&mut piece, at)?;
            piece.truncate(count);
            Ok::<_, io::Error>((piece, file))
        });
        let (piece, file) = read.await.map_err(io::Error::other)??;
        let next = at + piece.len() as u64;
        Ok((!piece.is_empty()).then(|| (Bytes::from(piece), (file, next))))
    })
}

#[cfg(test)]
mod tests {
    use super::is_lost_layer;

    #[test]
    fn only_a_layer_lost_by_the_engine_is_worth_another_attempt() {
        for lost in [
            "unknown parent image ID sha256:0123",
            "checking if cached image exists from a previous build: getting top layer info: layer not known",
            "reading layers of cached image: image not known",
        ] {
            assert!(is_lost_layer(lost), "{lost}");
        }
        for other in
            ["initializing source docker://x: image not known", "process exited with 1", "no such file"]
        {
            assert!(!is_lost_layer(other), "{other}");
        }
    }
}
