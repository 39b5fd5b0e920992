//! An image of this program, for backing services that the program itself provides: nothing has to be
//! pulled for them. It is built once for each build of the program.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::base::digest;
use crate::base::files::{self, FileError};
use crate::host::{executable, scratch::scratch};
use crate::model::event::{Events, TaskOutcome};
use crate::ops::shared::op_context::OpContext;
use crate::systems::engine::context::{self, Dockerfile};
use crate::systems::engine::{BuildRequest, ContainerEngine};

/// The name by which a template asks for this image.
pub const NAME: &str = "cki";
/// The label of these images.
const LABEL: &str = "cki.stand-in";
/// Age at which images of other builds of the program are removed.
const OLD: Duration = Duration::from_secs(24 * 3600);

/// Builds the image unless it exists, and returns its name.
///
/// # Errors
/// Fails when the program cannot be read, or the engine fails.
pub async fn ensure(ctx: &OpContext<'_>, engine: &ContainerEngine) -> anyhow::Result<String> {
    let sources = executable::runtime_closure(Path::new(&ctx.program))?;
    let mut parts = Vec::new();
    for (target, source) in &sources {
        let facts = std::fs::metadata(source).map_err(|error| FileError::new("read", source, error))?;
        let changed = facts.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        parts.push(format!("{} {} {changed:?}", target.display(), facts.len()));
    }
    let image = format!("localhost/cki/stand-in:{}", &digest::sha256_hex(parts)[..10]);
    if engine.image(&image).await?.is_some() {
        return Ok(image);
    }
    let task = ctx.events.start("helper image", "building an image of this program");
    let scratch = scratch(ctx.env)?;
    let root = scratch.path().join("root");
    executable::copy_below(&root, &sources)?;
    files::write_atomic(&root.join("Dockerfile"), b"FROM scratch\nCOPY . /\n", 0o644)?;
    files::write_atomic(&root.join(".dockerignore"), b"Dockerfile\n.dockerignore\n", 0o644)?;
    let temporary = scratch.path().to_path_buf();
    let pack = move || context::pack(&root, &Dockerfile::File("Dockerfile".into()), &temporary);
    let packed = tokio::task::spawn_blocking(pack).await??;
    let labels = [(LABEL.to_owned(), "1".to_owned())].into();
    let request = BuildRequest { tag: image.clone(), labels, ..BuildRequest::default() };
    engine.build(&request, &packed, &task, &Events::silent()).await?;
    task.finish(TaskOutcome::Done, "image of this program built");
    remove_old(engine, &image).await;
    Ok(image)
}

/// Removes images of other builds of the program. A failure does no harm, so it is ignored.
async fn remove_old(engine: &ContainerEngine, current: &str) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let before = i64::try_from(now.saturating_sub(OLD).as_secs()).unwrap_or(0);
    let images = engine.images_with_label(LABEL).await.unwrap_or_default();
    for tag in images.into_iter().filter(|image| image.created < before).flat_map(|image| image.tags) {
        if tag != current {
            let _ = engine.remove_image(&tag).await;
        }
    }
}
