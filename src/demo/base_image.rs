//! The base image of the demo, made from what this machine has: the running program and the
//! libraries that it has mapped. Nothing is pulled.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::base::files::{self, FileError};
use crate::base::{assets, digest};
pub use crate::host::own_program::PROGRAM;
use crate::host::own_program::files_of;
use crate::model::event::{Events, State};
use crate::systems::engine::context::{self, Dockerfile};
use crate::systems::engine::{BuildRequest, ContainerEngine};

/// The label of everything that a demo builds, with the demo's name: images inherit it.
pub const LABEL: &str = "cki.demo";
/// Where the parts are that backing services play.
pub const PLAYS: &str = "/demo";

/// Builds the base image and gives its name.
///
/// # Errors
/// When the program or its libraries cannot be read, or the engine fails.
pub async fn build(
    engine: &ContainerEngine,
    demo: &str,
    program: &Path,
    scratch: &Path,
    events: &Events,
) -> anyhow::Result<String> {
    let image = format!("localhost/cki-demo/base:{}", &digest::of_parts([demo])[..10]);
    let task = events.start("base image", "collecting this program and its libraries");
    let root = scratch.join("base");
    for (target, source) in files_of(program)? {
        let target = root.join(target.strip_prefix("/").unwrap_or(&target));
        files::make_folder(target.parent().unwrap_or(&root))?;
        // A link takes no space; a copy is made where the file systems differ.
        std::fs::hard_link(&source, &target)
            .or_else(|_| std::fs::copy(&source, &target).map(|_| ()))
            .map_err(|error| FileError::new("copy", &source, error))?;
    }
    let plays = root.join(PLAYS.trim_start_matches('/'));
    for (path, content) in assets::embedded_tree("demo/base") {
        files::write_whole(&plays.join(path), content, 0o644)?;
    }
    files::write_whole(&root.join("Dockerfile"), b"FROM scratch\nCOPY . /\n", 0o644)?;
    files::write_whole(&root.join(".dockerignore"), b"Dockerfile\n.dockerignore\n", 0o644)?;
    let (folder, temporary) = (root.clone(), scratch.to_path_buf());
    let pack = move || context::pack(&folder, &Dockerfile::File("Dockerfile".into()), &temporary);
    let packed = tokio::task::spawn_blocking(pack).await??;
    let request = BuildRequest {
        tag: image.clone(),
        labels: BTreeMap::from([(LABEL.to_owned(), demo.to_owned())]),
        ..BuildRequest::default()
    };
    engine.build(&request, &packed, &task, &Events::silent()).await?;
    files::remove_folder(&root)?;
    task.finish(State::Done, format!("{image}  built from this program and its libraries"));
    Ok(image)
}

/// Removes every image that a demo has built. A build that was given up may hold on to one for a
/// moment longer.
///
/// # Errors
/// When the engine does not answer, or holds on to an image.
pub async fn remove(engine: &ContainerEngine, demo: &str) -> anyhow::Result<()> {
    const TRIES: u32 = 20;
    // An engine may bring the step of a build that was given up to its end, and that leaves an image.
    let mut looks = 5;
    for left in (0..TRIES).rev() {
        match remove_once(engine, demo).await {
            Ok(0) if looks == 1 => return Ok(()),
            Ok(0) => looks -= 1,
            Err(error) if left == 0 => return Err(error),
            Ok(_) | Err(_) => {}
        }
        // No engine tells when it has given up a build: it is asked again.
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    Ok(())
}

async fn remove_once(engine: &ContainerEngine, demo: &str) -> anyhow::Result<usize> {
    let mut removed = 0;
    // What was built last rests on what was built first.
    let mut images = engine.images_with_label(LABEL).await?;
    images.sort_by_key(|image| std::cmp::Reverse(image.created));
    for image in images.into_iter().filter(|image| image.labels.get(LABEL).map(String::as_str) == Some(demo))
    {
        let names = if image.tags.is_empty() { vec![image.id] } else { image.tags };
        for name in names {
            removed += usize::from(engine.remove_image(&name).await?);
        }
    }
    Ok(removed)
}
