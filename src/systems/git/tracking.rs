//! Remote-tracking refs of a clone. Before a fetch, refs that the remote no longer has are removed, so that
//! their names are free for new ones (`topic` before `topic/one`); after it, the removed ones are reported.
//! Both means of a transfer use this module, so both do the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use git2::{Oid, Repository};

use super::fetch::{Prune, RemoteRefs};
use super::{GitContext, GitUrl};

/// Prefix under which a tag is kept when a tag of the remote conflicts with it.
const ASIDE: &str = "refs/cki/tags/";
const TAGS: &str = "refs/tags/";
/// Maximum number of names in one message.
const NAMED: usize = 5;

/// Removes or moves refs that conflict with the coming fetch.
pub(super) fn make_way(
    repository: &Repository,
    specs: &[String],
    advertised: &RemoteRefs,
    prune: Prune,
) -> Result<(), git2::Error> {
    if !advertised.is_complete {
        return Ok(());
    }
    let local = local_refs(repository)?;
    let incoming: BTreeSet<String> =
        advertised.refs.keys().flat_map(|name| specs.iter().filter_map(|spec| map(spec, name))).collect();
    let taken = RefNames::new(&incoming);
    for name in local.keys() {
        let follows = !incoming.contains(name) && specs.iter().any(|spec| unmap(spec, name).is_some());
        if follows && (prune != Prune::OnlyInTheWay || taken.conflicts(name)) {
            repository.find_reference(name)?.delete()?;
        }
    }
    let theirs: BTreeSet<String> =
        advertised.refs.keys().filter(|name| name.starts_with(TAGS)).cloned().collect();
    let taken = RefNames::new(&theirs);
    for name in local.keys().filter(|name| name.starts_with(TAGS) && !theirs.contains(*name)) {
        let mut tag = repository.find_reference(name)?;
        if prune == Prune::TrackedAndTags {
            tag.delete()?;
        } else if taken.conflicts(name) {
            let kept = format!("{ASIDE}{}", name.trim_start_matches(TAGS));
            if let Some(target) = tag.target() {
                make_room(repository, &kept)?;
                repository.reference(&kept, target, true, "cki: a tag of the remote needs the name")?;
            }
            tag.delete()?;
        }
    }
    Ok(())
}

/// Removes kept tags that conflict with another one.
fn make_room(repository: &Repository, wanted: &str) -> Result<(), git2::Error> {
    let wanted = BTreeSet::from([wanted.to_owned()]);
    let names = RefNames::new(&wanted);
    for name in local_refs(repository)?.keys().filter(|name| name.starts_with(ASIDE) && names.conflicts(name))
    {
        repository.find_reference(name)?.delete()?;
    }
    Ok(())
}

/// Refs of a clone before a fetch, to tell afterwards which ones the fetch removed.
pub(super) struct RefSnapshot {
    refs: BTreeMap<String, Oid>,
    /// Refs that local branches follow, and those branches.
    followed: BTreeMap<String, String>,
    /// Checked-out branch; `update` reports its upstream.
    current: Option<String>,
}

impl RefSnapshot {
    /// Reads the refs of a clone.
    pub(super) fn of(repository: &Repository) -> Result<Self, git2::Error> {
        let refs = local_refs(repository)?;
        let mut followed = BTreeMap::new();
        for name in refs.keys() {
            let upstream = repository.branch_upstream_name(name).ok();
            let Some(branch) = name.strip_prefix("refs/heads/") else { continue };
            if let Some(upstream) = upstream.as_ref().and_then(|upstream| upstream.as_str().ok()) {
                followed.insert(upstream.to_owned(), branch.to_owned());
            }
        }
        let current = super::tree::branch(repository)?;
        let current = current.and_then(|name| name.strip_prefix("refs/heads/").map(str::to_owned));
        Ok(Self { refs, followed, current })
    }

