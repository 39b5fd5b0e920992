//! The base image of the demo, built from files of this machine: the running program and the libraries
//! that it has mapped, and a shell. Nothing is pulled. The images of components do not belong here.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::tools::Tools;
use crate::base::files;
use crate::base::{assets, digest};
use crate::host::Env;
pub use crate::host::executable::PROGRAM;
use crate::host::executable::{copy_below, runtime_closure};
use crate::model::event::{Events, TaskOutcome};
use crate::systems::engine::context::{self, Dockerfile};
use crate::systems::engine::{BuildRequest, ContainerEngine};

/// The label of every image that a demo builds. Its value is the demo's name, and child images inherit
/// it.
pub const LABEL: &str = "cki.demo";
/// Directory of the scripts of backing services in the image.
pub const PLAYS: &str = "/demo";

/// Builds the base image and returns its name.
///
/// # Errors
/// Fails when the program or its libraries cannot be read, or the engine fails.
pub async fn build(
    engine: &ContainerEngine,
    demo: &str,
    (program, env): (&Path, &Env),
    scratch: &Path,
    events: &Events,
) -> anyhow::Result<String> {
    let image = format!("localhost/cki-demo/base:{}", &digest::sha256_hex([demo])[..10]);
    let task = events.start("base image", "collecting this program, its libraries and a shell");
    let root = scratch.join("base");
    copy_below(&root, &runtime_closure(program)?)?;
    let tools = Tools::find(env);
    tools.copy(&root)?;
    let plays = root.join(PLAYS.trim_start_matches('/'));
    for (path, content) in assets::embedded_tree("demo/base") {
        files::write_atomic(&plays.join(path), content, 0o644)?;
    }
    files::write_atomic(&root.join("Dockerfile"), b"FROM scratch\nCOPY . /\n", 0o644)?;
    files::write_atomic(&root.join(".dockerignore"), b"Dockerfile\n.dockerignore\n", 0o644)?;
    let (directory, temporary) = (root.clone(), scratch.to_path_buf());
    let pack = move || context::pack(&directory, &Dockerfile::File("Dockerfile".into()), &temporary);
    let packed = tokio::task::spawn_blocking(pack).await??;
    let request = BuildRequest {
        tag: image.clone(),
        labels: BTreeMap::from([(LABEL.to_owned(), demo.to_owned())]),
        ..BuildRequest::default()
    };
    engine.build(&request, &packed, &task, &Events::silent()).await?;
    files::remove_directory(&root)?;
    let shell =
        if tools.have_shell() { "the shell of this machine" } else { "no shell: this machine has none" };
    task.finish(TaskOutcome::Done, format!("{image}  built from this program and {shell}"));
    Ok(image)
}

/// Removes every image that a demo has built. A cancelled build may hold on to an image for a moment
/// longer.
///
/// # Errors
/// Fails when the engine does not answer, or holds on to an image.
pub async fn remove(engine: &ContainerEngine, demo: &str) -> anyhow::Result<()> {
    const TRIES: u32 = 20;
    // An engine may finish the current step of a cancelled build, and that leaves an image.
    let mut looks = 5;
    for left in (0..TRIES).rev() {
        match remove_once(engine, demo).await {
            Ok(0) if looks == 1 => return Ok(()),
            Ok(0) => looks -= 1,
            Err(error) if left == 0 => return Err(error),
            Ok(_) | Err(_) => {}
        }
        // No engine reports when it has given up a build, so this polls.
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    Ok(())
}

async fn remove_once(engine: &ContainerEngine, demo: &str) -> anyhow::Result<usize> {
    let mut removed = 0;
    // Later images are built on earlier ones: remove them in reverse order.
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
