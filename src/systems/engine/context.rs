//! The build context: a folder as the tar that an engine builds from. It is the same, byte for
//! byte, for the same files: sorted, without times and owners. What `.dockerignore` excludes stays
//! out, and a link is packed as a link, so that nothing from beyond the folder gets in.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::error::EngineError;
use super::ignore::{Above, Ignore};
use crate::base::files::{self, FileError};
use crate::base::text::safe_line;

/// The name in the context of a Dockerfile that is not a file of it.
const MADE: &str = ".cki.dockerfile";
/// Ignore files are read up to this size.
const LONGEST_RULES: u64 = 1 << 20;

/// What to build by.
#[derive(Debug, Clone)]
pub enum Dockerfile {
    /// A file of the context, by its path in it.
    File(PathBuf),
    /// A text that was made from a file, and the path of that file in the context. The image does
    /// not get to see it.
    Made {
        /// What it was made from.
        from: PathBuf,
        /// What was made of it.
        text: String,
    },
}

/// A context ready to be sent. It is a file without a name, which is gone when this is dropped.
#[derive(Debug, Clone)]
pub struct Packed {
    file: Arc<File>,
    size: u64,
    digest: String,
    dockerfile: String,
    files: usize,
    skipped: Vec<String>,
}

impl Packed {
    /// The tar.
    pub(super) fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// Its size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// SHA-256 of what is in it, as hexadecimal digits. What is below a `.git` does not count: it
    /// changes with every fetch, while the files that are built from stay the same.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The path of the Dockerfile in it.
    #[must_use]
    pub fn dockerfile(&self) -> &str {
        &self.dockerfile
    }

    /// How many files and links are in it.
    #[must_use]
    pub fn files(&self) -> usize {
        self.files
    }

    /// What was left out because it is neither file, folder nor link: sockets, pipes, devices.
    #[must_use]
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }
}

/// Packs a folder. `scratch` is a folder on a disk with room for it. This reads and writes
/// without end on large folders: call it where that may block.
///
/// # Errors
/// When something cannot be read, an ignore rule makes no sense, or the Dockerfile is not there.
pub fn pack(folder: &Path, dockerfile: &Dockerfile, scratch: &Path) -> Result<Packed, EngineError> {
    let root = folder.canonicalize().map_err(|source| FileError::new("read", folder, source))?;
    let named = match dockerfile {
        Dockerfile::File(path) | Dockerfile::Made { from: path, .. } => inside(&root, path)?,
    };
    let rules = Rules::find(&root, &named)?;
    let fail = |source| EngineError::File(FileError::new("write", scratch, source));
    let file = tempfile::tempfile_in(scratch).map_err(fail)?;
    let mut packer = Packer {
        tar: tar::Builder::new(BufWriter::with_capacity(256 << 10, file)),
        hash: Sha256::new(),
        always: BTreeSet::from([named.path.clone(), named.real.clone()]),
        rules,
        root,
        files: 0,
        skipped: Vec::new(),
    };
    let mut sent = named.path;
    let mut made = Vec::new();
    if let Dockerfile::Made { text, .. } = dockerfile {
        sent = MADE.to_owned();
        made.push((MADE.to_owned(), text.clone()));
    }
    made.extend(packer.rules.to_send(&sent));
    packer.note(b'b', &sent, 0, &[]);
    packer.always.extend(made.iter().map(|(path, _)| path.clone()));
    packer.folder("", &Above::default(), &mut Vec::new(), &made)?;
    for (path, text) in &made {
        packer.text(path, text).map_err(fail)?;
    }
    let file = packer.tar.into_inner().and_then(|writer| writer.into_inner().map_err(io::Error::from));
    let mut file = file.map_err(fail)?;
    file.flush().map_err(fail)?;
    let size = file.metadata().map_err(fail)?.len();
    Ok(Packed {
        file: Arc::new(file),
        size,
        digest: crate::base::digest::hex(&packer.hash.finalize()),
        dockerfile: sent,
        files: packer.files,
        skipped: packer.skipped,
    })
}