    /// Reports removed and moved refs: as a warning if they concern a local branch that followed one, or a
    /// tag.
    pub(super) fn report_changes(
        &self,
        repository: &Repository,
        url: &GitUrl,
        advertised: &RemoteRefs,
        job: GitContext<'_>,
    ) -> Result<(), git2::Error> {
        let now = local_refs(repository)?;
        let path = repository.workdir().unwrap_or_else(|| repository.path());
        let at = path.components().collect::<std::path::PathBuf>();
        let (mut gone, mut aside) = (Vec::new(), Vec::new());
        for name in self.refs.keys().filter(|name| !now.contains_key(*name)) {
            let short = name.strip_prefix("refs/remotes/").unwrap_or(name);
            let tag = name.strip_prefix(TAGS);
            let kept = tag.map(|tag| format!("{ASIDE}{tag}")).filter(|kept| now.contains_key(kept));
            match (self.followed.get(name), tag.zip(kept)) {
                (_, Some((tag, kept))) => aside.push(format!("{tag} (kept as {kept})")),
                (Some(branch), None) if self.current.as_ref() != Some(branch) => job.events.warn(format!(
                    "`{short}` is gone from the server; `{branch}` in `{}` followed it and stays. {}",
                    at.display(),
                    removal(&at, branch)
                )),
                _ => gone.push(short.to_owned()),
            }
        }
        if let Some((names, _)) = named(&gone) {
            let verb = if gone.len() == 1 { "is" } else { "are" };
            job.events.note(format!("{names}: {verb} gone from the server"));
        }
        if let Some((names, one)) = named(&aside) {
            let what = if one { "tag makes way for a tag" } else { "tags make way for tags" };
            job.events.warn(format!("{names}: {what} of the server"));
        }
        let moved: Vec<String> = advertised
            .refs
            .iter()
            .filter(|(name, id)| now.get(*name).is_some_and(|mine| mine != *id))
            .filter_map(|(name, _)| name.strip_prefix(TAGS).map(str::to_owned))
            .collect();
        if let Some((names, one)) = named(&moved) {
            let mut words = vec!["git", "-C", at.to_str().unwrap_or("."), "fetch", "--force", url.as_str()];
            let specs: Vec<String> =
                moved.iter().take(NAMED).map(|tag| format!("{TAGS}{tag}:{TAGS}{tag}")).collect();
            words.extend(specs.iter().map(String::as_str));
            job.events.warn(format!(
                "{} {names} of `{}` {} not what the server has now; `{}` takes {}.",
                if one { "Tag" } else { "Tags" },
                at.display(),
                if one { "is" } else { "are" },
                shell_words::join(words),
                if one { "it" } else { "them" },
            ));
        }
        Ok(())
    }
}

fn removal(path: &Path, branch: &str) -> String {
    let path = path.display().to_string();
    format!("`{}` removes it.", shell_words::join(["git", "-C", &path, "branch", "-D", "--", branch]))
}

/// Returns some of the names as text, and whether there is only one.
fn named(names: &[String]) -> Option<(String, bool)> {
    let shown = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len() {
        0 => None,
        count if count > NAMED => Some((format!("{shown} and {} more", count - NAMED), false)),
        count => Some((shown, count == 1)),
    }
}

/// Returns the refs that name a commit or tag themselves.
pub(super) fn local_refs(repository: &Repository) -> Result<BTreeMap<String, Oid>, git2::Error> {
    let mut refs = BTreeMap::new();
    for reference in repository.references()? {
        let reference = reference?;
        if let (Ok(name), Some(id)) = (reference.name(), reference.target()) {
            refs.insert(name.to_owned(), id);
        }
    }
    Ok(refs)
}

/// Names of refs, none of which is a directory of another.
struct RefNames<'a> {
    names: &'a BTreeSet<String>,
}

impl<'a> RefNames<'a> {
    fn new(names: &'a BTreeSet<String>) -> Self {
        Self { names }
    }

    /// Returns whether a name cannot exist next to them.
    fn conflicts(&self, name: &str) -> bool {
        let below = format!("{name}/");
        let first = self.names.range(below.clone()..).next();
        let above = name.match_indices('/').any(|(at, _)| self.names.contains(&name[..at]));
        above || first.is_some_and(|first| first.starts_with(&below))
    }
}

/// Returns the local ref to which a refspec maps a ref of the remote.
fn map(spec: &str, name: &str) -> Option<String> {
    let (from, to) = spec.trim_start_matches('+').split_once(':')?;
    replace(from, to, name)
}

/// Returns the ref of the remote that a refspec maps to a local name.
fn unmap(spec: &str, name: &str) -> Option<String> {
    let (from, to) = spec.trim_start_matches('+').split_once(':')?;
    replace(to, from, name)
}

fn replace(pattern: &str, with: &str, name: &str) -> Option<String> {
    match pattern.split_once('*') {
        Some((before, after)) => {
            let middle = name.strip_prefix(before)?.strip_suffix(after)?;
            (!middle.is_empty()).then(|| with.replacen('*', middle, 1))
        }
        None => (pattern == name).then(|| with.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refspec_maps_both_ways() {
        let spec = "+refs/heads/*:refs/remotes/origin/*";
        assert_eq!(map(spec, "refs/heads/a/b").as_deref(), Some("refs/remotes/origin/a/b"));
        assert_eq!(unmap(spec, "refs/remotes/origin/a/b").as_deref(), Some("refs/heads/a/b"));
        assert_eq!((map(spec, "refs/tags/a"), unmap(spec, "refs/remotes/other/a")), (None, None));
        assert_eq!(map("refs/heads/a:refs/x/a", "refs/heads/a").as_deref(), Some("refs/x/a"));
    }

    #[test]
    fn ref_names_conflict_with_ref_directories() {
        let names = ["r/a/b", "r/c", "r/d-e"].map(str::to_owned).into_iter().collect();
        let names = RefNames::new(&names);
        assert!(names.conflicts("r/a") && names.conflicts("r/c/x") && names.conflicts("r/c/x/y"));
        assert!(!names.conflicts("r/d") && !names.conflicts("r/a/c") && !names.conflicts("r/c"));
    }
}
