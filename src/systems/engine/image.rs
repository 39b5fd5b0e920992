//! Images: their facts, names, removal, and pulls from a registry. Building them is `build`.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use bollard::models::{CreateImageInfo, ImageInspect};
use bollard::query_parameters::{
    CreateImageOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptionsBuilder, TagImageOptionsBuilder,
};

use super::error::{EngineError, ResourceKind};
use super::message::clean;
use super::output::watch;
use super::reference::{ImageReference, familiar};
use super::{ContainerEngine, READ_TIMEOUT, WRITE_TIMEOUT};
use crate::base::text::safe_line;
use crate::model::event::{ProgressUnit, Task};

/// Maximum silence of a pull; after it, the registry is taken for unresponsive. Podman is silent while it
/// unpacks a layer, which takes minutes for a large one.
const STALLED: Duration = Duration::from_secs(10 * 60);

/// Number of tries, and the pause between them, for a layer that is still in use.
const LOOKS: usize = 10;
const MOMENT: Duration = Duration::from_millis(200);

/// Facts of one image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageFacts {
    /// Id: `sha256:` and 64 digits.
    pub id: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Size in bytes.
    pub size: u64,
    /// Timestamp of its creation, as the engine writes it (RFC 3339).
    pub created: Option<String>,
    /// Default command.
    pub command: Vec<String>,
    /// Entry point.
    pub entrypoint: Vec<String>,
    /// Working directory.
    pub workdir: Option<String>,
    /// User; `None` is root.
    pub user: Option<String>,
    /// Environment.
    pub environment: BTreeMap<String, String>,
    /// Command of its health check; empty if it has none.
    pub health: Vec<String>,
}

/// One image in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageSummary {
    /// Id.
    pub id: String,
    /// Names, without the engines' markers for an image that has none.
    pub tags: Vec<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Size in bytes.
    pub size: u64,
    /// Timestamp of its creation, in seconds since 1970.
    pub created: i64,
}

impl ContainerEngine {
    /// Returns the facts of an image, by name or id; `None` if the engine does not have it.
    ///
    /// # Errors
    /// Fails if the name is invalid, or the engine does not answer.
    pub async fn image(&self, name: &str) -> Result<Option<ImageFacts>, EngineError> {
        ImageReference::parse(name)?;
        let doing = format!("look at image `{name}`");
        match self.read(&doing, || self.docker.inspect_image(name)).await {
            Ok(image) => Ok(Some(facts(image))),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns all images with a label, newest first.
    ///
    /// # Errors
    /// Fails if the engine does not answer.
    pub async fn images_with_label(&self, key: &str) -> Result<Vec<ImageSummary>, EngineError> {
        let filters = HashMap::from([("label", vec![key])]);
        let options = ListImagesOptionsBuilder::new().filters(&filters).build();
        let ask = || self.docker.list_images(Some(options.clone()));
        let answer = self.read("list images", ask).await?;
        let mut all: Vec<ImageSummary> = answer
            .into_iter()
            .map(|image| ImageSummary {
                id: with_algorithm(image.id),
                tags: image
                    .repo_tags
                    .iter()
                    .filter(|tag| *tag != "<none>:<none>")
                    .map(|tag| familiar(tag).to_owned())
                    .collect(),
                labels: image.labels.into_iter().collect(),
                size: u64::try_from(image.size).unwrap_or(0),
                created: image.created,
            })
            .collect();
        all.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.tags.cmp(&b.tags)));
        Ok(all)
    }

