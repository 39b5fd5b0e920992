//! Leftovers of dead processes: finds and removes them. Only labels, owners and locks decide. Every
//! command that opens an engine removes them; `cki gc` does it on demand, and reports them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::base::files;
use crate::host::scratch::abandoned_scratch;
use crate::host::{self, Env};
use crate::model::container::Status;
use crate::model::identity::{COMPONENT, ResourceLabels, Retention, Role, RunId};
use crate::model::inventory::Inventory;
use crate::model::reference::Reference;
use crate::ops::runtime::engine::{OpenError, RunEngine};
use crate::ops::runtime::remove::RETAINED_MARK;
use crate::systems::engine::{ContainerEngine, Ender, EngineError, ImageSummary, orphaned_services};
use crate::systems::git;
use crate::systems::native::{ForwarderFacts, Native};

/// Prefix of the names of images that `cki build` gives.
const BUILT: &str = "localhost/cki/";

/// A kind of leftover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftoverKind {
    /// A container.
    Container,
    /// A network.
    Network,
    /// A volume.
    Volume,
    /// A process without an engine, or only its temporary directory.
    Process,
    /// A command in a container, whose `cki exec` is gone.
    Command,
    /// A demo: its directory and its images.
    Demo,
    /// A partly written directory.
    Directory,
    /// An unfinished clone.
    Clone,
    /// An image that a newer build has replaced.
    Image,
}

impl LeftoverKind {
    /// Returns the kind in one word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Network => "network",
            Self::Volume => "volume",
            Self::Process => "process",
            Self::Command => "command",
            Self::Demo => "demo",
            Self::Directory => "directory",
            Self::Clone => "clone",
            Self::Image => "image",
        }
    }
}

/// One leftover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// Its kind.
    pub kind: LeftoverKind,
    /// Its name on the engine, or its path.
    pub name: String,
    /// The run that made it.
    pub run: Option<String>,
    /// The component of the run or of the image.
    pub component: Option<String>,
}

impl Leftover {
    fn of(kind: LeftoverKind, name: String, who: &ResourceLabels) -> Self {
        Self { kind, name, run: Some(who.run.to_string()), component: Some(who.component.clone()) }
    }

    /// Returns a leftover that is found by its path.
    #[must_use]
    pub fn path(kind: LeftoverKind, path: &Path) -> Self {
        Self { kind, name: path.display().to_string(), run: None, component: None }
    }
}

/// The places that may have leftovers.
#[derive(Debug, Clone, Copy)]
pub struct GcScope<'a> {
    /// The engine in use.
    pub engine: &'a RunEngine,
    /// The processes of this machine, whatever the engine.
    pub native: &'a Native,
    /// The directory of clones.
    pub workspace: &'a Path,
    /// The environment, which names the directory for sockets.
    pub env: &'a Env,
}

