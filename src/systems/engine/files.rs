//! Files for a container, as the tar that is put into it before it starts.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::{Component, Path};

use super::error::EngineError;
use crate::base::secret::Secret;
use crate::model::container::{ContainerFile, ContainerSpec};

/// Of a folder in a container, no more is read.
pub(super) const MOST: usize = 4 << 20;

/// The tars to unpack, each with the folder for it: the volume that its files are on, or `/`. A
/// container that is read-only takes files on its volumes and nowhere else.
pub(super) fn archives(spec: &ContainerSpec) -> Result<Vec<(String, bytes::Bytes)>, EngineError> {
    let mut folders: BTreeMap<&str, Vec<&ContainerFile>> = BTreeMap::new();
    for file in &spec.files {
        let on = |volume: &&String| Path::new(&file.path).starts_with(volume);
        let volume = spec.volumes.iter().filter(on).max_by_key(|volume| volume.len());
        folders.entry(volume.map_or("/", String::as_str)).or_default().push(file);
    }
    let archives = folders
        .into_iter()
        .map(|(folder, files)| Ok((folder.to_owned(), bytes::Bytes::from(archive(folder, &files)?))));
    archives.collect()
}

/// The text files of a tar that an engine has made of a folder; what is cut off is left out.
pub(super) fn texts(folder: &str, tar: &[u8]) -> Vec<ContainerFile> {
    let mut tar = tar::Archive::new(tar);
    let Ok(entries) = tar.entries() else { return Vec::new() };
    let files = entries.map_while(Result::ok).filter_map(|mut entry| {
        let name = entry.path().ok()?.file_name()?.to_str()?.to_owned();
        let mode = entry.header().mode().ok()?;
        let mut content = String::new();
        let is_file = entry.header().entry_type().is_file();
        entry.read_to_string(&mut content).ok().filter(|_| is_file)?;
        Some(ContainerFile { path: format!("{folder}/{name}"), content: Secret::new(content), mode })
    });
    files.collect()
}

/// A tar to unpack in a folder. It names no folders: both engines make those that are missing, and
/// naming one that is there would set its permissions anew.
fn archive(folder: &str, files: &[&ContainerFile]) -> Result<Vec<u8>, EngineError> {
    let mut tar = tar::Builder::new(Vec::new());
    for file in files {
        append(&mut tar, folder, file).map_err(|error| EngineError::Invalid {
            what: "the path of a file in a container",
            text: crate::base::text::safe_line(&file.path).into_owned(),
            why: error.to_string(),
        })?;
    }
    Ok(tar.into_inner().expect("writing to memory cannot fail"))
}

fn append(tar: &mut tar::Builder<Vec<u8>>, folder: &str, file: &ContainerFile) -> io::Result<()> {
    let inside = Path::new(&file.path)
        .strip_prefix(folder)
        .map_err(|_| io::Error::other("it does not start with `/`"))?;
    let plain = inside.components().all(|part| matches!(part, Component::Normal(_)));
    if !plain || inside.as_os_str().is_empty() || file.path.ends_with('/') || file.path.contains('\0') {
        return Err(io::Error::other("it is not the path of a file"));
    }
    let content = file.content.expose().as_bytes();
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(file.mode & 0o7777);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    tar.append_data(&mut header, inside, content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> ContainerFile {
        ContainerFile { path: path.to_owned(), content: Secret::new("x"), mode: 0o640 }
    }

    #[test]
    fn files_keep_path_and_mode_and_bring_no_folders() {
        let bytes = archive("/", &[&file("/etc/app/a.conf")]).expect("is good");
        let mut tar = tar::Archive::new(bytes.as_slice());
        let names: Vec<(String, u32)> = tar
            .entries()
            .expect("is a tar")
            .map(|entry| {
                let entry = entry.expect("is whole");
                (
                    entry.path().expect("is text").display().to_string(),
                    entry.header().mode().expect("has one"),
                )
            })
            .collect();
        assert_eq!(names, [("etc/app/a.conf".to_owned(), 0o640)]);
    }

    #[test]
    fn paths_stay_inside() {
        for wrong in ["relative", "/", "/a/../../b", "/a/", ""] {
            assert!(archive("/", &[&file(wrong)]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn files_on_a_volume_go_there() {
        let files = vec![file("/run/secrets/ours/a"), file("/etc/b"), file("/run/secrets/c")];
        let volumes = vec!["/run/secrets/ours".to_owned(), "/run/secrets/our".to_owned()];
        let spec = ContainerSpec { files, volumes, ..ContainerSpec::default() };
        let archives = archives(&spec).expect("are good");
        let found: Vec<(&str, usize)> = archives
            .iter()
            .map(|(folder, bytes)| {
                let mut tar = tar::Archive::new(&bytes[..]);
                (folder.as_str(), tar.entries().expect("is a tar").count())
            })
            .collect();
        assert_eq!(found, [("/", 2), ("/run/secrets/ours", 1)]);
    }
}