    /// Removes an image by name or id; returns `false` if there was none. A container that uses it keeps it.
    ///
    /// # Errors
    /// Fails if the image is in use.
    pub async fn remove_image(&self, name: &str) -> Result<bool, EngineError> {
        ImageReference::parse(name)?;
        let doing = format!("remove image `{name}`");
        let options = || Some(RemoveImageOptionsBuilder::new().build());
        let ask = || self.call(&doing, WRITE_TIMEOUT, self.docker.remove_image(name, options(), None));
        match self.retry(ask, EngineError::is_lost_image).await {
            Ok(_) => Ok(true),
            Err(error) if error.status() == Some(404) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes layers without a name, the last one first. A layer in use stays, as do the parents of each:
    /// the container of a cancelled instruction goes a moment after its client.
    pub(super) async fn remove_layers(&self, layers: &[String]) {
        let options = || Some(RemoveImageOptionsBuilder::new().noprune(true).build());
        for id in layers.iter().rev() {
            let facts = self.read("look at a layer", || self.docker.inspect_image(id)).await;
            if !facts.is_ok_and(|image| image.repo_tags.unwrap_or_default().is_empty()) {
                continue;
            }
            for _ in 0..LOOKS {
                let removed = self.docker.remove_image(id, options(), None);
                match self.call("remove a layer", WRITE_TIMEOUT, removed).await {
                    Err(error) if error.status() == Some(409) => tokio::time::sleep(MOMENT).await,
                    _ => break,
                }
            }
        }
    }

    /// Adds a name to an image.
    ///
    /// # Errors
    /// Fails if there is no such image, or the new name is invalid.
    pub async fn tag_image(&self, source: &str, target: &str) -> Result<(), EngineError> {
        ImageReference::parse(source)?;
        let name = ImageReference::parse(target)?;
        let options = TagImageOptionsBuilder::new().repo(name.name).tag(name.tag.unwrap_or("latest")).build();
        let doing = format!("tag image `{source}` as `{target}`");
        let ask = || self.call(&doing, READ_TIMEOUT, self.docker.tag_image(source, Some(options.clone())));
        self.retry(ask, EngineError::is_lost_image)
            .await
            .map_err(|error| error.or_not_found(ResourceKind::Image, source))
    }

    /// Checks that a text is a valid name of an image.
    ///
    /// # Errors
    /// Fails with the fault of an invalid name.
    pub fn check_name(text: &str) -> Result<(), EngineError> {
        ImageReference::parse(text).map(|_| ())
    }

    /// Pulls an image from its registry, without a login. The caller decides whether the network may be used.
    ///
    /// # Errors
    /// Fails if the registry does not have it, or cannot be reached.
    pub async fn pull(&self, name: &str, task: &Task) -> Result<(), EngineError> {
        let parsed = ImageReference::parse(name)?;
        // Without a tag, the engine would fetch every tag.
        let tag = parsed.digest.or(parsed.tag).unwrap_or("latest");
        let options = CreateImageOptionsBuilder::new().from_image(parsed.name).tag(tag).build();
        let mut answer = Box::pin(self.docker.create_image(Some(options), None, None));
        let doing = format!("pull image `{name}`");
        let mut layers = Layers::default();
        loop {
            let silent = |_| EngineError::Silent { address: self.address().to_owned(), doing: doing.clone() };
            let item = tokio::time::timeout(STALLED, watch(self, &mut answer)).await.map_err(silent)??;
            match item {
                None => break,
                Some(Ok(info)) => layers.report(info, task),
                Some(Err(error)) => {
                    return Err(match self.failed(&doing, &error).await {
                        EngineError::Refused { message, .. } => {
                            EngineError::pull(name, self.program(), message)
                        }
                        error => error,
                    });
                }
            }
        }
        // An engine that fails late ends the stream without an error.
        match self.image(name).await? {
            Some(_) => Ok(()),
            None => Err(EngineError::pull(name, self.program(), layers.last.unwrap_or_else(|| clean("")))),
        }
    }
}

/// Progress of the layers of an image.
#[derive(Default)]
struct Layers {
    bytes: HashMap<String, (u64, u64)>,
    last: Option<String>,
}

impl Layers {
    fn report(&mut self, info: CreateImageInfo, task: &Task) {
        if let Some(status) = info.status {
            let downloading = status == "Downloading";
            let layer = info.id.unwrap_or_default();
            if let Some(progress) = info.progress_detail
                && downloading
            {
                let count = |number: Option<i64>| number.and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
                self.bytes.insert(layer, (count(progress.current), count(progress.total)));
                let sum = |part: fn(&(u64, u64)) -> u64| self.bytes.values().map(part).sum::<u64>();
                task.progress(
                    sum(|b| b.0),
                    Some(sum(|b| b.1)).filter(|total| *total > 0),
                    ProgressUnit::Bytes,
                );
            } else {
                if let Some((done, total)) = self.bytes.get_mut(&layer) {
                    *done = *total;
                }
                let line = safe_line(status.trim()).into_owned();
                task.detail(line.clone());
                self.last = Some(line);
            }
        }
    }
}

fn facts(image: ImageInspect) -> ImageFacts {
    let config = image.config.unwrap_or_default();
    let text = |value: Option<String>| value.filter(|text| !text.is_empty());
    ImageFacts {
        id: with_algorithm(image.id.unwrap_or_default()),
        labels: config.labels.unwrap_or_default().into_iter().collect(),
        size: image.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
        created: text(image.created),
        command: config.cmd.unwrap_or_default(),
        entrypoint: config.entrypoint.unwrap_or_default(),
        workdir: text(config.working_dir),
        user: text(config.user),
        health: config.healthcheck.and_then(|check| check.test).unwrap_or_default(),
        environment: config
            .env
            .unwrap_or_default()
            .into_iter()
            .filter_map(|pair| pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())))
            .collect(),
    }
}

/// Adds the `sha256:` that Podman omits in some answers.
pub(super) fn with_algorithm(id: String) -> String {
    if id.len() == 64 && !id.contains(':') { format!("sha256:{id}") } else { id }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::{Event, Events, Sink};
    use bollard::models::ProgressDetail;
    use std::sync::{Arc, Mutex};

    #[test]
    fn pull_progress_sums_layers() {
        type Progress = Option<(u64, Option<u64>)>;
        struct Last(Arc<Mutex<Progress>>);
        impl Sink for Last {
            fn send(&self, event: Event) {
                if let Event::Progress { done, total, .. } = event {
                    *self.0.lock().expect("is not poisoned") = Some((done, total));
                }
            }
        }
        let last = Arc::new(Mutex::new(None));
        let task = Events::new(Last(last.clone())).start("image", "pulling");
        let mut layers = Layers::default();
        let mut tell = |id: &str, status: &str, progress: Option<(i64, i64)>| {
            let progress_detail = progress
                .map(|(current, total)| ProgressDetail { current: Some(current), total: Some(total) });
            let (id, status) = (Some(id.to_owned()), Some(status.to_owned()));
            layers.report(CreateImageInfo { id, status, progress_detail, ..Default::default() }, &task);
            *last.lock().expect("is not poisoned")
        };
        assert_eq!(tell("a", "Downloading", Some((1, 10))), Some((1, Some(10))));
        assert_eq!(tell("b", "Downloading", Some((5, 20))), Some((6, Some(30))));
        tell("a", "Download complete", None);
        assert_eq!(tell("b", "Downloading", Some((20, 20))), Some((30, Some(30))));
    }
}