impl GcScope<'_> {
    /// Removes leftovers, and returns their names.
    ///
    /// # Errors
    /// Fails when the engine does not list its resources.
    pub async fn remove(self) -> Result<Vec<String>, OpenError> {
        let mut names = Vec::new();
        if let Some(engine) = self.engine.containers() {
            // Runs whose owner is gone, and may have decided before. Most runs need no decision, and the engine is
            // then not queried for any.
            let undecided = Mutex::new(BTreeSet::new());
            let note = |who: &ResourceLabels| {
                let is_abandoned = is_abandoned(who);
                if is_abandoned && who.lifetime == Retention::Decided {
                    undecided.lock().unwrap_or_else(PoisonError::into_inner).insert(who.run.clone());
                }
                is_abandoned && who.lifetime == Retention::Owner
            };
            let mut all = vec![engine.prune(note).await?];
            let mut undecided = undecided.into_inner().unwrap_or_else(PoisonError::into_inner);
            if !undecided.is_empty() {
                // Listed after the owners were seen gone: an owner that ends later may still retain its run.
                for run in retained_runs(engine).await? {
                    undecided.remove(&run);
                }
                let is_left = |who: &ResourceLabels| is_abandoned(who) && undecided.contains(&who.run);
                all.push(engine.prune(is_left).await?);
            }
            for report in all {
                names.extend([report.containers, report.networks, report.volumes].concat());
            }
            for (container, ender) in engine.commands_of_killed_clients() {
                // A command that continues is left to `cki gc`, which reports it.
                if ender.end().await.is_ok() {
                    names.push(format!("command in {}", container.get(..12).unwrap_or(&container)));
                }
            }
        }
        names.extend(self.native.prune(is_abandoned).await?.into_iter().map(|who| who.name));
        let directories = self.directories().into_iter();
        // A directory that cannot be removed does no harm.
        let directories = directories.filter(|directory| files::remove_directory(directory).is_ok());
        let directories = directories.chain(git::remove_stale_clones(self.workspace));
        names.extend(directories.map(|path| path.display().to_string()));
        Ok(names)
    }

    /// Returns temporary directories.
    fn directories(self) -> Vec<PathBuf> {
        [orphaned_services(self.env), abandoned_scratch(self.env)].concat()
    }

    /// Returns the leftovers that [`collect_garbage`] would remove.
    ///
    /// # Errors
    /// Fails when the engine does not list its resources.
    pub async fn find(self) -> Result<Vec<Leftover>, OpenError> {
        let mut found = left_by_the_dead(self.engine).await?;
        if !self.engine.is_native() {
            found.extend(left_native(self.native)?);
        }
        found.extend(self.directories().iter().map(|path| Leftover::path(LeftoverKind::Directory, path)));
        found.extend(
            git::stale_clones(self.workspace).iter().map(|path| Leftover::path(LeftoverKind::Clone, path)),
        );
        Ok(found)
    }
}

/// Returns the leftovers on an engine.
///
/// # Errors
/// Fails when the engine does not list its resources.
pub async fn left_by_the_dead(engine: &RunEngine) -> Result<Vec<Leftover>, OpenError> {
    let containers = match engine {
        RunEngine::Containers(engine) => engine,
        RunEngine::Native(native) => return left_native(native),
    };
    let listed = tokio::join!(containers.list(None), containers.networks(), containers.volumes());
    let mut owned = Vec::new();
    let mut add = |kind: LeftoverKind, name: String, labels: &BTreeMap<String, String>| {
        owned.extend(identity(labels).map(|who| (kind, name, is_abandoned(&who), who)));
    };
    listed.0?.into_iter().for_each(|one| add(LeftoverKind::Container, one.name, &one.labels));
    listed.1?.into_iter().for_each(|one| add(LeftoverKind::Network, one.name, &one.labels));
    listed.2?.into_iter().for_each(|one| add(LeftoverKind::Volume, one.name, &one.labels));
    // Listed after the owners were seen gone: an owner that ends later may still retain its run.
    let (retained, hollow) = (retained_runs(containers).await?, empty_runs(containers).await?);
    let is_left = |abandoned: bool, who: &ResourceLabels| {
        (abandoned && !retained.contains(&who.run)) || is_of(who, &hollow)
    };
    let left = owned.into_iter().filter(|(.., abandoned, who)| is_left(*abandoned, who));
    Ok(left.map(|(kind, name, _, who)| Leftover::of(kind, name, &who)).collect())
}

fn left_native(native: &Native) -> Result<Vec<Leftover>, OpenError> {
    // A process that still lives is about to end; its removal waits for that.
    let dead = native.list()?.into_iter().filter(|one| is_abandoned(&one.identity));
    let dead = dead.map(|one| Leftover::of(LeftoverKind::Process, one.identity.name.clone(), &one.identity));
    let unfinished = native.unfinished()?;
    Ok(dead.chain(unfinished.iter().map(|path| Leftover::path(LeftoverKind::Directory, path))).collect())
}

