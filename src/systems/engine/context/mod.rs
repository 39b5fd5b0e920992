//! Build context: a directory as the tar from which an engine builds. It is the same, byte for byte, for the
//! same files: sorted, without timestamps and owners. Paths excluded by `.dockerignore` stay out, and a link
//! is packed as a link, so that nothing from outside of the directory gets in.

mod ignore;
mod packer;
mod rules;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::EngineError;
use crate::base::files::FileError;
use packer::Packer;
use rules::{IgnoreRules, MADE};

/// Dockerfile of a build.
#[derive(Debug, Clone)]
pub enum Dockerfile {
    /// File of the context, by its path in it.
    File(PathBuf),
    /// Text generated from a file, and the path of that file in the context. It does not become part of the
    /// image.
    Made {
        /// Path of the source file.
        from: PathBuf,
        /// Generated text.
        text: String,
    },
}

/// A packed context. It is a file without a name, which vanishes when this is dropped.
#[derive(Debug, Clone)]
pub struct PackedContext {
    file: Arc<File>,
    size: u64,
    digest: String,
    dockerfile: String,
    skipped: Vec<String>,
}

impl PackedContext {
    /// Returns the tar.
    pub(in crate::systems::engine) fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// Returns its size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns the SHA-256 of its content, as hexadecimal digits. Files below a `.git` do not count: they
    /// change with every fetch, while the files of the build stay the same.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Returns the path of the Dockerfile in it.
    #[must_use]
    pub fn dockerfile(&self) -> &str {
        &self.dockerfile
    }

    /// Returns the skipped paths, which are neither file, directory nor link: sockets, pipes, devices.
    #[must_use]
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }
}

