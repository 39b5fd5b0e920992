//! Branches of a clone: their names and files, and a new branch with one commit. The working tree, the index and the
//! checked-out branch stay as they are.

use std::collections::BTreeSet;
use std::path::Path;

use git2::build::TreeUpdateBuilder;
use git2::{BranchType, Repository, Signature, Time};

use super::error::at;
use super::history::{Author, TreeFile};
use super::user_config::UserConfig;
use super::{CommitId, GitError, tree};
use crate::host::Env;

/// Maximum number of branches that are looked at.
const MOST: usize = 2000;

/// A clone, for its branches.
pub struct Branches {
    repository: Repository,
    root: std::path::PathBuf,
}

/// A branch of a clone, or of its remote as last fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchFiles {
    /// Name, such as `topic` or `origin/topic`.
    pub name: String,
    /// Names in a directory of its newest commit.
    pub names: Vec<String>,
}

impl Branches {
    /// Opens a clone; `None` if the directory is none.
    ///
    /// # Errors
    /// Fails if there is a clone that cannot be read.
    pub fn open(directory: &Path) -> Result<Option<Self>, GitError> {
        match tree::open(directory) {
            Ok(repository) => Ok(Some(Self { repository, root: directory.to_owned() })),
            Err(GitError::NoRepository { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the branch from which new work starts, with its newest commit: the default branch of the remote `origin`
    /// as last fetched, else the checked-out branch. `None` in an empty repository.
    ///
    /// # Errors
    /// Fails if the repository cannot be read.
    pub fn base(&self) -> Result<Option<(String, CommitId)>, GitError> {
        const ORIGIN: &str = "refs/remotes/origin/";
        let remote = self.repository.find_reference(&format!("{ORIGIN}HEAD")).ok();
        let remote = remote.and_then(|head| head.symbolic_target().ok().flatten().map(str::to_owned));
        let guesses = ["main", "master"].map(|name| format!("{ORIGIN}{name}"));
        for name in remote.into_iter().chain(guesses) {
            if let Some(id) = tree::commit_of(&self.repository, &name).map_err(at(&self.root))? {
                return Ok(Some((name.trim_start_matches("refs/remotes/").to_owned(), CommitId::new(id))));
            }
        }
        let Some(id) = tree::head(&self.repository).map_err(at(&self.root))? else { return Ok(None) };
        let name = tree::branch(&self.repository).map_err(at(&self.root))?;
        let name =
            name.map_or_else(|| "HEAD".to_owned(), |name| name.trim_start_matches("refs/heads/").to_owned());
        Ok(Some((name, CommitId::new(id))))
    }

    /// Returns the names in a directory of a commit, sorted; none if there is no such directory.
    ///
    /// # Errors
    /// Fails if the repository cannot be read.
    pub fn names_at(&self, commit: CommitId, directory: &str) -> Result<Vec<String>, GitError> {
        self.names(commit.oid(), directory).map_err(at(&self.root))
    }

    /// Returns all branches, local and remote, with the names in a directory of each.
    ///
    /// # Errors
    /// Fails if the repository cannot be read.
    pub fn all(&self, directory: &str) -> Result<Vec<BranchFiles>, GitError> {
        self.read_all(directory).map_err(at(&self.root))
    }

    fn read_all(&self, directory: &str) -> Result<Vec<BranchFiles>, git2::Error> {
        let mut all = Vec::new();
        for branch in self.repository.branches(None)?.take(MOST) {
            let (branch, kind) = branch?;
            let Ok(name) = std::str::from_utf8(branch.name_bytes()?) else { continue };
            let Some(id) = branch.get().target() else { continue };
            let names = self.names(id, directory)?;
            let is_local = matches!(kind, BranchType::Local);
            // `refs/remotes/origin/HEAD` is no branch of its own.
            if is_local || !name.ends_with("/HEAD") {
                all.push(BranchFiles { name: name.to_owned(), names });
            }
        }
        Ok(all)
    }

    fn names(&self, commit: git2::Oid, directory: &str) -> Result<Vec<String>, git2::Error> {
        let Ok(commit) = self.repository.find_commit(commit) else { return Ok(Vec::new()) };
        let mut files = commit.tree()?;
        if !directory.is_empty() {
            let Ok(entry) = files.get_path(Path::new(directory)) else { return Ok(Vec::new()) };
            let Ok(below) = entry.to_object(&self.repository)?.into_tree() else { return Ok(Vec::new()) };
            files = below;
        }
        let names: BTreeSet<String> =
            files.iter().map(|entry| String::from_utf8_lossy(entry.name_bytes()).into_owned()).collect();
        Ok(names.into_iter().collect())
    }

    /// Returns the author of new commits: from the clone's configuration, else from the user's.
    ///
    /// # Errors
    /// Fails if the user's configuration cannot be read.
    pub fn author(&self, env: &Env) -> Result<Option<Author>, GitError> {
        let own = self.repository.config().and_then(|mut config| config.snapshot()).ok();
        let user = UserConfig::read(env)?;
        let value = |variable: &str, key: &str| {
            let set = env.get(variable).map(str::to_owned);
            let own = || own.as_ref()?.get_string(key).ok();
            let found = set.or_else(own).or_else(|| user.text(key));
            found.filter(|text| !text.trim().is_empty() && !text.contains(['<', '>', '\n']))
        };
        let name = value("GIT_AUTHOR_NAME", "user.name");
        let email = value("GIT_AUTHOR_EMAIL", "user.email");
        Ok(name.zip(email).map(|(name, email)| Author { name, email }))
    }

    /// Returns whether a local branch of this name exists.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.repository.find_branch(name, BranchType::Local).is_ok()
    }

    /// Creates a branch with one commit, which adds files to those of `base`. Runs no hooks.
    ///
    /// # Errors
    /// Fails if the branch exists, or the repository cannot be written.
    pub fn create(
        &self,
        name: &str,
        base: CommitId,
        file: &TreeFile,
        message: &str,
        (author, seconds): (&Author, i64),
    ) -> Result<CommitId, GitError> {
        let write = || {
            let base = self.repository.find_commit(base.oid())?;
            let mut update = TreeUpdateBuilder::new();
            let blob = self.repository.blob(&file.content)?;
            update.upsert(file.path.as_str(), blob, git2::FileMode::Blob);
            let tree = update.create_updated(&self.repository, &base.tree()?)?;
            let tree = self.repository.find_tree(tree)?;
            let who = Signature::new(&author.name, &author.email, &Time::new(seconds, 0))?;
            let commit = self.repository.commit(None, &who, &who, message, &tree, &[&base])?;
            self.repository.reference(&format!("refs/heads/{name}"), commit, false, "cki: created")?;
            Ok(CommitId::new(commit))
        };
        write().map_err(at(&self.root))
    }
}

impl std::fmt::Debug for Branches {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Branches").field("root", &self.root).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::systems::git::{History, Mode};

    #[test]
    fn branches_are_listed_and_created_without_the_working_tree() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let author = Author { name: "A".into(), email: "a@example.com".into() };
        let file = |path: &str| TreeFile { path: path.into(), content: b"x\n".to_vec(), mode: Mode::Plain };
        let path = directory.path().join("x.git");
        let mut history = History::begin(&path, "main", author.clone(), 0).expect("begins");
        let first = history.commit(None, "m", &[file("d/a.md"), file("b.md")]).expect("commits");
        history.update_ref("refs/heads/main", first).expect("points");
        let branches = Branches::open(&path).expect("opens").expect("is one");
        assert_eq!(branches.base().expect("is read"), Some(("main".to_owned(), first)));
        let made = branches.create("topic", first, &file("d/c.md"), "add\n", (&author, 9)).expect("creates");
        assert_ne!(made, first);
        assert!(branches.has("topic") && !branches.has("other"));
        assert!(branches.create("topic", first, &file("d/e.md"), "x\n", (&author, 9)).is_err());
        let all = branches.all("d").expect("are read");
        let all: Vec<_> = all.iter().map(|one| (one.name.as_str(), one.names.join(" "))).collect();
        assert_eq!(all, [("main", "a.md".to_owned()), ("topic", "a.md c.md".to_owned())]);
        assert_eq!(branches.names_at(made, "none").expect("is read"), [] as [&str; 0]);
        history.update_ref("refs/remotes/origin/main", made).expect("points");
        assert_eq!(branches.base().expect("is read"), Some(("origin/main".to_owned(), made)));
        assert!(Branches::open(directory.path()).expect("is read").is_none());
        let env = Env::new([("GIT_AUTHOR_NAME", "B"), ("GIT_AUTHOR_EMAIL", "b@example.com")]);
        let found = branches.author(&env).expect("is read").expect("is there");
        assert_eq!((found.name.as_str(), found.email.as_str()), ("B", "b@example.com"));
    }
}
