//! Copies of a revision of a repository, to be read from their objects: without a working tree, and of one commit where
//! that suffices. Each commit has a directory of its own, which appears whole and never changes. The choice of
//! revisions, and the end of a copy, are up to the caller.

use std::collections::HashSet;
use std::path::Path;

use git2::{Oid, Repository};

use super::error::at;
use super::fetch::{FetchRequest, Prune, RemoteRefs};
use super::staging_dir::{StagingDir, remove_stale_clones};
use super::{CommitId, Git, GitContext, GitError, GitUrl, Scheme};
use crate::base::files;
use crate::base::text;

/// Ref of the revision in a copy.
const COPIED: &str = "refs/cki/source";
/// Prefix of the refs from which a commit is looked up.
const SEARCHED: &str = "refs/cki/searched/heads";
/// Number of commits among which an earlier one is looked for.
const HISTORY: u32 = 50;
const HEADS: &str = "refs/heads/";
const TAGS: &str = "refs/tags/";

/// A copied revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopiedRevision {
    /// Its commit.
    pub commit: CommitId,
    /// The commit of the copy before.
    pub earlier: EarlierCommit,
}

/// An earlier commit of a reference, in the history of its present one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EarlierCommit {
    /// It is part of it, or there is none.
    Included,
    /// It is not part of it: the history was rewritten, or the reference was moved.
    Absent,
    /// It is not among the latest commits, and the others were not fetched.
    NotFound,
}

impl Git {
    /// Copies a revision of a repository into a directory below `parent` that is named by its commit, unless it is
    /// there. `reference` is a branch, a tag, a full ref or a whole commit ID; without one, it is the default branch.
    /// `before` is the commit of an earlier copy, which is looked for in the history.
    /// First removes leftovers of earlier copies whose process was killed.
    ///
    /// # Errors
    /// Fails if the repository is out of reach or lacks the revision, or the work was stopped. Nothing is left then.
    pub fn copy_revision(
        &self,
        url: &GitUrl,
        reference: Option<&str>,
        before: Option<CommitId>,
        parent: &Path,
        job: GitContext<'_>,
    ) -> Result<CopiedRevision, GitError> {
        files::make_directory(parent)?;
        // The list of removed leftovers is not needed here.
        let _ = remove_stale_clones(parent);
        let staging = StagingDir::next_to(&parent.join("copy"))?;
        let repository = Repository::init(staging.path()).map_err(at(parent))?;
        let wanted = reference.and_then(CommitId::parse).map(CommitId::oid);
        let ask: Vec<String> =
            reference.filter(|name| name.starts_with("refs/")).map(str::to_owned).into_iter().collect();
        let plan = |advertised: &RemoteRefs| plan(url, reference, wanted, advertised);
        // A commit that is no tip can be anywhere in the history.
        let depth = (wanted.is_none() && url.scheme() != Scheme::Local).then_some(1);
        let request = FetchRequest { ask: &ask, depth, prune: Prune::OnlyInTheWay, plan: &plan };
        self.fetch(&repository, url, job, &request)?;
        let found = match wanted {
            Some(id) => repository.find_commit(id).map(|commit| commit.id()),
            None => copied(&repository, reference),
        };
        let commit = found.map_err(|_| lacking(url, reference, &[]))?;
        let before = before.map(CommitId::oid).filter(|before| *before != commit);
        if before.is_some() && repository.is_shallow() {
            let deeper = FetchRequest { depth: Some(HISTORY), ..request };
            // Without the history, the copy is as good as with it.
            let _ = self.fetch(&repository, url, job, &deeper);
        }
        let earlier = before.map_or(EarlierCommit::Included, |before| find(&repository, before, commit));
        if job.stop.now().is_some() {
            return Err(GitError::Stopped { what: url.to_string() });
        }
        drop(repository);
        match staging.persist(&parent.join(commit.to_string())) {
            // Another process was faster, or the revision has not changed.
            Ok(()) | Err(GitError::Occupied { .. }) => {
                Ok(CopiedRevision { commit: CommitId::new(commit), earlier })
            }
            Err(error) => Err(error),
        }
    }
}

/// Looks for an earlier commit in the history of another one, as far as it was fetched.
fn find(repository: &Repository, before: Oid, commit: Oid) -> EarlierCommit {
    let (mut open, mut seen) = (vec![commit], HashSet::from([commit]));
    let mut is_cut = false;
    while let Some(id) = open.pop() {
        if id == before {
            return EarlierCommit::Included;
        }
        let Ok(found) = repository.find_commit(id) else {
            is_cut = true;
            continue;
        };
        // libgit2 hides the parents of a commit at which the history is cut.
        let header = String::from_utf8_lossy(found.raw_header_bytes()).into_owned();
        let parents = header.lines().filter_map(|line| Oid::from_str(line.strip_prefix("parent ")?).ok());
        open.extend(parents.filter(|parent| seen.insert(*parent)));
    }
    if is_cut { EarlierCommit::NotFound } else { EarlierCommit::Absent }
}

/// Returns the commit of the revision that was fetched.
fn copied(repository: &Repository, reference: Option<&str>) -> Result<Oid, git2::Error> {
    let tag = reference.map(|name| format!("{TAGS}{}", name.trim_start_matches(TAGS)));
    let found = repository.find_reference(COPIED).or_else(|error| match &tag {
        Some(tag) => repository.find_reference(tag),
        None => Err(error),
    });
    found?.peel_to_commit().map(|commit| commit.id())
}

fn plan(
    url: &GitUrl,
    reference: Option<&str>,
    wanted: Option<Oid>,
    advertised: &RemoteRefs,
) -> Result<Vec<String>, GitError> {
    let refs = &advertised.refs;
    let Some(reference) = reference else {
        let default = advertised.default_branch.clone().filter(|name| refs.contains_key(name));
        let name = default.ok_or_else(|| lacking(url, None, &[]))?;
        return Ok(vec![format!("+{name}:{COPIED}")]);
    };
    let names = [format!("{HEADS}{reference}"), format!("{TAGS}{reference}"), reference.to_owned()];
    if let Some(name) = names.iter().find(|name| name.starts_with("refs/") && refs.contains_key(*name)) {
        // libgit2 stores a tag under its own name, whatever a refspec says.
        let to = if name.starts_with(TAGS) { name.as_str() } else { COPIED };
        return Ok(vec![format!("+{name}:{to}")]);
    }
    if wanted.is_some() {
        return Ok(vec![format!("+{HEADS}*:{SEARCHED}/*"), format!("+{TAGS}*:{TAGS}*")]);
    }
    let short = refs.keys().filter_map(|name| name.strip_prefix(HEADS).or_else(|| name.strip_prefix(TAGS)));
    Err(lacking(url, Some(reference), &text::nearest(reference, short)))
}

fn lacking(url: &GitUrl, reference: Option<&str>, nearest: &[&str]) -> GitError {
    GitError::NoRevision {
        url: url.to_string(),
        reference: reference.map(str::to_owned),
        nearest: nearest.iter().map(|name| (*name).to_owned()).collect(),
    }
}
