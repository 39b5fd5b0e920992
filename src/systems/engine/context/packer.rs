//! Writes the tar of a context: walks the directory, skips excluded paths, and computes a digest. The rules
//! are `rules` and `ignore`.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::ignore::MatchInfo;
use super::rules::{ContextFile, DOCKERIGNORE, IgnoreRules};
use crate::base::files::{self, FileError};
use crate::base::text::safe_line;
use crate::systems::engine::error::EngineError;

pub(super) struct Packer {
    tar: tar::Builder<BufWriter<File>>,
    hash: Sha256,
    /// Paths that are sent regardless of the rules.
    always: BTreeSet<String>,
    rules: IgnoreRules,
    root: PathBuf,
    pub(super) skipped: Vec<String>,
}

/// Texts that are packed in place of, or in addition to, files of the context.
pub(super) type TextFiles = Vec<(String, String)>;

impl Packer {
    pub(super) fn new(file: File, root: PathBuf, named: &ContextFile, rules: IgnoreRules) -> Self {
        Self {
            tar: tar::Builder::new(BufWriter::with_capacity(256 << 10, file)),
            hash: Sha256::new(),
            always: BTreeSet::from([named.path.clone(), named.real.clone()]),
            rules,
            root,
            skipped: Vec::new(),
        }
    }

    /// Packs the whole context, and the texts after it. `dockerfile` is the path of its Dockerfile.
    pub(super) fn pack(&mut self, dockerfile: &str, texts: &TextFiles) -> Result<(), EngineError> {
        self.note(b'b', dockerfile, 0, &[]);
        self.directory("", &MatchInfo::default(), &mut Vec::new(), texts)?;
        for (path, text) in texts {
            self.text(path, text).map_err(|source| FileError::new("pack", self.root.join(path), source))?;
        }
        Ok(())
    }

    /// Returns the tar and the digest.
    pub(super) fn finish(self) -> io::Result<(File, String)> {
        let mut file = self.tar.into_inner()?.into_inner().map_err(io::Error::from)?;
        file.flush()?;
        Ok((file, crate::base::digest::hex(&self.hash.finalize())))
    }

