//! The base image of the demo, made from what this machine has: the running program and the
//! libraries that it has mapped. Nothing is pulled.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;

use crate::base::files::{self, FileError};
use crate::base::{assets, digest};
use crate::model::event::{Events, State};
use crate::systems::engine::context::{self, Dockerfile};
use crate::systems::engine::{BuildRequest, ContainerEngine, Kind};

/// The label of everything that a demo builds, with the demo's name: images inherit it.
pub const LABEL: &str = "cki.demo";
/// Where the program is in the image.
pub const PROGRAM: &str = "/usr/bin/cki";
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
    // Podman brings the step that it is at to an end, and that leaves an image.
    let mut looks = if engine.kind() == Kind::Podman { 5 } else { 1 };
    for left in (0..TRIES).rev() {
        match remove_once(engine, demo).await {
            Ok(0) if looks == 1 => return Ok(()),
            Ok(0) => looks -= 1,
            Err(error) if left == 0 => return Err(error),
            Ok(_) | Err(_) => {}
        }
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

/// The files of the image, by their path in it: the program, what it has mapped, and the loader
/// under the name by which the program asks for it.
fn files_of(program: &Path) -> anyhow::Result<BTreeMap<PathBuf, PathBuf>> {
    let maps = std::fs::read_to_string("/proc/self/maps")
        .map_err(|source| FileError::new("read", "/proc/self/maps", source))?;
    let mut found = BTreeMap::from([(PathBuf::from(PROGRAM), program.to_path_buf())]);
    for line in maps.lines() {
        let Some(start) = line.find('/') else { continue };
        let path = PathBuf::from(&line[start..]);
        let is_library = path.file_name().is_some_and(|name| name.to_string_lossy().contains(".so"));
        if is_library && path.is_file() {
            // The loader looks in these folders without being told.
            if let Some(name) = path.file_name() {
                found.insert(Path::new("/lib").join(name), path.clone());
            }
            found.insert(path.clone(), path);
        }
    }
    if let Some(loader) = interpreter(program)? {
        let real = loader.canonicalize().map_err(|source| FileError::new("find", &loader, source))?;
        found.insert(loader, real);
    }
    Ok(found)
}

/// The loader that an ELF program names (System V ABI, program header `PT_INTERP`); `None` for a
/// program that needs none.
fn interpreter(program: &Path) -> anyhow::Result<Option<PathBuf>> {
    use std::io::Read as _;
    const PT_INTERP: u32 = 3;
    let mut head = Vec::new();
    let file = std::fs::File::open(program).map_err(|source| FileError::new("read", program, source))?;
    file.take(64 << 10).read_to_end(&mut head).map_err(|source| FileError::new("read", program, source))?;
    let is_elf64 = head.starts_with(b"\x7fELF\x02\x01");
    let malformed = || format!("`{}` is no 64-bit little-endian ELF program", program.display());
    anyhow::ensure!(is_elf64, malformed());
    let bytes = |at: usize, count: usize| head.get(at..at + count).with_context(malformed);
    let number = |at: usize, count: usize| -> anyhow::Result<usize> {
        let value = bytes(at, count)?.iter().rev().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
        Ok(usize::try_from(value)?)
    };
    let (table, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
    for index in 0..count {
        let entry = table + index * size;
        if u32::try_from(number(entry, 4)?)? == PT_INTERP {
            let text = bytes(number(entry + 8, 8)?, number(entry + 32, 8)?)?;
            let text = String::from_utf8_lossy(text);
            return Ok(Some(PathBuf::from(text.trim_end_matches('\0'))));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_this_program_are_found() {
        let program = std::path::absolute("/proc/self/exe").expect("is absolute");
        let files = files_of(&program).expect("finds");
        let names: Vec<String> = files.keys().map(|path| path.display().to_string()).collect();
        assert!(names.contains(&PROGRAM.to_owned()));
        if let Some(loader) = interpreter(&program).expect("is ELF") {
            assert!(names.contains(&loader.display().to_string()), "{names:?}");
        }
        assert!(files.values().all(|source| source.exists()));
    }
}
