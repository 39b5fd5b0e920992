//! The preparation of a run, before anything is started: clones repositories, and builds or pulls images.

use std::collections::BTreeMap;

use crate::model::event::TaskOutcome;
use crate::ops::build::{self, BuildOptions};
use crate::ops::clone::source;
use crate::ops::runtime::engine::RunEngine;
use crate::ops::runtime::error::StartError;
use crate::ops::runtime::helper_image;
use crate::ops::shared::op_context::OpContext;
use crate::systems::engine::ContainerEngine;
use crate::systems::git::is_within_repository;

use super::error::RunError;
use super::plan::RunPlan;
use super::request::RunRequest;
use crate::ops::runtime::start::unit::{Image, Unit};

/// Prepares all units, and returns the image of each unit by its name.
pub(super) async fn prepare(
    ctx: &OpContext<'_>,
    engine: &RunEngine,
    request: &RunRequest<'_>,
    plan: &RunPlan,
) -> anyhow::Result<BTreeMap<String, String>> {
    let mut images = BTreeMap::new();
    let mut built: BTreeMap<String, String> = BTreeMap::new();
    for unit in plan.units() {
        let wanted = request.components.iter().copied().find(|one| match &unit.image {
            // Its init commands run in the same image.
            Image::Built(reference) => one.reference.to_string() == *reference,
            _ => unit.requested && one.name() == unit.name,
        });
        let merge_request = request.merge_request.filter(|_| wanted.is_some());
        let name = if let Image::Built(reference) = &unit.image { reference } else { &unit.name };
        let component = wanted.or_else(|| ctx.inventory.get_by_name(name));
        let Some(engine) = engine.containers() else {
            let repo = unit.native.as_ref().and_then(|native| native.repo.as_deref());
            if let (Some(component), Some(repo)) = (component, repo) {
                source::ensure(ctx, component, repo, merge_request).await?;
            }
            continue;
        };
        let image = match &unit.image {
            Image::Built(reference) => match built.get(reference) {
                Some(image) => image.clone(),
                None => {
                    let component =
                        component.ok_or_else(|| StartError::NoImage { name: unit.name.clone() })?;
                    let options = BuildOptions { merge_request, quiet: true, ..BuildOptions::default() };
                    let image = build::build(ctx, engine, component, &options).await?.image;
                    built.insert(reference.clone(), image.clone());
                    image
                }
            },
            Image::Named(name) => {
                pull(ctx, engine, name).await?;
                name.clone()
            }
            Image::Own => helper_image::ensure(ctx, engine).await?,
            Image::Unknown => return Err(StartError::NoImage { name: unit.name.clone() }.into()),
        };
        images.insert(unit.name.clone(), image);
    }
    for unit in plan.units().filter(|unit| unit.dev.repo.is_some()) {
        sources(ctx, request, unit).await?;
    }
    Ok(images)
}

/// Pulls an image, unless the engine has it.
async fn pull(ctx: &OpContext<'_>, engine: &ContainerEngine, name: &str) -> anyhow::Result<()> {
    if engine.image(name).await?.is_some() {
        return Ok(());
    }
    if ctx.offline {
        return Err(RunError::Offline { image: name.to_owned() }.into());
    }
    // The digest identifies the image for the engine, and nothing for a person.
    let task = ctx.events.start(name.split('@').next().unwrap_or(name), "pulling");
    tokio::select! {
        pulled = engine.pull(name, &task) => pulled?,
        signal = ctx.stop.requested() => return Err(source::SourceError::Stopped(signal).into()),
    }
    task.finish(TaskOutcome::Done, "pulled");
    Ok(())
}

/// Clones the sources of a unit, and checks that its mounts and copies exist: engines create a directory
/// for a missing path.
async fn sources(ctx: &OpContext<'_>, request: &RunRequest<'_>, unit: &Unit) -> anyhow::Result<()> {
    let component = request.components.iter().find(|one| one.name() == unit.name);
    if let (Some(component), Some(repo)) = (component, &unit.dev.repo) {
        source::ensure(ctx, component, repo, request.merge_request).await?;
    }
    let repo = unit.dev.repo.as_deref().unwrap_or_default();
    let clone = ctx.workspace.location(ctx.inventory, repo).target()?;
    let mounts = unit.dev.mounts.iter().map(|mount| &mount.from);
    for path in mounts.chain(unit.dev.copies.iter().map(|copied| &copied.from)) {
        let is_inside = match (path.canonicalize(), clone.canonicalize()) {
            // A symbolic link may lead into the `.git` directory.
            (Ok(path), Ok(clone)) => path.strip_prefix(clone).is_ok_and(|below| !is_within_repository(below)),
            _ => false,
        };
        if !is_inside {
            let (component, path) = (unit.name.clone(), path.clone());
            return Err(RunError::NoSource { component, path }.into());
        }
    }
    let enforces = fs_err::read_to_string("/sys/fs/selinux/enforce").is_ok_and(|text| text.trim() == "1");
    if enforces && !unit.dev.mounts.is_empty() {
        ctx.events.warn(format!(
            "SELinux may keep the container from `{0}`; `chcon -Rt container_file_t {0}` lets it.",
            clone.display()
        ));
    }
    Ok(())
}
