//! Building an image from a packed context. Uses the classic builder, which both engines have; Dockerfiles
//! that need BuildKit fail with the engine's own message. Packing is `context`, the request `build_request`.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;

use super::ContainerEngine;
use super::build_error::of_refusal;
use super::build_lines::BuildLines;
use super::build_request::{BuildRequest, parameters};
use super::context::PackedContext;
use super::error::EngineError;
use super::image::with_algorithm;
use super::output::watch;
use super::reference::ImageReference;
use crate::model::event::{Event, Events, ProgressUnit, Stream, Task};

/// Bytes of each piece of the context.
const PIECE: usize = 256 << 10;

/// Maximum number of attempts at a build whose cached layers another program removes meanwhile.
const BUILD_ATTEMPTS: usize = 3;

/// Returns whether an engine could not find a layer that it had itself chosen from its cache. A concurrent
/// removal of images also removes unused layers, including those of an unfinished build. Docker reports the
/// first message, Podman (containers/storage) the others.
fn is_lost_layer(message: &str) -> bool {
    let is_of_cache = message.contains("cached image") || message.contains("layer");
    message.contains("unknown parent image ID")
        || message.contains("layer not known")
        || (is_of_cache
            && ["image not known", "identifier is not a"].iter().any(|text| message.contains(text)))
}

impl ContainerEngine {
    /// Builds an image and returns its id. Sends every line of output as an event of the task's subject, and
    /// the step as its progress. When this is dropped, Docker ends the build; Podman finishes the current
    /// instruction, and makes no image. A separate task removes the layers made until then;
    /// [`ContainerEngine::wait_for_pending`] waits for it.
    ///
    /// # Errors
    /// Fails if an instruction fails, with its step and the last lines of output.
    pub async fn build(
        &self,
        request: &BuildRequest,
        context: &PackedContext,
        task: &Task,
        events: &Events,
    ) -> Result<String, EngineError> {
        ImageReference::parse(&request.tag)?;
        let mut attempt = 1;
        loop {
            match self.build_once(request, context, task, events).await {
                Err(EngineError::BuildFailed { message, .. } | EngineError::PullFailed { message, .. })
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
        context: &PackedContext,
        task: &Task,
        events: &Events,
    ) -> Result<String, EngineError> {
        let parameters = parameters(self.kind(), request, context.dockerfile());
        let mut answer =
            Box::pin(self.send_build(parameters, reqwest::Body::wrap_stream(pieces(context.file()))));
        let doing = format!("build image `{}`", request.tag);
        let mut lines = BuildLines::new();
        let mut unfinished = UnfinishedBuild { engine: self.clone(), layers: Vec::new() };
        let mut id = None;
        task.detail(format!("sending {} to the engine", crate::base::text::bytes(context.size())));
        let show = |line: &str, step: Option<&super::build_lines::BuildStep>| {
            if let Some(step) = step {
                task.progress(step.number - 1, Some(step.of), ProgressUnit::Items);
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
                        task.detail(super::message::clean(&status));
                    }
                    id = info.aux.and_then(|image| image.id).or(id);
                }
                Some(Err(error)) => break Some(self.failed(&doing, &error).await),
            }
        };
        lines.finish(show);
        // The layers made so far are the next attempt's cache.
        unfinished.layers.clear();
        match failure {
            Some(EngineError::Refused { message, .. }) => {
                let (tag, step) = (&request.tag, lines.step.as_ref());
                Err(of_refusal(tag, step, self.program(), message, lines.last.into()))
            }
            Some(error) => Err(error),
            None => self.built(request, id, lines).await,
        }
    }

    /// Returns the id of the image; a stream that ends without naming one is a failure.
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

/// A build in progress, and the layers that it has made so far. If dropped before the build's end, the layers
/// are removed: they have no name, so no later clean-up would find them.
struct UnfinishedBuild {
    engine: ContainerEngine,
    layers: Vec<String>,
}

impl Drop for UnfinishedBuild {
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

/// Returns the bytes of a file in pieces, independent of its position.
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
    fn is_lost_layer_matches_lost_layers_only() {
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
