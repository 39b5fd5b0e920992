//! Plans the change of an image in production: the workload, what it runs, what it would run, and the patch. The cluster
//! checks the patch, and nothing is changed.

use jiff::Timestamp;
use serde_json::Value;

use super::image_error::ImageError;
use crate::model::inventory::Component;
use crate::model::workload::{
    IMAGE_STREAMS, ImageChange, RunningContainer, StreamTag, Workload, belongs_to, digest_of, digests_of_tag,
    earlier_images, has_digest, retag, revision_kinds, set_image, stream_tag, workloads,
};
use crate::ops::status::read_workloads;
use crate::systems::kubectl::{ClusterTarget, Kubectl};
use crate::systems::registry::{Registry, RegistryError, RegistryImage};

/// The image to go back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageChoice {
    /// The one before.
    Previous,
    /// The one with a digest: `sha256:…`.
    Digest(String),
}

/// A change of an image to plan.
#[derive(Debug, Clone)]
pub struct ImageRequest<'a> {
    /// The component.
    pub component: &'a Component,
    /// Names that its workload may have.
    pub names: &'a [String],
    /// `kind/name` of the workload, if there are several.
    pub workload: Option<&'a str>,
    /// Container, if there are several.
    pub container: Option<&'a str>,
    /// The image.
    pub choice: ImageChoice,
    /// Reason, in the words of the user.
    pub reason: &'a str,
    /// The current time.
    pub now: Timestamp,
}

/// The plan of a change of an image.
#[derive(Debug, Clone)]
pub struct ImagePlan {
    /// Name of the component.
    pub component: String,
    /// Cluster and namespace.
    pub target: ClusterTarget,
    /// Kind of the workload.
    pub kind: String,
    /// Name of the workload.
    pub name: String,
    /// The container as it runs.
    pub container: RunningContainer,
    /// Time since which it runs.
    pub since: Option<Timestamp>,
    /// Tag of the ImageStream that is changed in place of the workload.
    pub stream: Option<StreamTag>,
    /// The new image.
    pub new_image: String,
    /// Its digest.
    pub new_digest: String,
    /// A fact that could not be checked, as a sentence.
    pub unchecked: Option<String>,
    /// The patch.
    pub change: ImageChange,
}

impl ImagePlan {
    /// Returns the image that runs, with its digest if it is known.
    #[must_use]
    pub fn current(&self) -> String {
        let RunningContainer { image, digests, .. } = &self.container;
        match digests.first() {
            Some(digest) if digest_of(image).is_none() => format!("{image} ({digest})"),
            _ => image.clone(),
        }
    }

    /// Returns whether another plan changes the same thing in the same way; the version of the object may differ.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        (&self.kind, &self.name, &self.container, &self.stream, &self.new_image, &self.new_digest)
            == (
                &other.kind,
                &other.name,
                &other.container,
                &other.stream,
                &other.new_image,
                &other.new_digest,
            )
    }
}

/// A new image.
struct NewImage {
    image: String,
    digest: String,
    unchecked: Option<String>,
}

/// Plans the change, and lets the cluster check it.
///
/// # Errors
/// Fails when the workload, its container or its image is not known for sure, or the cluster does not take the change.
pub async fn plan_image(
    kubectl: &Kubectl,
    registry: &Registry,
    request: &ImageRequest<'_>,
) -> Result<ImagePlan, ImageError> {
    kubectl.check_context().await?;
    let (objects, pods) = tokio::try_join!(read_workloads(kubectl), kubectl.all("pods"))?;
    let (workload, object) = choose(kubectl.target(), request, &objects, &pods)?;
    let container = container_of(request, &workload)?;
    let tag = stream_tag(&object, &container.name);
    let note = note(request, &container);
    let (new, change) = match &tag {
        Some(tag) => of_stream(kubectl, request, &workload, tag, &note).await?,
        None => {
            let new = of_revisions(kubectl, registry, request, &workload, &object, &container).await?;
            let change = set_image(&object, &container.name, &new.image, &note);
            (new, change)
        }
    };
    if container.digests.first() == Some(&new.digest) && container.digests.len() == 1 {
        return Err(ImageError::Same { workload: workload.name, digest: new.digest });
    }
    kubectl.patch((&change.kind, &change.name), change.patch_type, &change.patch, true).await?;
    Ok(ImagePlan {
        component: request.component.name().to_owned(),
        target: kubectl.target().clone(),
        kind: workload.kind,
        name: workload.name,
        container,
        since: workload.since,
        stream: tag,
        new_image: new.image,
        new_digest: new.digest,
        unchecked: new.unchecked,
        change,
    })
}

/// Returns the annotation that records the change.
fn note(request: &ImageRequest<'_>, container: &RunningContainer) -> String {
    let reason: String = request.reason.chars().filter(|c| !c.is_control()).take(500).collect();
    format!("{} from {}: {reason}", request.now, container.image)
}

