//! `cki build`: builds the image of a component from its clone, through the engine's API. An image of the
//! same sources is not built again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::base::digest;
use crate::base::files::{self, FileError};
use crate::base::source_dir::SourceDir;
use crate::base::text::{join_and, safe_line};
use crate::model::event::{Events, TaskOutcome};
use crate::model::guard::{DenyList, FetchLimits, RefusedFetch};
use crate::model::identity::COMPONENT;
use crate::model::inventory::{Build, BuildNetwork, Component};
use crate::ops::clone::source::{self, Source};
use crate::ops::shared::op_context::OpContext;
use crate::ops::shared::production::{BlockedHosts, OWN_NAMES};
use crate::systems::engine::context::{self, Dockerfile, PackedContext};
use crate::systems::engine::{BuildRequest, ContainerEngine};
use crate::systems::git::CommitId;
use crate::systems::preprocessor;

/// The label with the commit that an image was built from.
pub const COMMIT: &str = "cki.commit";
/// The label that marks an image of uncommitted changes.
pub const DIRTY: &str = "cki.dirty";
/// The label with the merge request.
pub const MERGE_REQUEST: &str = "cki.merge-request";
/// The label with the digest of all inputs of an image.
const INPUTS: &str = "cki.inputs";
/// Maximum bytes of a build file.
const LIMIT: u64 = 4 << 20;
/// Maximum number of paths to name.
const NAMED: usize = 5;

/// The options of a build.
#[derive(Debug, Clone, Default)]
pub struct BuildOptions {
    /// Build from this merge request.
    pub merge_request: Option<u64>,
    /// A second name for the image.
    pub tag: Option<String>,
    /// Repeat every step.
    pub no_cache: bool,
    /// Report the steps only, not their output.
    pub quiet: bool,
}

/// A built image.
#[derive(Debug, Clone)]
pub struct BuildOutcome {
    /// Its name.
    pub image: String,
    /// Its ID.
    pub id: String,
    /// The commit.
    pub commit: String,
    /// The sources had uncommitted changes.
    pub dirty: bool,
    /// The same image existed already.
    pub unchanged: bool,
}

/// An error of a build.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The entry has no build instructions.
    #[error(
        "the inventory does not say how `{component}` is built: its entry has no `build` section{}",
        image.as_ref().map_or_else(String::new, |image| format!(" and names the image `{image}`"))
    )]
    NoBuild {
        /// The component.
        component: String,
        /// Its entry.
        place: String,
        /// The image that its entry names.
        image: Option<String>,
    },
    /// The build file is not there.
    #[error("there is no build file `{}`", path.display())]
    NoFile {
        /// The expected path.
        path: PathBuf,
        /// The line of the entry that names it.
        place: String,
    },
    /// A path in the entry leads out of the clone.
    #[error("{place}: `{path}` leads out of the repository")]
    Outside {
        /// The line of the entry.
        place: String,
        /// The path.
        path: String,
    },
    /// A path in the entry leads into the git directory of the clone.
    #[error("{place}: `{path}` belongs to git, and no build gets to see it")]
    OfGit {
        /// The line of the entry.
        place: String,
        /// The path.
        path: String,
    },
    /// The repository has no commit.
    #[error("repository `{0}` has no commit yet")]
    Empty(String),
    /// The engine itself would fetch something that the build must not reach.
    #[error("`{}` has the engine add `{}`, and {}", path.display(), safe_line(&fetch.address), fetch.why)]
    Fetch {
        /// The build file.
        path: PathBuf,
        /// The address, and the reason.
        fetch: RefusedFetch,
    },
    /// The native engine has no images.
    #[error("the native engine runs a component from its clone, and builds no images")]
    Native,
}

/// Returns the build instructions of a component.
///
/// # Errors
/// Fails when its entry has none.
pub fn instructions(component: &Component) -> Result<&Build, BuildError> {
    component.build.as_deref().ok_or_else(|| BuildError::NoBuild {
        component: component.name().to_owned(),
        place: component.source_map.place(""),
        image: component.image.clone(),
    })
}