/// Returns whether the owner of a resource is gone and did not keep it.
fn is_abandoned(who: &ResourceLabels) -> bool {
    matches!(who.lifetime, Retention::Owner | Retention::Decided) && !host::is_alive(&who.owner)
}

fn identity(labels: &BTreeMap<String, String>) -> Option<ResourceLabels> {
    ResourceLabels::from_labels(labels)
}

/// Returns the runs that a marker keeps.
async fn retained_runs(engine: &ContainerEngine) -> Result<BTreeSet<RunId>, EngineError> {
    let all = engine.volumes().await?;
    let all = all.iter().filter_map(|one| identity(&one.labels));
    let marks = all.filter(|who| who.lifetime == Retention::Retained && who.name == RETAINED_MARK);
    Ok(marks.map(|who| who.run).collect())
}

/// Returns retained runs that have lost every container to somebody else: only a network or the marker is
/// left, and no command will come for it.
async fn empty_runs(engine: &ContainerEngine) -> Result<BTreeSet<RunId>, EngineError> {
    let (networks, volumes) = tokio::join!(engine.networks(), engine.volumes());
    let (networks, volumes) = (networks?, volumes?);
    let labels = networks.iter().map(|one| &one.labels).chain(volumes.iter().map(|one| &one.labels));
    let is_retained = |who: &ResourceLabels| matches!(who.lifetime, Retention::Retained | Retention::Decided);
    let all = labels.filter_map(identity).filter(|who| is_retained(who) && who.role != Role::Data);
    let mut runs: BTreeSet<RunId> =
        all.filter(|who| !host::is_alive(&who.owner)).map(|who| who.run).collect();
    if !runs.is_empty() {
        // Listed last, so that it includes everything that dead owners have created until then.
        for one in engine.list(None).await? {
            if let Some(who) = identity(&one.labels) {
                runs.remove(&who.run);
            }
        }
    }
    Ok(runs)
}

/// Returns whether a resource belongs to one of these runs; data of a service never does.
fn is_of(who: &ResourceLabels, runs: &BTreeSet<RunId>) -> bool {
    who.role != Role::Data && runs.contains(&who.run)
}

/// The outcome of a collection, or of its dry run.
#[derive(Debug, Default)]
pub struct CollectedLeftovers {
    /// Removed leftovers.
    pub removed: Vec<Leftover>,
    /// Leftovers that could not be removed, each with the reason.
    pub remaining: Vec<String>,
}