fn choose(
    target: &ClusterTarget,
    request: &ImageRequest<'_>,
    objects: &[Value],
    pods: &[Value],
) -> Result<(Workload, Value), ImageError> {
    let name = |one: &Workload| format!("{}/{}", one.kind.to_lowercase(), one.name);
    let mut found = workloads(objects, pods);
    found.retain(|one| one.merge_request.is_none() && belongs_to(one, request.names));
    if let Some(wanted) = request.workload {
        found.retain(|one| name(one).eq_ignore_ascii_case(wanted));
    }
    let component = request.component.name().to_owned();
    match found.as_slice() {
        [one] => {
            let is_it = |object: &&Value| {
                object["kind"] == one.kind.as_str() && object["metadata"]["name"] == one.name.as_str()
            };
            let object = objects.iter().find(is_it).cloned().unwrap_or_default();
            Ok((one.clone(), object))
        }
        [] => Err(ImageError::NoWorkload {
            namespace: target.namespace.clone(),
            component,
            names: request.names.iter().map(|name| format!("`{name}`")).collect(),
        }),
        several => {
            let workloads = several.iter().map(|one| format!("`{}`", name(one))).collect();
            Err(ImageError::Several { component, workloads })
        }
    }
}

fn container_of(request: &ImageRequest<'_>, workload: &Workload) -> Result<RunningContainer, ImageError> {
    let all = &workload.containers;
    let named = |name: &str| all.iter().find(|one| one.name == name);
    let found = match (request.container, all.as_slice()) {
        (Some(name), _) => named(name),
        (None, [one]) => Some(one),
        (None, _) => named(&workload.name).or_else(|| named(request.component.name())),
    };
    found.cloned().ok_or_else(|| ImageError::Container {
        workload: workload.name.clone(),
        containers: all.iter().map(|one| format!("`{}`", one.name)).collect(),
    })
}

async fn of_stream(
    kubectl: &Kubectl,
    request: &ImageRequest<'_>,
    workload: &Workload,
    tag: &StreamTag,
    note: &str,
) -> Result<(NewImage, ImageChange), ImageError> {
    let namespace = kubectl.target().namespace.as_str();
    let absent = || ImageError::NoStream { workload: workload.name.clone(), stream: tag.stream.clone() };
    if tag.namespace.as_deref().is_some_and(|other| other != namespace) {
        return Err(absent());
    }
    let stream = kubectl.find_object(IMAGE_STREAMS, &tag.stream).await?.ok_or_else(absent)?;
    let digest = match &request.choice {
        ImageChoice::Digest(digest) if has_digest(&stream, digest) => digest.clone(),
        ImageChoice::Digest(digest) => {
            return Err(ImageError::NotInStream { stream: tag.stream.clone(), digest: digest.clone() });
        }
        ImageChoice::Previous => {
            let all = digests_of_tag(&stream, &tag.tag);
            let earlier = all.iter().find(|one| Some(*one) != all.first());
            earlier.cloned().ok_or_else(|| no_previous(request, workload))?
        }
    };
    let change = retag(&stream, tag, &digest, namespace, note);
    let image = format!("{}@{digest}", tag.stream);
    Ok((NewImage { image, digest, unchecked: None }, change))
}

async fn of_revisions(
    kubectl: &Kubectl,
    registry: &Registry,
    request: &ImageRequest<'_>,
    workload: &Workload,
    object: &Value,
    container: &RunningContainer,
) -> Result<NewImage, ImageError> {
    let image = match &request.choice {
        ImageChoice::Digest(digest) => {
            let image = RegistryImage::parse(&container.image)?;
            let unchecked = match registry.digest(&image, digest).await {
                Ok(_) => None,
                Err(error @ RegistryError::NoTag { .. }) => return Err(error.into()),
                // A registry that only the cluster may read.
                Err(error) => Some(format!("Whether the image exists was not checked: {error}.")),
            };
            return Ok(NewImage {
                image: format!("{}@{digest}", image.name()),
                digest: digest.clone(),
                unchecked,
            });
        }
        ImageChoice::Previous => {
            let revisions = kubectl.all(revision_kinds(&workload.kind)).await?;
            let earlier = earlier_images(object, &container.name, &revisions).into_iter().next();
            earlier.ok_or_else(|| no_previous(request, workload))?
        }
    };
    if let Some(digest) = digest_of(&image) {
        return Ok(NewImage { image, digest, unchecked: None });
    }
    let name = RegistryImage::parse(&image)?;
    let tag = image.rsplit_once(':').map(|(_, tag)| tag).filter(|tag| !tag.contains('/')).unwrap_or("latest");
    let digest = registry.digest(&name, tag).await?;
    let unchecked = Some(format!("The tag `{tag}` may have moved since that image ran."));
    Ok(NewImage { image: format!("{}@{digest}", name.name()), digest, unchecked })
}

fn no_previous(request: &ImageRequest<'_>, workload: &Workload) -> ImageError {
    let (workload, component) = (workload.name.clone(), request.component.name().to_owned());
    ImageError::NoPrevious { workload, component }
}