/// Builds the image of a component.
///
/// # Errors
/// Fails when the sources are not available, or the build fails.
pub async fn build(
    ctx: &OpContext<'_>,
    engine: &ContainerEngine,
    component: &Component,
    options: &BuildOptions,
) -> anyhow::Result<BuildOutcome> {
    let build = instructions(component)?;
    // An invalid name must fail before the work, not after it.
    options.tag.as_deref().map_or(Ok(()), ContainerEngine::check_name)?;
    let source = source::ensure(ctx, component, &build.repo, options.merge_request).await?;
    // A working tree of the user may have no commit yet.
    let commit = source.checkout.head;
    if commit.is_none() && !source.in_place {
        return Err(BuildError::Empty(build.repo.clone()).into());
    }
    let short = commit.map_or_else(|| "no-commit".to_owned(), CommitId::short);
    let task = ctx.events.start("image", format!("preparing {}", component.name()));
    let recipe = recipe(ctx, component, build, &source).await?;
    let dirty = source.checkout.dirty || source.checkout.untracked || commit.is_none();
    let packed = if dirty { Some(recipe.pack(ctx).await?) } else { None };
    let state = match (&packed, commit) {
        (None, Some(commit)) => commit.to_string(),
        (packed, _) => packed.as_ref().map_or_else(String::new, |packed| packed.digest().to_owned()),
    };
    let inputs = recipe.digest(build, &state);
    let image = image_name(component, &short, &inputs, dirty, &source);
    let mut built =
        BuildOutcome { image: image.clone(), id: String::new(), commit: short, dirty, unchanged: false };
    let existing = if options.no_cache { None } else { engine.image(&image).await? };
    if let Some(facts) = existing.filter(|facts| facts.labels.get(INPUTS) == Some(&inputs)) {
        (built.id, built.unchanged) = (facts.id, true);
        task.finish(TaskOutcome::Unchanged, format!("{image}  unchanged"));
    } else {
        let packed = match packed {
            Some(packed) => packed,
            None => recipe.pack(ctx).await?,
        };
        let mut labels = BTreeMap::from([
            (COMPONENT.to_owned(), component.reference.to_string()),
            (DIRTY.to_owned(), dirty.to_string()),
            (INPUTS.to_owned(), inputs),
        ]);
        labels.extend(commit.map(|commit| (COMMIT.to_owned(), commit.to_string())));
        labels.extend(merge_request(&source).map(|number| (MERGE_REQUEST.to_owned(), number.to_string())));
        let args = build.args.values().map(String::as_str);
        let production = BlockedHosts::of(ctx.inventory, args.chain([recipe.text.as_str()]));
        let closed = build.network == BuildNetwork::None;
        let limits = FetchLimits { closed, own_names: &OWN_NAMES, denied: &DenyList::from(ctx.inventory) };
        if let Some(fetch) = limits.broken_by(&recipe.text, &build.args) {
            return Err(BuildError::Fetch { path: recipe.path, fetch }.into());
        }
        let reach = if closed { "isolated: it reaches nothing".to_owned() } else { open(&production) };
        ctx.events.start("build", "").finish(TaskOutcome::Done, reach);
        let request = BuildRequest {
            tag: image.clone(),
            labels,
            args: build.args.clone(),
            target: build.target.clone(),
            no_cache: options.no_cache,
            hosts: production.hosts_of_build().collect(),
            closed,
        };
        let lines = if options.quiet { Events::silent() } else { ctx.events.clone() };
        built.id = tokio::select! {
            id = engine.build(&request, &packed, &task, &lines) => id?,
            signal = ctx.stop.requested() => {
                // A second signal ends the wait.
                tokio::select! { () = engine.wait_for_pending() => {} _ = ctx.stop.force_requested() => {} }
                return Err(source::SourceError::Stopped(signal).into());
            }
        };
        task.finish(TaskOutcome::Done, format!("{image}  built"));
    }
    if let Some(tag) = &options.tag {
        engine.tag_image(&image, tag).await?;
    }
    Ok(built)
}

/// Describes the hosts that a build can reach.
fn open(production: &BlockedHosts) -> String {
    format!("open: its steps reach {}", production.reach())
}

/// The inputs of an image besides the sources.
struct BuildInputs {
    /// The build file.
    path: PathBuf,
    context: PathBuf,
    dockerfile: Dockerfile,
    text: String,
}

impl BuildInputs {
    async fn pack(&self, ctx: &OpContext<'_>) -> anyhow::Result<PackedContext> {
        let (directory, dockerfile) = (self.context.clone(), self.dockerfile.clone());
        let scratch = ctx.env.temporary_directory();
        let packed =
            tokio::task::spawn_blocking(move || context::pack(&directory, &dockerfile, &scratch)).await?;
        let packed =
            packed.with_context(|| format!("cannot pack `{}` for the engine", self.context.display()))?;
        if !packed.skipped().is_empty() {
            let skipped = packed.skipped().iter().take(NAMED).map(|path| format!("`{}`", safe_line(path)));
            let more = packed.skipped().len().saturating_sub(NAMED);
            let more = (more > 0).then(|| format!("{more} more"));
            let skipped: Vec<String> = skipped.chain(more).collect();
            ctx.events.warn(format!(
                "Pipes, sockets and devices are left out of the build: {}.",
                join_and(&skipped)
            ));
        }
        Ok(packed)
    }