/// A file of the context: its path as it was written, and where links lead it.
struct Named {
    path: String,
    real: String,
}

fn inside(root: &Path, path: &Path) -> Result<Named, EngineError> {
    let refuse = |why: &str| EngineError::Invalid {
        what: "the Dockerfile",
        text: safe_line(&path.to_string_lossy()).into_owned(),
        why: why.to_owned(),
    };
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::Normal(part) => {
                parts.push(part.to_str().ok_or_else(|| refuse("its path is not UTF-8"))?);
            }
            _ => return Err(refuse("it is not in the build context")),
        }
    }
    let full = root.join(path);
    let real = full.canonicalize().map_err(|source| FileError::new("read", &full, source))?;
    let real = real.strip_prefix(root).map_err(|_| refuse("it is a link to beyond the build context"))?;
    if !root.join(real).is_file() {
        return Err(refuse("it is not a file"));
    }
    Ok(Named { path: parts.join("/"), real: real.to_string_lossy().into_owned() })
}

/// The ignore rules, and the files from which the engine itself would read some.
struct Rules {
    ignore: Ignore,
    text: String,
    /// Where they were read.
    source: Option<String>,
    /// Whether the context has these files of its own.
    dockerignore: bool,
    containerignore: bool,
}

const DOCKERIGNORE: &str = ".dockerignore";
const CONTAINERIGNORE: &str = ".containerignore";

impl Rules {
    /// One file counts: that of the Dockerfile itself before that of the context, and of the
    /// context's the one that only Podman's tools know before the one that both know.
    fn find(root: &Path, dockerfile: &Named) -> Result<Self, EngineError> {
        let own = |suffix: &str| format!("{}{suffix}", dockerfile.path);
        let is_there = |name: &str| root.join(name).symlink_metadata().is_ok();
        let mut rules = Self {
            ignore: Ignore::default(),
            text: String::new(),
            source: None,
            dockerignore: is_there(DOCKERIGNORE),
            containerignore: is_there(CONTAINERIGNORE),
        };
        let candidates =
            [own(DOCKERIGNORE), own(CONTAINERIGNORE), CONTAINERIGNORE.to_owned(), DOCKERIGNORE.to_owned()];
        for name in candidates {
            let path = root.join(&name);
            let real = match path.canonicalize() {
                Ok(real) => real,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(source) => return Err(FileError::new("read", path, source).into()),
            };
            if !real.starts_with(root) {
                return Err(EngineError::Invalid {
                    what: "the ignore file",
                    text: safe_line(&path.to_string_lossy()).into_owned(),
                    why: "it is a link to beyond the build context".to_owned(),
                });
            }
            rules.text = files::read_text(&real, LONGEST_RULES)?;
            rules.ignore = Ignore::parse(&rules.text).map_err(|error| EngineError::Invalid {
                what: "the ignore file",
                text: safe_line(&path.to_string_lossy()).into_owned(),
                why: error.to_string(),
            })?;
            rules.source = Some(name);
            break;
        }
        Ok(rules)
    }

    /// The ignore files to send in place of the context's own. Podman applies them once more, so
    /// they must say what was applied here; and both engines keep what they name from the image,
    /// which is how a Dockerfile of our making stays out of it.
    fn to_send(&self, dockerfile: &str) -> Vec<(String, String)> {
        let made = dockerfile == MADE;
        let mut text = self.text.clone();
        if made {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            text.push_str(MADE);
            text.push('\n');
        }
        let mut send = Vec::new();
        for (name, there) in [(DOCKERIGNORE, self.dockerignore), (CONTAINERIGNORE, self.containerignore)] {
            let as_it_is = self.source.as_deref() == Some(name) && !made;
            if there && !as_it_is {
                send.push((name.to_owned(), text.clone()));
            }
        }
        if made && !self.dockerignore {
            send.push((DOCKERIGNORE.to_owned(), format!("{text}{DOCKERIGNORE}\n")));
        }
        send
    }
}

