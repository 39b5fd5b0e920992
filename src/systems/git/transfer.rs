//! A temporary repository within that of a clone, in which a transfer happens. It starts with the clone's
//! refs and objects, and without its configuration, hooks and attributes: the author of the clone controls
//! those, and git runs programs that they name. Fetched content reaches the clone only once it is complete;
//! the next transfer removes the directory of a killed one.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use git2::{Config, ConfigLevel, Oid, Repository};

use super::config_text::ConfigText;
use super::error::at;
use super::staging_dir::{StagingDir, remove_stale_clones_in};
use super::tracking::local_refs as refs;
use super::user_config::UserConfig;
use super::{GitError, GitUrl, stale, tree};
use crate::base::files::{self, FileError};
use crate::host::Env;

/// Infix in the name of a transfer's directory, between random parts.
const NAME: &str = "transfer";
/// File with the commits whose parents are missing.
const SHALLOW: &str = "shallow";

/// Refs and their objects.
type Refs = BTreeMap<String, Oid>;

/// A transfer in progress.
pub(super) struct Transfer<'a> {
    clone: &'a Repository,
    directory: StagingDir,
    inner: Repository,
    /// User's own configuration.
    pub(super) user: UserConfig,
    before: Refs,
}

impl<'a> Transfer<'a> {
    /// Starts a transfer, after removing leftovers of dead ones.
    pub(super) fn begin(clone: &'a Repository, url: &GitUrl, env: &Env) -> Result<Self, GitError> {
        let at = at(clone.path());
        if !remove_stale_clones_in(clone.path()).is_empty() {
            stale::remove_locks(clone.path());
        }
        stale::remove_packs(&objects(clone));
        let directory = StagingDir::within(&clone.path().join(NAME))?;
        let before = refs(clone).map_err(&at)?;
        lay_out(directory.path(), clone, &before)?;
        // Read with the clone's path, so that `includeIf "gitdir:…"` matches it.
        let text = ConfigText::of(env)?;
        write(directory.path(), "config", include_of(&text).as_bytes())?;
        let reading = tree::open_own(directory.path()).map_err(&at)?;
        let read = || -> Result<UserConfig, git2::Error> {
            let own = reading.config()?.open_level(ConfigLevel::Local)?.snapshot()?;
            UserConfig::new(env, own)
        };
        let user = read().map_err(|error| GitError::Config { why: error.message().to_owned() })?;
        // The program reads the user's configuration itself; the address is there for its conditions.
        write(directory.path(), "config", config_of(url).as_bytes())?;
        let inner = tree::open_own(directory.path()).map_err(&at)?;
        // `user_config` has evaluated the settings that libgit2 needs.
        inner.set_config(&Config::new().map_err(&at)?).map_err(&at)?;
        Ok(Self { clone, directory, inner, user, before })
    }

    /// Returns the temporary repository.
    pub(super) fn repository(&self) -> &Repository {
        &self.inner
    }

    /// Moves the result into the clone: objects first, so that no ref names a missing one.
    pub(super) fn settle(self) -> Result<(), GitError> {
        let (from, to) = (self.directory.path().join("objects"), objects(self.clone));
        move_objects(&from, &to)?;
        let shallow = self.directory.path().join(SHALLOW);
        if let Ok(lines) = fs_err::read(&shallow) {
            files::write_atomic(&common(self.clone).join(SHALLOW), &lines, 0o644)?;
        }
        self.settle_refs().map_err(at(self.clone.path()))
    }

    fn settle_refs(&self) -> Result<(), git2::Error> {
        let after = refs(&tree::open_own(self.directory.path())?)?;
        // Removed refs free names for new ones, so they go first.
        for name in self.before.keys().filter(|name| !after.contains_key(*name)) {
            if let Ok(mut reference) = self.clone.find_reference(name) {
                reference.delete()?;
            }
        }
        for (name, id) in after.iter().filter(|(name, id)| self.before.get(*name) != Some(id)) {
            self.clone.reference(name, *id, true, "cki: fetch")?;
        }
        Ok(())
    }
}

/// Returns the directory that linked work trees share.
fn common(repository: &Repository) -> &Path {
    repository.commondir()
}

fn objects(repository: &Repository) -> std::path::PathBuf {
    common(repository).join("objects")
}

/// Writes a bare repository that borrows the clone's objects.
fn lay_out(directory: &Path, clone: &Repository, refs: &Refs) -> Result<(), GitError> {
    for name in ["objects/info", "objects/pack", "refs/heads"] {
        files::make_directory(&directory.join(name))?;
    }
    write(directory, "HEAD", b"ref: refs/heads/none\n")?;
    let objects = objects(clone);
    let objects = objects.canonicalize().map_err(|error| FileError::new("read", &objects, error))?;
    let mut lines = objects.as_os_str().as_bytes().to_vec();
    if lines.contains(&b'\n') {
        let source = std::io::Error::other("its path holds a line break");
        return Err(FileError::new("fetch into", objects, source).into());
    }
    lines.push(b'\n');
    write(directory, "objects/info/alternates", &lines)?;
    let mut packed = String::from("# pack-refs with: sorted \n");
    for (name, id) in refs {
        let _ = writeln!(packed, "{id} {name}");
    }
    write(directory, "packed-refs", packed.as_bytes())?;
    match fs_err::read(common(clone).join(SHALLOW)) {
        Ok(lines) => write(directory, SHALLOW, &lines),
        Err(_) => Ok(()),
    }
}

const CORE: &str = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n";

fn include_of(text: &ConfigText) -> String {
    format!("[include]\n\tpath = {}\n{CORE}", text.path().display())
}

fn config_of(url: &GitUrl) -> String {
    let url = url.as_str().replace('\\', "\\\\").replace('"', "\\\"");
    format!("{CORE}[remote \"origin\"]\n\turl = \"{url}\"\n")
}

fn write(directory: &Path, name: &str, content: &[u8]) -> Result<(), GitError> {
    let path = directory.join(name);
    Ok(std::fs::write(&path, content).map_err(|error| FileError::new("write", path, error))?)
}

/// Moves packs and loose objects. The index of a pack moves last, since git ignores a pack without one.
fn move_objects(from: &Path, to: &Path) -> Result<(), FileError> {
    for directory in files::list_dir(from)? {
        let is_pack = directory == "pack";
        let is_fan = directory.len() == 2 && directory.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_pack && !is_fan {
            continue;
        }
        let (from, to) = (from.join(&directory), to.join(&directory));
        files::make_directory(&to)?;
        let mut names = files::list_dir(&from)?;
        names.retain(|name| if is_pack { name.starts_with("pack-") } else { !name.starts_with("tmp_") });
        names.sort_by_key(|name| (Path::new(name).extension().is_some_and(|end| end == "idx"), name.clone()));
        for name in names {
            let target = to.join(&name);
            // An object is named after its content: an existing one is the same.
            if target.symlink_metadata().is_err() {
                files::rename(&from.join(&name), &target)?;
            }
        }
    }
    Ok(())
}