/// Packs a directory. `scratch` is a directory on a disk with room for it. Blocks, and takes long on large
/// directories: call it on a thread that may.
///
/// # Errors
/// Fails if something cannot be read, an ignore rule is invalid, or the Dockerfile is missing.
pub fn pack(directory: &Path, dockerfile: &Dockerfile, scratch: &Path) -> Result<PackedContext, EngineError> {
    let root = directory.canonicalize().map_err(|source| FileError::new("read", directory, source))?;
    let named = match dockerfile {
        Dockerfile::File(path) | Dockerfile::Made { from: path, .. } => rules::inside(&root, path)?,
    };
    let rules = IgnoreRules::find(&root, &named)?;
    let mut sent = named.path.clone();
    let mut texts = Vec::new();
    if let Dockerfile::Made { text, .. } = dockerfile {
        sent = MADE.to_owned();
        texts.push((MADE.to_owned(), text.clone()));
    }
    texts.extend(rules.to_send(&sent));
    let fail = |source| EngineError::File(FileError::new("write", scratch, source));
    let mut packer = Packer::new(tempfile::tempfile_in(scratch).map_err(fail)?, root, &named, rules);
    packer.pack(&sent, &texts)?;
    let skipped = std::mem::take(&mut packer.skipped);
    let (file, digest) = packer.finish().map_err(fail)?;
    let size = file.metadata().map_err(fail)?.len();
    Ok(PackedContext { file: Arc::new(file), size, digest, dockerfile: sent, skipped })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{self, Read as _};
    use std::os::unix::fs::PermissionsExt as _;

    struct Directory(tempfile::TempDir);

    impl Directory {
        fn new(files: &[(&str, &str)]) -> Self {
            let directory = Self(tempfile::tempdir().expect("a temporary directory"));
            for (path, text) in files {
                directory.write(path, text);
            }
            directory
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.0.path().join(path);
            std::fs::create_dir_all(path.parent().expect("is below a directory")).expect("makes directories");
            std::fs::write(path, text).expect("writes");
        }

        fn link(&self, path: &str, target: &str) {
            std::os::unix::fs::symlink(target, self.0.path().join(path)).expect("links");
        }

        fn pack(&self, dockerfile: &Dockerfile) -> Result<PackedContext, EngineError> {
            pack(self.0.path(), dockerfile, &self.0.path().join(".."))
        }

        fn packed(&self, dockerfile: &str) -> PackedContext {
            self.pack(&Dockerfile::File(dockerfile.into())).expect("packs")
        }
    }

    /// Returns path, mode, and content or target of every entry.
    fn entries(packed: &PackedContext) -> Vec<(String, u32, String)> {
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

    fn paths(packed: &PackedContext) -> Vec<String> {
        entries(packed).into_iter().map(|(path, ..)| path).collect()
    }

    #[test]
    fn context_applies_ignore_rules_and_keeps_dockerfile() {
        let directory = Directory::new(&[
            ("Dockerfile", "FROM scratch"),
            (".dockerignore", "*\n!src\nsrc/**/*.o\n!deep/down/keep"),
            ("src/a.c", ""),
            ("src/sub/a.o", ""),
            ("deep/down/keep", ""),
            ("deep/down/drop", ""),
            ("other/x", ""),
        ]);
        assert_eq!(
            paths(&directory.packed("Dockerfile")),
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
    fn context_normalises_modes_and_keeps_links() {
        let directory = Directory::new(&[("Dockerfile", "FROM scratch"), ("run", "#!"), ("dir/secret", "x")]);
        std::fs::set_permissions(directory.0.path().join("run"), std::fs::Permissions::from_mode(0o4711))
            .expect("sets");
        std::fs::set_permissions(
            directory.0.path().join("dir/secret"),
            std::fs::Permissions::from_mode(0o600),
        )
        .expect("sets");
        directory.link("out", "/etc/passwd");
        directory.link("loop", ".");
        let text = |path: &str, mode: u32, text: &str| (path.to_owned(), mode, text.to_owned());
        assert_eq!(
            entries(&directory.packed("./Dockerfile")),
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
    fn context_digest_covers_content_but_not_git() {
        let files = [("Dockerfile", "FROM scratch"), ("a", "1"), (".git/index", "x")];
        let (one, two) = (Directory::new(&files), Directory::new(&files));
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
    fn context_holds_the_history_but_nothing_private_of_git() {
        let directory = Directory::new(&[
            ("Dockerfile", "FROM scratch"),
            (".gitignore", ""),
            (".git/HEAD", "ref: refs/heads/main"),
            (".git/config", "url = https://user:token@example.net/x.git"),
            (".git/hooks/pre-commit", ""),
            (".git/logs/HEAD", ""),
            (".git/FETCH_HEAD", ""),
            (".git/modules/a/config", ""),
            (".git/refs/heads/main", ""),
            (".git/objects/ab/cd", ""),
            ("below/.git/config", ""),
            (".dockerignore", "!.git/config\n"),
        ]);
        directory.link("link", ".git");
        let all = paths(&directory.packed("Dockerfile"));
        let of_git: Vec<&String> =
            all.iter().filter(|path| path.contains(".git") && !path.ends_with('/')).collect();
        assert_eq!(of_git, [".git/HEAD", ".git/objects/ab/cd", ".git/refs/heads/main", ".gitignore"]);
        for path in [".git/config", "link/config"] {
            let error = directory.pack(&Dockerfile::File(path.into())).expect_err(path).to_string();
            assert!(error.contains("it belongs to git"), "{error}");
        }
    }

    #[test]
    fn context_prefers_ignore_file_of_dockerfile() {
        let directory = Directory::new(&[
            ("builds/x", "FROM scratch"),
            ("builds/x.dockerignore", "b"),
            (".dockerignore", "a"),
            ("a", ""),
            ("b", ""),
        ]);
        let packed = directory.packed("builds/x");
        assert_eq!(paths(&packed), ["a", "builds/", "builds/x", "builds/x.dockerignore", ".dockerignore"]);
        let sent = entries(&packed).pop().expect("is not empty");
        assert_eq!(sent.2, "b");
    }

    #[test]
    fn generated_dockerfile_is_hidden_from_image() {
        let directory = Directory::new(&[("builds/x.in", "#include"), ("a", "")]);
        let made = Dockerfile::Made { from: "builds/x.in".into(), text: "FROM scratch".into() };
        let packed = directory.pack(&made).expect("packs");
        assert_eq!(packed.dockerfile(), MADE);
        let rules = entries(&packed).pop().expect("is not empty");
        assert_eq!(rules, (".dockerignore".into(), 0o644, ".cki.dockerfile\n.dockerignore\n".into()));
        directory.write(".dockerignore", "a");
        let packed = directory.pack(&made).expect("packs");
        let rules = entries(&packed).pop().expect("is not empty");
        assert_eq!(rules.2, "a\n.cki.dockerfile\n");
        assert_eq!(paths(&packed), ["builds/", "builds/x.in", MADE, ".dockerignore"]);
    }

    #[test]
    fn context_pack_names_unusable_paths() {
        let directory = Directory::new(&[("Dockerfile", "FROM scratch")]);
        let error = |path: &str| directory.pack(&Dockerfile::File(path.into())).expect_err(path).to_string();
        assert!(error("nope").contains("/nope`"));
        assert!(error("../Dockerfile").contains("not in the build context"));
        assert!(error("/etc/passwd").contains("not in the build context"));
        directory.link("far", "/etc/passwd");
        assert!(error("far").contains("beyond the build context"));
        assert!(error(".").contains("not a file"));
        directory.write(".dockerignore", "ok\n[");
        assert!(error("Dockerfile").contains("line 2"));
        std::fs::remove_file(directory.0.path().join(".dockerignore")).expect("removes");
        directory.link(".dockerignore", "/etc/passwd");
        assert!(error("Dockerfile").contains("beyond the build context"));
        std::fs::remove_file(directory.0.path().join(".dockerignore")).expect("removes");
        nix::unistd::mkfifo(&directory.0.path().join("pipe"), nix::sys::stat::Mode::S_IRWXU)
            .expect("makes it");
        assert_eq!(directory.packed("Dockerfile").skipped(), ["pipe"]);
    }
}
