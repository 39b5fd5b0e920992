//! The refs of a clone that follow those of a remote, before a fetch: what the remote no longer has
//! goes, so that a name is free for what it has now (`topic` before `topic/one`). Both ways to a
//! repository use it, so both do the same.

use std::collections::BTreeSet;

use git2::Repository;

use super::Job;
use super::choose::{Advertised, Prune};

/// Where a tag is kept that a tag of the remote is in the way of.
const ASIDE: &str = "refs/cki/tags/";
const TAGS: &str = "refs/tags/";
/// The most names in one message.
const NAMED: usize = 5;

/// Makes way for what is about to be fetched.
pub(super) fn make_way(
    repository: &Repository,
    specs: &[String],
    advertised: &Advertised,
    prune: Prune,
    job: Job<'_>,
) -> Result<(), git2::Error> {
    if !advertised.is_complete {
        return Ok(());
    }
    let local = local_refs(repository)?;
    let incoming: BTreeSet<String> =
        advertised.refs.iter().flat_map(|name| specs.iter().filter_map(|spec| map(spec, name))).collect();
    let taken = Names::new(&incoming);
    let mut gone = Vec::new();
    for name in &local {
        let follows = !incoming.contains(name) && specs.iter().any(|spec| unmap(spec, name).is_some());
        if follows && (prune != Prune::OnlyInTheWay || taken.conflicts(name)) {
            repository.find_reference(name)?.delete()?;
            gone.push(name.strip_prefix("refs/remotes/").unwrap_or(name).to_owned());
        }
    }
    tell(job, &gone, "is gone from the server", "are gone from the server");
    let theirs: BTreeSet<String> =
        advertised.refs.iter().filter(|name| name.starts_with(TAGS)).cloned().collect();
    let taken = Names::new(&theirs);
    let mut aside = Vec::new();
    for name in local.iter().filter(|name| name.starts_with(TAGS) && !theirs.contains(*name)) {
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
            aside.push(format!("{} (kept as {kept})", name.trim_start_matches(TAGS)));
        }
    }
    let (one, many) = ("makes way for a tag of the server", "make way for tags of the server");
    tell(job, &aside, &format!("tag {one}"), &format!("tags {many}"));
    Ok(())
}

/// Removes kept tags that are in the way of another one.
fn make_room(repository: &Repository, wanted: &str) -> Result<(), git2::Error> {
    let wanted = BTreeSet::from([wanted.to_owned()]);
    let names = Names::new(&wanted);
    for name in local_refs(repository)?.iter().filter(|name| name.starts_with(ASIDE) && names.conflicts(name))
    {
        repository.find_reference(name)?.delete()?;
    }
    Ok(())
}

fn tell(job: Job<'_>, names: &[String], one: &str, many: &str) {
    let shown: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
    match names.len() {
        0 => {}
        1 => job.events.note(format!("{}: {one}", shown[0])),
        count if count > NAMED => {
            job.events.note(format!("{} and {} more: {many}", shown.join(", "), count - NAMED));
        }
        _ => job.events.note(format!("{}: {many}", shown.join(", "))),
    }
}

/// The refs that name a commit or tag themselves.
fn local_refs(repository: &Repository) -> Result<Vec<String>, git2::Error> {
    let mut names = Vec::new();
    for reference in repository.references()? {
        let reference = reference?;
        if reference.target().is_some()
            && let Ok(name) = reference.name()
        {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// Names of refs, of which none may be a directory of another.
struct Names<'a> {
    names: &'a BTreeSet<String>,
}

impl<'a> Names<'a> {
    fn new(names: &'a BTreeSet<String>) -> Self {
        Self { names }
    }

    /// Whether a name cannot be beside them.
    fn conflicts(&self, name: &str) -> bool {
        let below = format!("{name}/");
        let first = self.names.range(below.clone()..).next();
        let above = name.match_indices('/').any(|(at, _)| self.names.contains(&name[..at]));
        above || first.is_some_and(|first| first.starts_with(&below))
    }
}

/// Where a refspec puts a ref of the remote.
fn map(spec: &str, name: &str) -> Option<String> {
    let (from, to) = spec.trim_start_matches('+').split_once(':')?;
    replace(from, to, name)
}

/// The ref of the remote that a refspec puts to a name.
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
    fn refspecs_map_both_ways() {
        let spec = "+refs/heads/*:refs/remotes/origin/*";
        assert_eq!(map(spec, "refs/heads/a/b").as_deref(), Some("refs/remotes/origin/a/b"));
        assert_eq!(unmap(spec, "refs/remotes/origin/a/b").as_deref(), Some("refs/heads/a/b"));
        assert_eq!((map(spec, "refs/tags/a"), unmap(spec, "refs/remotes/other/a")), (None, None));
        assert_eq!(map("refs/heads/a:refs/x/a", "refs/heads/a").as_deref(), Some("refs/x/a"));
    }

    #[test]
    fn a_name_and_a_directory_of_that_name_exclude_each_other() {
        let names = ["r/a/b", "r/c", "r/d-e"].map(str::to_owned).into_iter().collect();
        let names = Names::new(&names);
        assert!(names.conflicts("r/a") && names.conflicts("r/c/x") && names.conflicts("r/c/x/y"));
        assert!(!names.conflicts("r/d") && !names.conflicts("r/a/c") && !names.conflicts("r/c"));
    }
}