/// Removes leftovers, and with `images` all images of that inventory's components except the newest. With
/// `dry`, nothing is removed.
///
/// # Errors
/// Fails when the engine does not list its resources.
pub async fn collect_garbage(
    dead: GcScope<'_>,
    images: Option<&Inventory>,
    dry: bool,
) -> Result<CollectedLeftovers, OpenError> {
    let mut found = dead.find().await?;
    let commands = abandoned_commands(dead.engine).await?;
    found.extend(commands.iter().map(|(leftover, _)| leftover.clone()));
    let forwarders = orphaned_forwarders(dead.engine, dead.native).await?;
    let of_forwarder = |one: &ForwarderFacts| {
        Leftover::of(LeftoverKind::Process, format!("ports of {}", one.identity.name), &one.identity)
    };
    found.extend(forwarders.iter().map(of_forwarder));
    let mut collected = CollectedLeftovers::default();
    if dry {
        collected.removed = found;
    } else {
        dead.remove().await?;
        if let Some(engine) = dead.engine.containers() {
            let hollow = empty_runs(engine).await?;
            if !hollow.is_empty() {
                engine.prune(|who| is_of(who, &hollow)).await?;
            }
        }
        let mut still = dead.find().await?;
        for forwarder in &forwarders {
            if dead.native.end_forwarder(forwarder).await.is_err() {
                still.push(of_forwarder(forwarder));
            }
        }
        for (leftover, ender) in commands {
            if ender.end().await.is_err() {
                still.push(leftover);
            }
        }
        let (left, removed) = found.into_iter().partition(|one| still.contains(one));
        collected.removed = removed;
        let left: Vec<Leftover> = left;
        let refused = |one: &Leftover| format!("{} `{}` could not be removed", one.kind.as_str(), one.name);
        collected.remaining = left.iter().map(refused).collect();
    }
    if let (Some(inventory), Some(engine)) = (images, dead.engine.containers()) {
        for image in old_images(engine, inventory).await? {
            let component = image.labels.get(COMPONENT).cloned();
            let names = if image.tags.is_empty() { vec![image.id] } else { image.tags };
            for name in names {
                let item =
                    Leftover { kind: LeftoverKind::Image, name, run: None, component: component.clone() };
                match if dry { Ok(true) } else { engine.remove_image(&item.name).await } {
                    Ok(true) => collected.removed.push(item),
                    Ok(false) => {}
                    // A container uses the image, of `cki` or of another program.
                    Err(error) if error.status() == Some(409) => {
                        collected.remaining.push(format!("image `{}` is in use", item.name));
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }
    Ok(collected)
}

/// Finds commands of `cki exec` and `cki shell` in running containers whose client is gone.
async fn abandoned_commands(engine: &RunEngine) -> Result<Vec<(Leftover, Ender)>, OpenError> {
    let Some(engine) = engine.containers() else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for one in engine.list(None).await? {
        let Some(who) = identity(&one.labels).filter(|_| one.status == Status::Running) else { continue };
        let enders = match engine.abandoned_commands(&one.id).await {
            // The container has ended in the meantime, and so have all its commands.
            Err(EngineError::NotRunning { .. } | EngineError::NotFound { .. }) => continue,
            enders => enders?,
        };
        let leftover = Leftover::of(LeftoverKind::Command, one.name.clone(), &who);
        found.extend(enders.into_iter().map(|ender| (leftover.clone(), ender)));
    }
    Ok(found)
}

/// Finds forwarders of published ports whose container or process no longer exists. They end by themselves,
/// unless somebody keeps them from it.
async fn orphaned_forwarders(engine: &RunEngine, native: &Native) -> Result<Vec<ForwarderFacts>, OpenError> {
    let mut forwarders = native.forwarders()?;
    forwarders.retain(ForwarderFacts::is_alive);
    if forwarders.is_empty() {
        return Ok(forwarders);
    }
    let place = |who: &ResourceLabels| (who.run.clone(), who.name.clone());
    let processes: BTreeSet<_> = native.list()?.iter().map(|one| place(&one.identity)).collect();
    // Another engine is not asked.
    let (address, containers) = match engine {
        RunEngine::Containers(engine) => (Some(engine.address()), engine.list(None).await?),
        RunEngine::Native(_) => (None, Vec::new()),
    };
    let containers: BTreeSet<_> =
        containers.iter().filter_map(|one| identity(&one.labels)).map(|who| place(&who)).collect();
    forwarders.retain(|one| match one.engine.as_deref() {
        None => !processes.contains(&place(&one.identity)),
        own if own == address => !containers.contains(&place(&one.identity)),
        Some(_) => false,
    });
    Ok(forwarders)
}

/// Returns the built images of components, except the newest of each and those that somebody gave a name
/// of their own. An image without a name is left from a cancelled build, or another image has taken its
/// name.
async fn old_images(
    engine: &ContainerEngine,
    inventory: &Inventory,
) -> Result<Vec<ImageSummary>, EngineError> {
    let mut seen = Vec::new();
    let mut old = Vec::new();
    for image in engine.images_with_label(COMPONENT).await? {
        let component = image.labels.get(COMPONENT).cloned().unwrap_or_default();
        let known = Reference::parse(&component).is_some_and(|one| inventory.get(&one).is_some());
        let is_built = image.tags.iter().all(|tag| tag.starts_with(BUILT));
        if !known || !is_built {
            continue;
        }
        if image.tags.is_empty() || seen.contains(&component) {
            old.push(image);
        } else {
            seen.push(component);
        }
    }
    Ok(old)
}
