//! Files for a container, as the tar that is put into it before it starts.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::{Component, Path};

use super::error::EngineError;
use super::spec::home;
use crate::base::secret::Secret;
use crate::model::container::ContainerFile;

/// Of a folder in a container, no more is read.
pub(super) const MOST: usize = 4 << 20;

/// Tars, each with the folder where it is to be unpacked: the volumes that have files in them, and
/// `/` for the other files. They name no folders: both engines make those that are missing, and
/// naming one that is there would set its permissions anew.
pub(super) fn archives(
    files: &[ContainerFile],
    volumes: &[String],
) -> Result<Vec<(String, bytes::Bytes)>, EngineError> {
    let mut tars = BTreeMap::new();
    for file in files {
        let place = home(&file.path, volumes).unwrap_or("/");
        let tar = tars.entry(place).or_insert_with(|| tar::Builder::new(Vec::new()));
        append(tar, file, place).map_err(|error| EngineError::Invalid {
            what: "the path of a file in a container",
            text: crate::base::text::safe_line(&file.path).into_owned(),
            why: error.to_string(),
        })?;
    }
    let finished = |tar: tar::Builder<Vec<u8>>| tar.into_inner().expect("writing to memory cannot fail");
    Ok(tars.into_iter().map(|(place, tar)| (place.to_owned(), finished(tar).into())).collect())
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

fn append(tar: &mut tar::Builder<Vec<u8>>, file: &ContainerFile, place: &str) -> io::Result<()> {
    if !file.path.starts_with('/') {
        return Err(io::Error::other("it does not start with `/`"));
    }
    let inside = Path::new(&file.path).strip_prefix(place).map_err(io::Error::other)?;
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
        let tars = archives(&[file("/etc/app/a.conf"), file("/data/b")], &["/data".into()]).expect("is good");
        let mut names = Vec::new();
        for (place, bytes) in &tars {
            for entry in tar::Archive::new(&bytes[..]).entries().expect("is a tar") {
                let entry = entry.expect("is whole");
                let path = entry.path().expect("is text").display().to_string();
                names.push((place.as_str(), path, entry.header().mode().expect("has one")));
            }
        }
        assert_eq!(names, [("/", "etc/app/a.conf".to_owned(), 0o640), ("/data", "b".to_owned(), 0o640)]);
    }

    #[test]
    fn paths_stay_inside() {
        for wrong in ["relative", "/", "/a/../../b", "/a/", "", "/data/../b"] {
            assert!(archives(&[file(wrong)], &["/data".into()]).is_err(), "{wrong}");
        }
    }
}
