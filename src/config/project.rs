//! The `cki.toml` of a project: rules on which file counts, and which settings a project may never make.
//! The file is found upward from the working directory, so a stranger may have written it. The user's trust
//! in its directory is in `ops::trust`.

use std::fmt;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use nix::unistd::{Gid, Group, Uid, User, geteuid};

use crate::base::files;
use crate::host::DELETED_DIRECTORY;

/// The project's file, or the reason why it does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ProjectFile {
    /// File to read.
    Found(PathBuf),
    /// File to ignore, with a warning.
    Ignored(String),
}

/// Finds the nearest `cki.toml` in `cwd` and the directories above it.
pub(super) fn find(cwd: &Path, user_file: Option<&Path>) -> Option<ProjectFile> {
    if cwd == Path::new(DELETED_DIRECTORY) {
        let why = format!("the working directory was deleted, so no `{FILE}` above it counts.");
        return Some(ProjectFile::Ignored(why));
    }
    // Of any file type: an unreadable one is an error, and must not be skipped.
    let is_there = |file: &PathBuf| file.symlink_metadata().is_ok();
    let file = cwd.ancestors().map(|directory| directory.join(FILE)).find(is_there)?;
    if Some(file.as_path()) == user_file {
        return None;
    }
    Some(match distrusted(&file) {
        None => ProjectFile::Found(file),
        Some(why) => ProjectFile::Ignored(format!("`{}` is ignored: {why}.", file.display())),
    })
}

/// A reason to distrust a file: another user owns it, or can change or replace it (git has the same rule for
/// repositories, CVE-2022-24765).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// Its owner is unknown.
    #[error("its owner cannot be read")]
    Unreadable,
    /// Another user owns it.
    #[error("it belongs to the user {0}")]
    Foreign(String),
    /// Others can write to it.
    #[error("{0} can change it")]
    Writable(Writers),
    /// Others can replace files in its directory.
    #[error("{0} can change files in its directory")]
    Directory(Writers),
    /// Others can replace a directory above it.
    #[error("{writers} can change files in `{}`", directory.display())]
    Above {
        /// The directory.
        directory: PathBuf,
        /// Those who can write there.
        writers: Writers,
    },
    /// Another user owns its directory or one above it, or a link to it, and may replace what it holds.
    #[error("`{}` belongs to the user {owner}, who can replace it", directory.display())]
    ForeignAbove {
        /// The directory, or a link to it.
        directory: PathBuf,
        /// The name of the user.
        owner: String,
    },
}

/// Users who can write to something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writers {
    /// Every user of this machine.
    Everyone,
    /// The members of its group.
    Group,
}

impl fmt::Display for Writers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Everyone => "every user of this machine",
            Self::Group => "its group",
        })
    }
}

impl Distrust {
    /// Returns the command that removes the reason for a file, as words.
    #[must_use]
    pub fn remedy(&self, file: &Path) -> Option<[String; 3]> {
        let words = |program: &str, change: &str, path: &Path| {
            Some([program, change, &path.display().to_string()].map(str::to_owned))
        };
        match self {
            Self::Unreadable => None,
            Self::Foreign(_) => words("chown", &files::user_name(geteuid().as_raw()), file),
            Self::Writable(_) => words("chmod", "go-w", file),
            Self::Directory(_) => words("chmod", "go-w", file.parent()?),
            Self::Above { directory, .. } => words("chmod", "go-w", directory),
            Self::ForeignAbove { directory, .. } => {
                words("chown", &files::user_name(geteuid().as_raw()), directory)
            }
        }
    }
}

/// Returns the reason to distrust a file.
#[must_use]
pub fn distrusted(file: &Path) -> Option<Distrust> {
    let (Ok(link), Ok(target), Ok(real)) = (file.symlink_metadata(), file.metadata(), file.canonicalize())
    else {
        return Some(Distrust::Unreadable);
    };
    let near: Vec<&Path> = file.ancestors().skip(1).collect();
    let space = UserSpace::of_this_process();
    // A user who can rename a directory above it can replace the file after the check.
    let above = || near.iter().copied().chain(real.ancestors().skip(1)).find_map(|path| above(path, space));
    [&link, &target]
        .into_iter()
        .find_map(foreign)
        .or_else(|| open(&target).map(Distrust::Writable))
        .or_else(|| {
            let facts = near.first().and_then(|directory| directory.metadata().ok());
            facts.as_ref().and_then(open_directory).map(Distrust::Directory)
        })
        .or_else(above)
}

