//! What a deployment gives to a container: its environment, command, ports and probe, read from
//! Kubernetes and OpenShift objects, from kustomizations and from Compose files. Pure: the files are
//! asked for through [`Files`]. What is made of it for a local run is for [`super::environment`] and
//! `ops`.
//!
//! What is not understood is never passed over in silence: it becomes a finding with its place.

mod candidate;
mod compose;
mod container;
pub mod expansion;
mod field_path;
mod files;
mod generator;
mod interpolation;
mod json_patch;
mod kustomize;
mod manifest;
mod merge;
mod object;
mod patch;
mod probe;
mod reference;
mod replacement;
mod scalar;
mod selector;
mod template;
mod transform;
mod variable;

use std::ops::Range;
use std::rc::Rc;

use crate::base::secret::Secret;
use crate::base::text;
use crate::base::yaml::tree::{Node, Spot};
use crate::base::yaml::{Position, YamlError};
use crate::model::inventory::Finding;
use crate::model::probe::Ready;
use candidate::Candidate;
use compose::Projects;
use expansion::Piece;
pub use files::{FileKind, FileTrouble, Files};
use files::{Reader, name_of};
pub use interpolation::fill;
use object::Object;

/// A container as its deployment has it.
#[derive(Debug, Clone, Default)]
pub struct Container {
    /// What it is called there: `Deployment/web, container app`.
    pub label: String,
    /// Where it is written: `file:line`.
    pub place: String,
    /// The image.
    pub image: Option<String>,
    /// What takes the place of the image's entry point.
    pub command: Vec<Vec<Piece>>,
    /// What takes the place of the image's arguments.
    pub args: Vec<Vec<Piece>>,
    /// The variables that Compose has put into command and health check, with their values: names may
    /// say that they are secret.
    pub interpolated: Vec<(String, Secret)>,
    /// The working directory.
    pub workdir: Option<String>,
    /// Ports it listens on.
    pub ports: Vec<u16>,
    /// How to know that it is ready.
    pub ready: Option<Ready>,
    /// Its variables, in the order in which they are defined.
    pub variables: Vec<Given>,
    /// What must have ended well before it starts, one after the other.
    pub init: Vec<Container>,
}

impl Container {
    /// Whether another container has the same image, whatever the version. Two of which nobody knows
    /// theirs, as where a parameter of a template has no value, are taken to have the same.
    #[must_use]
    pub fn shares_image(&self, other: &Self) -> bool {
        let repository =
            |container: &Self| container.image.as_deref().map(|image| repository_of(image).to_owned());
        repository(self) == repository(other)
    }
}

/// An image without its tag and digest.
fn repository_of(image: &str) -> &str {
    let image = image.split_once('@').map_or(image, |(image, _)| image);
    match image.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => image,
    }
}

/// A variable that a deployment gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The name.
    pub name: String,
    /// Where it is written: `file:line`.
    pub place: String,
    /// What it is there.
    pub value: GivenValue,
    /// The variables that Compose put into its text.
    pub parts: Vec<Part>,
    /// The text with nothing in the place of the variables that have no value, where the value is
    /// unknown for lack of them alone.
    pub draft: Option<String>,
}

/// A variable that an interpolation put into a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// The bytes of the text that it stands for; empty for one without a value.
    pub range: Range<usize>,
    /// Whether it has a value, or a default that took its place.
    pub known: bool,
}

/// What a variable is in a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GivenValue {
    /// A value, put together from text and the variables before it.
    Text(Vec<Piece>),
    /// A key of a Secret. What it holds is never read.
    Secret {
        /// The Secret.
        secret: String,
        /// The key.
        key: String,
    },
    /// What only the cluster knows: `metadata.namespace`, `limits.memory`.
    Field(String),
    /// It cannot be known from the files, for this reason.
    Unknown(String),
    /// Whoever deploys must give it, for this reason.
    Required(String),
}

/// What was read.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// The component's container.
    pub container: Container,
    /// What was not understood.
    pub findings: Vec<Finding>,
}

/// One thing to read.
#[derive(Clone, Copy)]
pub struct Item<'a> {
    /// The repository's files.
    pub files: &'a dyn Files,
    /// A file or folder in it.
    pub path: &'a str,
    /// The container that is meant: `container`, or `workload/container`.
    pub container: Option<&'a str>,
    /// Where the inventory says so: `file:line`.
    pub place: &'a str,
}

