//! Files for a container, as tars that are unpacked in it before it starts. Sending them is `container`.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Component, Path, PathBuf};

use super::error::EngineError;
use crate::base::secret::Secret;
use crate::base::tree_snapshot::TreeSnapshot;
use crate::model::container::{ContainerFile, CopyIn};

use super::spec::home;

/// Maximum bytes of sources to copy, which are held in memory.
const MOST: u64 = 512 << 20;

/// Returns a tar to unpack at `/`, with the present sources that are `wanted`. A file that changes while it
/// is read is taken as read; one that vanishes is left out.
pub(super) fn sources(copies: &[CopyIn], wanted: impl Fn(&Path) -> bool) -> Result<Vec<u8>, EngineError> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut size = 0;
    for CopyIn { from, to } in copies {
        let found = TreeSnapshot::read(from).map_err(|error| EngineError::Invalid {
            what: "a source for a container",
            text: crate::base::text::safe_line(&error.path.display().to_string()).into_owned(),
            why: error.source.to_string(),
        })?;
        let real = real(from);
        for path in found.files.into_keys().filter(|path| wanted(path)) {
            let below = path.strip_prefix(from).unwrap_or(&path);
            let exact = if below.as_os_str().is_empty() { real.clone() } else { real.join(below) };
            let inside = Path::new(to.trim_start_matches('/')).join(below);
            // A single file already has the whole path.
            let inside =
                if below.as_os_str().is_empty() { PathBuf::from(to.trim_start_matches('/')) } else { inside };
            let added = append_source(&mut tar, &exact, &inside).map_err(|error| EngineError::Invalid {
                what: "a source for a container",
                text: crate::base::text::safe_line(&path.display().to_string()).into_owned(),
                why: error.to_string(),
            })?;
            size += added;
            if size > MOST {
                return Err(EngineError::Invalid {
                    what: "a directory of sources for a container",
                    text: from.display().to_string(),
                    why: "it is larger than 512 MiB without ignored files".to_owned(),
                });
            }
        }
    }
    Ok(tar.into_inner().expect("writing to memory cannot fail"))
}

/// Returns the place of sources, with the links above them followed. A file that is a link itself stays one.
fn real(from: &Path) -> PathBuf {
    let of_file = || Some(from.parent()?.canonicalize().ok()?.join(from.file_name()?));
    let real = if from.is_dir() { from.canonicalize().ok() } else { of_file() };
    real.unwrap_or_else(|| from.to_path_buf())
}

/// Appends a file or a link, and returns its size. There are no links above it: the component may have replaced a
/// directory by one.
fn append_source(tar: &mut tar::Builder<Vec<u8>>, path: &Path, inside: &Path) -> io::Result<u64> {
    let gone = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Ok(0),
        _ => Err(error),
    };
    let facts = match fs_err::symlink_metadata(path) {
        Ok(facts) => facts,
        Err(error) => return gone(error),
    };
    let mut header = tar::Header::new_gnu();
    header.set_mode(facts.permissions().mode() & 0o777);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(u64::try_from(facts.mtime()).unwrap_or(0));
    if facts.is_symlink() {
        let target = match fs_err::read_link(path) {
            Ok(target) => target,
            Err(error) => return gone(error),
        };
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        tar.append_link(&mut header, inside, target)?;
        return Ok(0);
    }
    if facts.len() > MOST {
        return Ok(facts.len());
    }
    let mut content = Vec::new();
    match crate::base::files::open_exactly(path) {
        Ok(file) => file.take(MOST).read_to_end(&mut content)?,
        Err(error) => return gone(error),
    };
    header.set_size(content.len() as u64);
    tar.append_data(&mut header, inside, content.as_slice())?;
    Ok(content.len() as u64)
}

/// Maximum bytes to read of a directory in a container.
pub(super) const MOST_READ: usize = 4 << 20;

/// Returns tars, each with the directory in which it is to be unpacked: the volumes with files, and `/` for
/// the other files. They contain no directories: both engines create missing ones, and listing an existing
/// one would reset its permissions.
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

/// Returns the text files of an engine's tar of a directory, without truncated ones.
pub(super) fn texts(directory: &str, tar: &[u8]) -> Vec<ContainerFile> {
    let mut tar = tar::Archive::new(tar);
    let Ok(entries) = tar.entries() else { return Vec::new() };
    let files = entries.map_while(Result::ok).filter_map(|mut entry| {
        let name = entry.path().ok()?.file_name()?.to_str()?.to_owned();
        let mode = entry.header().mode().ok()?;
        let mut content = String::new();
        let is_file = entry.header().entry_type().is_file();
        entry.read_to_string(&mut content).ok().filter(|_| is_file)?;
        Some(ContainerFile { path: format!("{directory}/{name}"), content: Secret::new(content), mode })
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
    fn archives_keep_path_and_mode_without_directories() {
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
    fn copy_in_archives_sources_unchanged() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let root = directory.path();
        std::fs::create_dir(root.join("sub")).expect("makes");
        std::fs::write(root.join("sub/b.py"), "b").expect("writes");
        std::fs::write(root.join("a.log"), "a").expect("writes");
        std::fs::write(root.join(".gitignore"), "*.log\n").expect("writes");
        std::os::unix::fs::symlink("sub/b.py", root.join("link")).expect("links");
        let copies = [
            CopyIn { from: root.to_path_buf(), to: "/code".into() },
            CopyIn { from: root.join("sub/b.py"), to: "/etc/b".into() },
            CopyIn { from: root.join("nowhere"), to: "/x".into() },
        ];
        let bytes = sources(&copies, |path| !path.ends_with(".gitignore")).expect("packs");
        let mut tar = tar::Archive::new(bytes.as_slice());
        let names: Vec<String> = tar
            .entries()
            .expect("is a tar")
            .map(|entry| entry.expect("is whole").path().expect("is text").display().to_string())
            .collect();
        assert_eq!(names, ["code/link", "code/sub/b.py", "etc/b"]);
    }

    #[test]
    fn archives_reject_invalid_paths() {
        for wrong in ["relative", "/", "/a/../../b", "/a/", "", "/data/../b"] {
            assert!(archives(&[file(wrong)], &["/data".into()]).is_err(), "{wrong}");
        }
    }
}