/// Returns the reason to distrust all files below a directory.
fn above(directory: &Path, space: UserSpace) -> Option<Distrust> {
    let facts = directory.metadata().ok()?;
    // The owner of a link to a directory can lead it elsewhere.
    let link = directory.symlink_metadata().ok().filter(Metadata::is_symlink);
    let owners = [Some(facts.uid()), link.map(|link| link.uid())];
    let directory = || directory.to_owned();
    match owners.into_iter().flatten().find(|owner| space.is_foreign(*owner)) {
        Some(owner) => {
            Some(Distrust::ForeignAbove { directory: directory(), owner: files::user_name(owner) })
        }
        None => open_directory(&facts).map(|writers| Distrust::Above { directory: directory(), writers }),
    }
}

/// The user that the kernel reports for a user without a number in a user namespace.
const OVERFLOW: u32 = 65534;

/// The users that this process can tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UserSpace {
    /// All of this machine.
    All,
    /// Those of a user namespace (a rootless container): the machine's root, who owns `/home` there, has no number.
    Mapped,
}

impl UserSpace {
    fn of_this_process() -> Self {
        let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        Self::of(&map)
    }

    /// Reads `uid_map`: lines of a first user inside, the first one outside, and a count.
    fn of(map: &str) -> Self {
        match map.split_whitespace().collect::<Vec<_>>().as_slice() {
            [] | ["0", "0", "4294967295"] => Self::All,
            _ => Self::Mapped,
        }
    }

    /// Returns whether the owner of a directory is neither this user nor root.
    fn is_foreign(self, owner: u32) -> bool {
        let is_unknown = self == Self::Mapped && owner == OVERFLOW;
        !(files::is_own(owner) || is_unknown)
    }
}

fn foreign(facts: &Metadata) -> Option<Distrust> {
    let owner = facts.uid();
    (!files::is_own(owner)).then(|| Distrust::Foreign(files::user_name(owner)))
}

fn open(facts: &Metadata) -> Option<Writers> {
    if facts.mode() & 0o002 != 0 {
        return Some(Writers::Everyone);
    }
    (facts.mode() & 0o020 != 0 && !is_private_group(facts)).then_some(Writers::Group)
}

/// Returns who else than its owner can replace files in a directory. The sticky bit, as on /tmp, prevents that.
fn open_directory(facts: &Metadata) -> Option<Writers> {
    let sticky = facts.mode() & 0o1000 != 0;
    if sticky { None } else { open(facts) }
}

/// Returns whether the group of a file has no members but the owner: many systems give each user such a
/// group, and a umask of 002.
fn is_private_group(facts: &Metadata) -> bool {
    let group = Gid::from_raw(facts.gid());
    if group.as_raw() == 0 {
        return true;
    }
    let (Ok(Some(group)), Ok(Some(owner))) =
        (Group::from_gid(group), User::from_uid(Uid::from_raw(facts.uid())))
    else {
        return false;
    };
    group.name == owner.name && group.mem.iter().all(|member| *member == owner.name)
}

/// Returns whether `path` is `directory` or lies below it, after all existing links are followed.
pub(super) fn is_inside(path: &Path, directory: &Path) -> bool {
    let (Some(path), Some(directory)) = (resolved(path), resolved(directory)) else { return false };
    path.starts_with(directory)
}

/// Returns the path with the links of its existing part followed; the rest is kept without `..`.
fn resolved(path: &Path) -> Option<PathBuf> {
    let there = path.ancestors().find(|part| part.symlink_metadata().is_ok())?;
    let mut whole = there.canonicalize().ok()?;
    for part in path.strip_prefix(there).ok()?.components() {
        match part {
            Component::Normal(name) => whole.push(name),
            Component::CurDir => {}
            _ => return None,
        }
    }
    Some(whole)
}