/// A deployment that cannot be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DeploymentError {
    /// A file is not YAML.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileTrouble),
    /// The inventory names something that is not there.
    #[error("{place}: the deployment has no file or folder `{path}`")]
    Missing {
        /// Where it is named.
        place: String,
        /// The path.
        path: String,
    },
    /// A path leads out of the repository.
    #[error("{place}: `{path}` leads out of the repository")]
    Outside {
        /// Where it is named.
        place: String,
        /// The path.
        path: String,
    },
    /// More files than any deployment needs.
    #[error("{file}: the deployment is too large to be read: more than 4000 files, or 64 MiB")]
    TooMuch {
        /// Where it became too much.
        file: String,
    },
    /// Kustomizations that build on each other.
    #[error("{place}: the kustomization `{path}` is built on itself")]
    Cycle {
        /// Where it is named.
        place: String,
        /// The folder.
        path: String,
    },
    /// Something that makes no sense.
    #[error("{place}: {message}")]
    Wrong {
        /// `file:line`.
        place: String,
        /// What is wrong.
        message: String,
    },
    /// Nothing in there runs anything.
    #[error("{place}: the deployment has no container: no workload of Kubernetes, no Compose service")]
    NoContainer {
        /// Where the inventory names it.
        place: String,
        /// What was not understood, and may be why.
        #[source]
        because: Option<Box<Because>>,
    },
    /// The container that is meant is not there.
    #[error("{place}: the deployment has no container `{wanted}`; it has {}", text::join_and(candidates))]
    NoSuch {
        /// Where the inventory names it.
        place: String,
        /// What is meant.
        wanted: String,
        /// What there is.
        candidates: Vec<String>,
        /// What was not understood, and may be why.
        #[source]
        because: Option<Box<Because>>,
    },
    /// Several containers may be meant.
    #[error("{place}: which container is `{component}`? The deployment has {}", text::join_and(candidates))]
    Ambiguous {
        /// Where the inventory names the deployment.
        place: String,
        /// The component.
        component: String,
        /// What there is.
        candidates: Vec<String>,
        /// What was not understood, and may be why.
        #[source]
        because: Option<Box<Because>>,
    },
}

/// Something that was not understood, and the next.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{finding}")]
pub struct Because {
    finding: Finding,
    #[source]
    next: Option<Box<Because>>,
}

impl Because {
    /// The first of what was not understood.
    fn of(findings: &[Finding]) -> Option<Box<Self>> {
        let shown = findings.iter().take(SHOWN).rev();
        shown.fold(None, |next, finding| Some(Box::new(Self { finding: finding.clone(), next })))
    }
}

/// So many reasons are shown of an error.
const SHOWN: usize = 5;

impl DeploymentError {
    /// The same as something that was not understood, where the rest still holds.
    fn into_finding(self) -> Finding {
        let message = self.to_string();
        let (place, message) = match self {
            Self::Yaml(YamlError { file, position, message }) => return Finding { file, position, message },
            Self::File(FileTrouble { path, why }) => {
                return Finding {
                    file: path,
                    position: None,
                    message: format!("this cannot be read: {why}"),
                };
            }
            Self::TooMuch { file } => return Finding { file, position: None, message },
            Self::Wrong { place, message } => (place, message),
            Self::Missing { place, path } => (place, format!("there is no file or folder `{path}`")),
            Self::Outside { place, path } => (place, format!("`{path}` leads out of the repository")),
            Self::Cycle { place, path } => (place, format!("the kustomization `{path}` is built on itself")),
            Self::NoContainer { place, .. } | Self::NoSuch { place, .. } | Self::Ambiguous { place, .. } => {
                (place, message)
            }
        };
        let at = place.rsplit_once(':').and_then(|(file, line)| Some((file.to_owned(), line.parse().ok()?)));
        match at {
            Some((file, line)) => Finding { file, position: Some(Position { line, column: 1 }), message },
            None => Finding { file: place, position: None, message },
        }
    }
}

/// What is wrong at a place.
fn wrong(spot: &Spot, message: impl Into<String>) -> DeploymentError {
    DeploymentError::Wrong { place: spot.line(), message: message.into() }
}

/// What was not understood at a place.
fn finding(spot: &Spot, message: impl Into<String>) -> Finding {
    Finding { file: spot.file.to_string(), position: Some(spot.position), message: message.into() }
}

/// No container has more variables.
const VARIABLES: usize = 5000;

/// Whether there are too many; the first that is left out is named.
fn is_full(variables: &[Given], spot: &Spot, findings: &mut Vec<Finding>) -> bool {
    is_full_at(variables.len(), spot, findings)
}

