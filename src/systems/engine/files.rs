//! Files for a container, as the tar that is put into it before it starts.

use std::io;
use std::path::{Component, Path};

use super::error::EngineError;
use crate::model::container::ContainerFile;

/// A tar to unpack at `/`. It names no folders: both engines make those that are missing, and
/// naming one that is there would set its permissions anew.
pub(super) fn archive(files: &[ContainerFile]) -> Result<Vec<u8>, EngineError> {
    let mut tar = tar::Builder::new(Vec::new());
    for file in files {
        append(&mut tar, file).map_err(|error| EngineError::Invalid {
            what: "the path of a file in a container",
            text: crate::base::text::safe_line(&file.path).into_owned(),
            why: error.to_string(),
        })?;
    }
    Ok(tar.into_inner().expect("writing to memory cannot fail"))
}

fn append(tar: &mut tar::Builder<Vec<u8>>, file: &ContainerFile) -> io::Result<()> {
    let inside = Path::new(&file.path)
        .strip_prefix("/")
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
    use crate::base::secret::Secret;

    fn file(path: &str) -> ContainerFile {
        ContainerFile { path: path.to_owned(), content: Secret::new("x"), mode: 0o640 }
    }

    #[test]
    fn files_keep_path_and_mode_and_bring_no_folders() {
        let bytes = archive(&[file("/etc/app/a.conf")]).expect("is good");
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
            assert!(archive(&[file(wrong)]).is_err(), "{wrong}");
        }
    }
}