    /// Packs the content of a directory. `pending` are parent directories that are not packed yet: an
    /// excluded directory is packed only if a path below it is not excluded.
    fn directory(
        &mut self,
        directory: &str,
        above: &MatchInfo,
        pending: &mut Vec<String>,
        replaced: &TextFiles,
    ) -> Result<(), EngineError> {
        let full = self.root.join(directory);
        let read = |source| FileError::new("read", &full, source);
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&full).map_err(read)? {
            names.push(entry.map_err(read)?.file_name());
        }
        names.sort();
        for name in names {
            let Some(name) = name.to_str() else {
                // No pattern and no Dockerfile can name it.
                self.skipped.push(safe_line(&full.join(&name).to_string_lossy()).into_owned());
                continue;
            };
            let path = if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") };
            if replaced.iter().any(|(replaced, _)| *replaced == path) {
                continue;
            }
            self.entry(&path, above, pending, replaced)?;
        }
        Ok(())
    }

    fn entry(
        &mut self,
        path: &str,
        above: &MatchInfo,
        pending: &mut Vec<String>,
        replaced: &TextFiles,
    ) -> Result<(), EngineError> {
        let full = self.root.join(path);
        let fail = |source| EngineError::File(FileError::new("pack", &full, source));
        if is_private(path) {
            return Ok(());
        }
        let (mut excluded, here) = self.rules.ignore.is_excluded(path, above);
        excluded &= !self.always.contains(path) && path != DOCKERIGNORE;
        let facts = full.symlink_metadata().map_err(fail)?;
        if facts.is_dir() {
            let needed = self.always.iter().any(|file| file.starts_with(&format!("{path}/")));
            if excluded && !needed && !self.rules.ignore.may_except_below(path) {
                return Ok(());
            }
            let depth = pending.len();
            pending.push(path.to_owned());
            if !excluded {
                self.pending_directories(pending).map_err(fail)?;
            }
            self.directory(path, &here, pending, replaced)?;
            pending.truncate(depth);
            return Ok(());
        }
        if excluded {
            return Ok(());
        }
        if facts.is_symlink() {
            self.pending_directories(pending).map_err(fail)?;
            let target = std::fs::read_link(&full).map_err(fail)?;
            self.link(path, &target).map_err(fail)
        } else if facts.is_file() {
            self.pending_directories(pending).map_err(fail)?;
            self.file(path, &full).map_err(fail)
        } else {
            self.skipped.push(safe_line(path).into_owned());
            Ok(())
        }
    }

    fn pending_directories(&mut self, pending: &mut Vec<String>) -> io::Result<()> {
        for path in pending.drain(..) {
            self.note(b'd', &path, 0o755, &[]);
            let mut header = header(tar::EntryType::Directory, 0, 0o755);
            self.tar.append_data(&mut header, format!("{path}/"), io::empty())?;
        }
        Ok(())
    }

    fn link(&mut self, path: &str, target: &Path) -> io::Result<()> {
        self.note(b'l', path, 0o777, target.as_os_str().as_bytes());
        let mut header = header(tar::EntryType::Symlink, 0, 0o777);
        self.tar.append_link(&mut header, path, target)
    }

    fn file(&mut self, path: &str, full: &Path) -> io::Result<()> {
        // A file of a moment ago, or a directory above it, may be a link or a pipe by now: the component may write
        // its sources.
        let file = files::open_exactly(full)?;
        let facts = file.metadata()?;
        let mode = if facts.permissions().mode() & 0o111 == 0 { 0o644 } else { 0o755 };
        let size = facts.len();
        self.note(b'f', path, mode, &size.to_le_bytes());
        let mut header = header(tar::EntryType::Regular, size, mode);
        let hash = (!files::is_of_git(Path::new(path))).then_some(&mut self.hash);
        let mut content = HashingReader { inner: file.take(size), hash, read: 0 };
        self.tar.append_data(&mut header, path, &mut content)?;
        if content.read == size {
            Ok(())
        } else {
            Err(io::Error::other("it became shorter while it was read"))
        }
    }

    fn text(&mut self, path: &str, text: &str) -> io::Result<()> {
        self.note(b'f', path, 0o644, &(text.len() as u64).to_le_bytes());
        self.hash.update(text.as_bytes());
        let mut header = header(tar::EntryType::Regular, text.len() as u64, 0o644);
        self.tar.append_data(&mut header, path, text.as_bytes())
    }

    /// Adds an entry to the digest.
    fn note(&mut self, kind: u8, path: &str, mode: u32, more: &[u8]) {
        if !files::is_of_git(Path::new(path)) {
            self.hash.update([kind]);
            self.hash.update((path.len() as u64).to_le_bytes());
            self.hash.update(path.as_bytes());
            self.hash.update(mode.to_le_bytes());
            self.hash.update((more.len() as u64).to_le_bytes());
            self.hash.update(more);
        }
    }
}

/// Parts of a git directory that make up the history of its commits.
const HISTORY: &[&str] = &["HEAD", "index", "objects", "packed-refs", "refs", "shallow"];

/// Returns whether a path in a git directory is private to the user, and no part of any context: a build may ask
/// for the history (`git describe`), but configuration, hooks and logs may hold logins and paths.
fn is_private(path: &str) -> bool {
    let mut rest = path.split('/').skip_while(|part| *part != ".git").skip(1);
    rest.next().is_some_and(|part| !HISTORY.contains(&part))
}

fn header(kind: tar::EntryType, size: u64, mode: u32) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}

/// Reader that adds its data to a digest.
struct HashingReader<'a, R> {
    inner: R,
    hash: Option<&'a mut Sha256>,
    read: u64,
}

impl<R: Read> Read for HashingReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if let Some(hash) = &mut self.hash {
            hash.update(&buffer[..count]);
        }
        self.read += count as u64;
        Ok(count)
    }
}