struct Packer {
    tar: tar::Builder<BufWriter<File>>,
    hash: Sha256,
    /// Paths that are sent whatever the rules say.
    always: BTreeSet<String>,
    rules: Rules,
    root: PathBuf,
    files: usize,
    skipped: Vec<String>,
}

impl Packer {
    /// Packs what is in a folder. `pending` are folders above, not yet packed because nothing in
    /// them has been: a folder that is excluded is packed only when something below it is not.
    fn folder(
        &mut self,
        folder: &str,
        above: &Above,
        pending: &mut Vec<String>,
        replaced: &[(String, String)],
    ) -> Result<(), EngineError> {
        let full = self.root.join(folder);
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
            let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
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
        above: &Above,
        pending: &mut Vec<String>,
        replaced: &[(String, String)],
    ) -> Result<(), EngineError> {
        let full = self.root.join(path);
        let fail = |source| EngineError::File(FileError::new("read", &full, source));
        let (mut excluded, here) = self.rules.ignore.judge(path, above);
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
                self.pending_folders(pending).map_err(fail)?;
            }
            self.folder(path, &here, pending, replaced)?;
            pending.truncate(depth);
            return Ok(());
        }
        if excluded {
            return Ok(());
        }
        if facts.is_symlink() {
            self.pending_folders(pending).map_err(fail)?;
            let target = std::fs::read_link(&full).map_err(fail)?;
            self.link(path, &target).map_err(fail)
        } else if facts.is_file() {
            self.pending_folders(pending).map_err(fail)?;
            self.file(path, &full).map_err(fail)
        } else {
            self.skipped.push(safe_line(path).into_owned());
            Ok(())
        }
    }

    fn pending_folders(&mut self, pending: &mut Vec<String>) -> io::Result<()> {
        for path in pending.drain(..) {
            self.note(b'd', &path, 0o755, &[]);
            let mut header = header(tar::EntryType::Directory, 0, 0o755);
            self.tar.append_data(&mut header, format!("{path}/"), io::empty())?;
        }
        Ok(())
    }

    fn link(&mut self, path: &str, target: &Path) -> io::Result<()> {
        self.files += 1;
        self.note(b'l', path, 0o777, target.as_os_str().as_bytes());
        let mut header = header(tar::EntryType::Symlink, 0, 0o777);
        self.tar.append_link(&mut header, path, target)
    }

    fn file(&mut self, path: &str, full: &Path) -> io::Result<()> {
        // What was a file a moment ago may be a link by now.
        let file = File::options().read(true).custom_flags(nix::libc::O_NOFOLLOW).open(full)?;
        let facts = file.metadata()?;
        let mode = if facts.permissions().mode() & 0o111 == 0 { 0o644 } else { 0o755 };
        let size = facts.len();
        self.files += 1;
        self.note(b'f', path, mode, &size.to_le_bytes());
        let mut header = header(tar::EntryType::Regular, size, mode);
        let hash = (!is_git(path)).then_some(&mut self.hash);
        let mut content = Hashing { inner: file.take(size), hash, read: 0 };
        self.tar.append_data(&mut header, path, &mut content)?;
        if content.read == size {
            Ok(())
        } else {
            Err(io::Error::other("it became shorter while it was read"))
        }
    }

    fn text(&mut self, path: &str, text: &str) -> io::Result<()> {
        self.files += 1;
        self.note(b'f', path, 0o644, &(text.len() as u64).to_le_bytes());
        self.hash.update(text.as_bytes());
        let mut header = header(tar::EntryType::Regular, text.len() as u64, 0o644);
        self.tar.append_data(&mut header, path, text.as_bytes())
    }

    /// Takes an entry into the digest.
    fn note(&mut self, kind: u8, path: &str, mode: u32, more: &[u8]) {
        if !is_git(path) {
            self.hash.update([kind]);
            self.hash.update((path.len() as u64).to_le_bytes());
            self.hash.update(path.as_bytes());
            self.hash.update(mode.to_le_bytes());
            self.hash.update((more.len() as u64).to_le_bytes());
            self.hash.update(more);
        }
    }
}