/// Name of the file, in a project and in the user's configuration directory.
pub(super) const FILE: &str = "cki.toml";

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn find_ignores_files_writable_by_others() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join(FILE);
        std::fs::write(&file, "").expect("writes");
        let mode = |path: &Path, mode| {
            std::fs::set_permissions(path, Permissions::from_mode(mode)).expect("sets");
        };
        mode(&file, 0o644);
        assert_eq!(find(directory.path(), None), Some(ProjectFile::Found(file.clone())));
        assert_eq!(find(&directory.path().join("a/b"), None), Some(ProjectFile::Found(file.clone())));
        assert_eq!(find(directory.path(), Some(&file)), None);
        let Some(ProjectFile::Ignored(why)) = find(Path::new(DELETED_DIRECTORY), None) else {
            panic!("is found")
        };
        assert!(why.starts_with("the working directory was deleted"), "{why}");
        mode(&file, 0o646);
        let Some(ProjectFile::Ignored(why)) = find(directory.path(), None) else { panic!("is read") };
        assert!(why.ends_with("every user of this machine can change it."), "{why}");
        mode(&file, 0o644);
        mode(directory.path(), 0o777);
        let Some(ProjectFile::Ignored(why)) = find(directory.path(), None) else { panic!("is read") };
        assert!(why.ends_with("can change files in its directory."), "{why}");
        mode(directory.path(), 0o1777);
        assert!(matches!(find(directory.path(), None), Some(ProjectFile::Found(_))));
        // A directory far above, and one above the target of a link.
        let deep = directory.path().join("a/b");
        std::fs::create_dir_all(&deep).expect("makes");
        std::fs::write(deep.join(FILE), "").expect("writes");
        let other = tempfile::tempdir().expect("a temporary directory");
        symlink(deep.join(FILE), other.path().join(FILE)).expect("links");
        for at in [deep.as_path(), other.path()] {
            mode(directory.path(), 0o1777);
            assert!(matches!(find(at, None), Some(ProjectFile::Found(_))));
            mode(directory.path(), 0o777);
            let Some(ProjectFile::Ignored(why)) = find(at, None) else { panic!("is read") };
            assert!(why.contains("can change files in `/"), "{why}");
        }
    }

    #[test]
    fn owner_of_a_directory_above_must_be_the_user_or_root() {
        let own = geteuid().as_raw();
        let other = own.max(1000) + 1;
        for (map, foreign) in [
            ("         0          0 4294967295\n", vec![other, OVERFLOW]),
            ("", vec![other, OVERFLOW]),
            ("0 1000 1\n1 100000 65536\n", vec![other]),
        ] {
            let space = UserSpace::of(map);
            let seen: Vec<u32> =
                [0, own, other, OVERFLOW].into_iter().filter(|owner| space.is_foreign(*owner)).collect();
            assert_eq!(seen, foreign, "{map:?}");
        }
        // Directories of the machine itself: none of another user above, and a pseudo file system of one's own.
        assert_eq!(above(Path::new("/"), UserSpace::of_this_process()), None);
        let directory = tempfile::tempdir().expect("a temporary directory");
        assert_eq!(above(directory.path(), UserSpace::All), None);
        if own == 0 {
            // Also with the sticky bit, its owner may replace what it holds.
            let path = directory.path();
            std::fs::set_permissions(path, Permissions::from_mode(0o1755)).expect("sets");
            std::os::unix::fs::chown(path, Some(other), None).expect("root may");
            std::fs::write(path.join(FILE), "").expect("writes");
            let Some(ProjectFile::Ignored(why)) = find(path, None) else { panic!("is read") };
            assert!(
                why.ends_with(&format!(
                    "belongs to the user {}, who can replace it.",
                    files::user_name(other)
                )),
                "{why}"
            );
        }
    }

    #[test]
    fn distrust_names_a_command_that_removes_it() {
        let file = Path::new("/p/i/inventory.yaml");
        let remedy = |why: Distrust| why.remedy(file).map(|words| words.join(" ")).unwrap_or_default();
        assert_eq!(remedy(Distrust::Writable(Writers::Group)), "chmod go-w /p/i/inventory.yaml");
        assert_eq!(remedy(Distrust::Directory(Writers::Everyone)), "chmod go-w /p/i");
        assert_eq!(
            remedy(Distrust::Above { directory: PathBuf::from("/p"), writers: Writers::Everyone }),
            "chmod go-w /p"
        );
        let foreign = Distrust::ForeignAbove { directory: PathBuf::from("/p"), owner: "nobody".to_owned() };
        assert_eq!(foreign.to_string(), "`/p` belongs to the user nobody, who can replace it");
        assert!(remedy(foreign).starts_with("chown ") && !remedy(Distrust::Unreadable).contains('/'));
        assert!(remedy(Distrust::Foreign("nobody".to_owned())).starts_with("chown "));
    }

    #[test]
    fn is_inside_rejects_escaping_symlinks() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let root = directory.path();
        std::fs::create_dir(root.join("project")).expect("makes");
        symlink(root, root.join("project/out")).expect("links");
        symlink(root.join("nowhere"), root.join("project/dangling")).expect("links");
        let inside = |path: &str| is_inside(&root.join("project").join(path), &root.join("project"));
        assert!(inside("clones") && inside("a/b/c") && inside(".") && inside("./x"));
        assert!(!inside("..") && !inside("../other") && !inside("out") && !inside("out/x"));
        assert!(!inside("new/../../x") && !inside("dangling") && !inside("dangling/x"));
    }
}