    fn digest(&self, build: &Build, state: &str) -> String {
        let mut parts = vec![state.to_owned(), self.text.clone(), format!("{:?}", self.context.file_name())];
        parts.extend(build.args.iter().map(|(key, value)| format!("{key}={value}")));
        parts.extend(build.target.clone());
        parts.extend(build.context.clone());
        parts.extend((build.network == BuildNetwork::None).then(|| "no network".to_owned()));
        digest::sha256_hex(parts)
    }
}

async fn recipe(
    ctx: &OpContext<'_>,
    component: &Component,
    build: &Build,
    source: &Source,
) -> anyhow::Result<BuildInputs> {
    let root = &source.path;
    let context = inside(root, build.context.as_deref().unwrap_or("."), || {
        component.source_map.place("build.context")
    })?;
    let file = match build.file.as_deref() {
        Some(file) => inside(root, file, || component.source_map.place("build.file"))?,
        None => ["Containerfile", "Dockerfile"]
            .iter()
            .map(|name| context.join(name))
            .find(|file| file.symlink_metadata().is_ok())
            .unwrap_or_else(|| context.join("Dockerfile")),
    };
    let sources = SourceDir::new(root.as_path())?;
    let text = match sources.read_text(&file, LIMIT) {
        Err(error) if error.is_missing() => {
            let place = component.source_map.place("build");
            return Err(BuildError::NoFile { path: file, place }.into());
        }
        text => text?,
    };
    let within = file.strip_prefix(&context).unwrap_or(&file).to_path_buf();
    if preprocessor::is_meant_for(&file) {
        let below = |path: &Path| path.strip_prefix(root).unwrap_or(path).to_path_buf();
        let made = preprocessor::preprocess(ctx.env, &sources, &below(&file), &below(&context)).await?;
        for warning in made.warnings {
            ctx.events.note(format!("cpp: {warning}"));
        }
        let dockerfile = Dockerfile::Made { from: within, text: made.text.clone() };
        return Ok(BuildInputs { path: file, context, dockerfile, text: made.text });
    }
    Ok(BuildInputs { path: file, context, dockerfile: Dockerfile::File(within), text })
}

/// Returns a path below a clone; refuses a path or a symbolic link that leads out of it.
fn inside(root: &Path, path: &str, place: impl Fn() -> String) -> anyhow::Result<PathBuf> {
    let joined = root.join(path.trim_start_matches("./"));
    let joined = if path == "." { root.to_path_buf() } else { joined };
    let outside = || BuildError::Outside { place: place(), path: path.to_owned() };
    if Path::new(path).is_absolute() || Path::new(path).components().any(|part| part.as_os_str() == "..") {
        return Err(outside().into());
    }
    let real = |path: &Path| path.canonicalize().map_err(|source| FileError::new("find", path, source));
    if joined.exists() {
        let real = real(&joined)?.strip_prefix(real(root)?).map_err(|_| outside())?.to_owned();
        if files::is_of_git(&real) {
            return Err(BuildError::OfGit { place: place(), path: path.to_owned() }.into());
        }
    }
    Ok(joined)
}

/// Returns `localhost/cki/NAME:COMMIT`, with a suffix for other states of the same commit.
fn image_name(component: &Component, commit: &str, inputs: &str, dirty: bool, source: &Source) -> String {
    let name = component.name().to_lowercase();
    let mut tag = commit.to_owned();
    if let Some(number) = merge_request(source) {
        tag = format!("mr-{number}-{tag}");
    }
    if dirty {
        tag = format!("{tag}-dirty-{}", &inputs[..8]);
    }
    format!("localhost/cki/{name}:{tag}")
}

/// Returns the merge request that is checked out.
fn merge_request(source: &Source) -> Option<u64> {
    // A branch of the user may be called like those of merge requests.
    crate::ops::clone::notes::merge_request(&source.checkout).filter(|_| !source.in_place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_inside_rejects_paths_outside_clone() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let root = directory.path().join("clone");
        std::fs::create_dir_all(root.join("builds")).expect("makes");
        std::os::unix::fs::symlink("/etc", root.join("link")).expect("links");
        let place = || "x.yaml:3".to_owned();
        assert_eq!(inside(&root, ".", place).expect("is inside"), root);
        assert_eq!(inside(&root, "./builds", place).expect("is inside"), root.join("builds"));
        std::fs::create_dir(root.join(".git")).expect("makes");
        std::os::unix::fs::symlink(".git", root.join("git")).expect("links");
        for wrong in ["..", "builds/../..", "/etc", "link", ".git", "git"] {
            assert!(inside(&root, wrong, place).is_err(), "{wrong}");
        }
    }
}