/// Whether so many variables are too many; the first that is left out is named.
fn is_full_at(count: usize, spot: &Spot, findings: &mut Vec<Finding>) -> bool {
    let full = count >= VARIABLES;
    let message = format!("there are more than {VARIABLES} variables, and the rest is left out");
    if full && findings.last().is_none_or(|last| last.message != message) {
        findings.push(finding(spot, message));
    }
    full
}

/// All that was found in the files.
#[derive(Default)]
struct Pool<'a> {
    objects: Vec<Object>,
    projects: Projects<'a>,
    findings: Vec<Finding>,
    /// Whether something was not read that may have the component's container.
    is_incomplete: bool,
}

/// Reads the deployment of a component.
///
/// # Errors
/// When a file cannot be read or makes no sense, or it is not clear which container is meant.
pub fn read(component: &str, items: &[Item<'_>]) -> Result<Deployment, DeploymentError> {
    let mut pool = Pool::default();
    for item in items {
        let reader = Rc::new(Reader::new(item.files));
        let outside = || DeploymentError::Outside { place: item.place.into(), path: item.path.into() };
        let path = files::resolved("", item.path).ok_or_else(outside)?;
        match reader.kind(&path)? {
            None => {
                return Err(DeploymentError::Missing { place: item.place.into(), path: item.path.into() });
            }
            Some(FileKind::Folder) => read_folder(&reader, &path, &mut pool)?,
            Some(FileKind::File) if kustomize::is_name(name_of(&path)) => {
                let objects = kustomize::build(&reader, files::folder_of(&path), &mut pool.findings)?;
                pool.objects.extend(objects);
            }
            Some(FileKind::File) => read_file(&reader, &path, &mut pool)?,
        }
        pool.is_incomplete |= reader.has_lost();
    }
    pool.objects = object::last_applied(std::mem::take(&mut pool.objects), &mut pool.findings);
    object::note_kinds(&pool.objects, &mut pool.findings);
    let services = pool.projects.services();
    let candidates = Candidate::all(&pool.objects, &services);
    let chosen = candidate::choose(component, items, &candidates, pool.is_incomplete, &mut pool.findings)?;
    let container = match chosen {
        Candidate::Container(one) => container::read(one, &pool.objects, &mut pool.findings),
        Candidate::Service(service) => pool.projects.container(service, &mut pool.findings),
    };
    Ok(Deployment { container, findings: pool.findings })
}

fn read_folder<'a>(
    reader: &Rc<Reader<'a>>,
    folder: &str,
    pool: &mut Pool<'a>,
) -> Result<(), DeploymentError> {
    if kustomize::file_in(reader, folder)?.is_some() {
        let objects = kustomize::build(reader, folder, &mut pool.findings)?;
        pool.objects.extend(objects);
        return Ok(());
    }
    if manifest::note_chart(reader, folder, &mut pool.findings)? {
        return Ok(());
    }
    let mut names = reader.names(folder)?;
    manifest::note_templates(reader, folder, &names, &mut pool.findings)?;
    compose::in_order(folder, &mut names, pool, reader);
    for name in names {
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        let is_read = [".yaml", ".yml", ".json"].iter().any(|end| name.ends_with(end));
        if is_read && reader.is_file(&path)? {
            read_file(reader, &path, pool)?;
        }
    }
    Ok(())
}

fn read_file<'a>(reader: &Rc<Reader<'a>>, path: &str, pool: &mut Pool<'a>) -> Result<(), DeploymentError> {
    let (documents, tags) = reader.tagged_manifests(path, &mut pool.findings)?;
    for document in documents {
        if document.get("kind").is_some() {
            pool.objects.extend(object::from_document(document, &mut pool.findings)?);
        } else if compose::is_project(&document) {
            pool.projects.add(reader, path, document, &tags)?;
        } else {
            let message = "this is neither an object of Kubernetes nor a Compose file, and is not read";
            pool.findings.push(finding(&document.spot, message));
        }
    }
    Ok(())
}

/// A list of texts; anything else in it is named.
fn texts(node: Option<&Node>, what: &str, findings: &mut Vec<Finding>) -> Vec<(String, Spot)> {
    let Some(node) = node else { return Vec::new() };
    if node.items().is_empty() && !matches!(node.value, crate::base::yaml::tree::Value::List(_)) {
        findings.push(finding(&node.spot, format!("`{what}` is no list, and is not read")));
    }
    let mut found = Vec::new();
    for item in node.items() {
        match item.text() {
            Some(text) => found.push((text.to_owned(), item.spot.clone())),
            None => findings.push(finding(&item.spot, format!("this item of `{what}` is no text"))),
        }
    }
    found
}

#[cfg(test)]
mod tests;