fn is_git(path: &str) -> bool {
    path.split('/').any(|part| part == ".git")
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

/// Reads, and takes what is read into a digest.
struct Hashing<'a, R> {
    inner: R,
    hash: Option<&'a mut Sha256>,
    read: u64,
}

impl<R: Read> Read for Hashing<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if let Some(hash) = &mut self.hash {
            hash.update(&buffer[..count]);
        }
        self.read += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new(files: &[(&str, &str)]) -> Self {
            let folder = Self(tempfile::tempdir().expect("a temporary folder"));
            for (path, text) in files {
                folder.write(path, text);
            }
            folder
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.0.path().join(path);
            std::fs::create_dir_all(path.parent().expect("is below a folder")).expect("makes folders");
            std::fs::write(path, text).expect("writes");
        }

        fn link(&self, path: &str, target: &str) {
            std::os::unix::fs::symlink(target, self.0.path().join(path)).expect("links");
        }

        fn pack(&self, dockerfile: &Dockerfile) -> Result<Packed, EngineError> {
            pack(self.0.path(), dockerfile, &self.0.path().join(".."))
        }

        fn packed(&self, dockerfile: &str) -> Packed {
            self.pack(&Dockerfile::File(dockerfile.into())).expect("packs")
        }
    }

    /// Path, mode, and content or target of every entry.
    fn entries(packed: &Packed) -> Vec<(String, u32, String)> {
        let mut file = packed.file().try_clone().expect("clones");
        io::Seek::rewind(&mut file).expect("rewinds");
        let mut tar = tar::Archive::new(file);
        let entries = tar.entries().expect("is a tar");
        entries
            .map(|entry| {
                let mut entry = entry.expect("is whole");
                let path = entry.path().expect("is text").display().to_string();
                let mode = entry.header().mode().expect("has one");
                assert_eq!(entry.header().mtime().ok(), Some(0));
                assert_eq!(entry.header().uid().ok(), Some(0));
                let target = entry.link_name().expect("is text").map(|target| target.display().to_string());
                let mut text = String::new();
                entry.read_to_string(&mut text).expect("is text");
                (path, mode, target.unwrap_or(text))
            })
            .collect()
    }

    fn paths(packed: &Packed) -> Vec<String> {
        entries(packed).into_iter().map(|(path, ..)| path).collect()
    }

    #[test]
    fn the_rules_decide_and_dockerfile_and_rules_are_always_sent() {
        let folder = Folder::new(&[
            ("Dockerfile", "FROM scratch"),
            (".dockerignore", "*\n!src\nsrc/**/*.o\n!deep/down/keep"),
            ("src/a.c", ""),
            ("src/sub/a.o", ""),
            ("deep/down/keep", ""),
            ("deep/down/drop", ""),
            ("other/x", ""),
        ]);
        assert_eq!(
            paths(&folder.packed("Dockerfile")),
            [
                ".dockerignore",
                "Dockerfile",
                "deep/",
                "deep/down/",
                "deep/down/keep",
                "src/",
                "src/a.c",
                "src/sub/",
            ]
        );
    }

    #[test]
    fn modes_are_two_and_links_stay_links() {
        let folder = Folder::new(&[("Dockerfile", "FROM scratch"), ("run", "#!"), ("dir/secret", "x")]);
        std::fs::set_permissions(folder.0.path().join("run"), std::fs::Permissions::from_mode(0o4711))
            .expect("sets");
        std::fs::set_permissions(folder.0.path().join("dir/secret"), std::fs::Permissions::from_mode(0o600))
            .expect("sets");
        folder.link("out", "/etc/passwd");
        folder.link("loop", ".");
        let text = |path: &str, mode: u32, text: &str| (path.to_owned(), mode, text.to_owned());
        assert_eq!(
            entries(&folder.packed("./Dockerfile")),
            [
                text("Dockerfile", 0o644, "FROM scratch"),
                text("dir/", 0o755, ""),
                text("dir/secret", 0o644, "x"),
                text("loop", 0o777, "."),
                text("out", 0o777, "/etc/passwd"),
                text("run", 0o755, "#!"),
            ]
        );
    }

    #[test]
    fn the_digest_is_of_the_content_and_not_of_git() {
        let files = [("Dockerfile", "FROM scratch"), ("a", "1"), (".git/index", "x")];
        let (one, two) = (Folder::new(&files), Folder::new(&files));
        let first = one.packed("Dockerfile");
        assert_eq!(first.digest(), two.packed("Dockerfile").digest());
        assert_eq!(entries(&first), entries(&two.packed("Dockerfile")));
        two.write(".git/index", "changed");
        assert_eq!(first.digest(), two.packed("Dockerfile").digest());
        assert!(paths(&first).contains(&".git/index".to_owned()));
        two.write("a", "2");
        assert_ne!(first.digest(), two.packed("Dockerfile").digest());
        one.write("builds/x", "FROM scratch");
        assert_ne!(one.packed("Dockerfile").digest(), one.packed("builds/x").digest());
    }

    #[test]
    fn rules_of_the_dockerfile_itself_come_first_and_are_sent_as_the_only_ones() {
        let folder = Folder::new(&[
            ("builds/x", "FROM scratch"),
            ("builds/x.dockerignore", "b"),
            (".dockerignore", "a"),
            ("a", ""),
            ("b", ""),
        ]);
        let packed = folder.packed("builds/x");
        assert_eq!(paths(&packed), ["a", "builds/", "builds/x", "builds/x.dockerignore", ".dockerignore"]);
        let sent = entries(&packed).pop().expect("is not empty");
        assert_eq!(sent.2, "b");
    }

    #[test]
    fn a_dockerfile_that_was_made_is_hidden_from_the_image() {
        let folder = Folder::new(&[("builds/x.in", "#include"), ("a", "")]);
        let made = Dockerfile::Made { from: "builds/x.in".into(), text: "FROM scratch".into() };
        let packed = folder.pack(&made).expect("packs");
        assert_eq!(packed.dockerfile(), MADE);
        let rules = entries(&packed).pop().expect("is not empty");
        assert_eq!(rules, (".dockerignore".into(), 0o644, ".cki.dockerfile\n.dockerignore\n".into()));
        folder.write(".dockerignore", "a");
        let packed = folder.pack(&made).expect("packs");
        let rules = entries(&packed).pop().expect("is not empty");
        assert_eq!(rules.2, "a\n.cki.dockerfile\n");
        assert_eq!(paths(&packed), ["builds/", "builds/x.in", MADE, ".dockerignore"]);
    }

    #[test]
    fn what_cannot_be_packed_is_named() {
        let folder = Folder::new(&[("Dockerfile", "FROM scratch")]);
        let error = |path: &str| folder.pack(&Dockerfile::File(path.into())).expect_err(path).to_string();
        assert!(error("nope").contains("/nope`"));
        assert!(error("../Dockerfile").contains("not in the build context"));
        assert!(error("/etc/passwd").contains("not in the build context"));
        folder.link("far", "/etc/passwd");
        assert!(error("far").contains("beyond the build context"));
        assert!(error(".").contains("not a file"));
        folder.write(".dockerignore", "ok\n[");
        assert!(error("Dockerfile").contains("line 2"));
        std::fs::remove_file(folder.0.path().join(".dockerignore")).expect("removes");
        folder.link(".dockerignore", "/etc/passwd");
        assert!(error("Dockerfile").contains("beyond the build context"));
        std::fs::remove_file(folder.0.path().join(".dockerignore")).expect("removes");
        nix::unistd::mkfifo(&folder.0.path().join("pipe"), nix::sys::stat::Mode::S_IRWXU).expect("makes it");
        assert_eq!(folder.packed("Dockerfile").skipped(), ["pipe"]);
    }
}
