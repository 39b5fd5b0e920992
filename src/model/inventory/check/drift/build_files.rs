//! Rules about build files: those that an entry names and its clone lacks, and the reverse.

use std::collections::HashSet;

use super::super::finding::RelatedPlace;
use super::super::findings::Findings;
use super::super::rule::Rule;
use super::scope::{is_within, of_repository, sources_in};
use super::{BuildFileState, ComponentFacts, RepositoryFacts, ShownBuildFile};
use crate::model::inventory::Component;

pub(super) fn check_entry(findings: &mut Findings<'_>, component: &Component, own: &ComponentFacts) {
    let (Some(build), Some(BuildFileState::Missing { path, moved })) = (&component.build, &own.build_file)
    else {
        return;
    };
    let part = if build.file.is_some() { "build.file" } else { "build" };
    let fix = match (moved, &build.file) {
        (Some(moved), Some(_)) => format!("write `{moved}`"),
        (Some(moved), None) => format!("add `file: {moved}`"),
        (None, _) => "name the build file in `build.file`, or remove `build`".to_owned(),
    };
    let message = format!("there is no build file `{path}` in the clone of `{}`", build.repo);
    findings.of_entry(Rule::MissingBuildFile, component, part, (message, fix));
}

/// Adds findings about the build files of a repository that no entry names. An inventory that describes a part of a
/// repository only, such as one component of a big repository, has none, apart from those in the source directory of an
/// entry.
pub(super) fn check_repository(
    findings: &mut Findings<'_>,
    repository: &RepositoryFacts,
    moved: &HashSet<&str>,
) {
    let inventory = findings.inventory;
    let paths: HashSet<&str> = repository.named_build_files.iter().map(|(path, _)| path.as_str()).collect();
    let is_named = |file: &&ShownBuildFile| paths.contains(file.path.as_str());
    let (named, others): (Vec<_>, Vec<_>) = repository.build_files.iter().partition(is_named);
    let builders: Vec<&Component> =
        repository.named_build_files.iter().filter_map(|(_, entry)| inventory.get(entry)).collect();
    let Some(first) = builders.first() else { return };
    let (describes_half, describes_most) = (named.len() >= others.len(), named.len() > others.len());
    for file in others.into_iter().filter(|file| !moved.contains(file.path.as_str())) {
        let holder = builders
            .iter()
            .filter_map(|one| {
                let within = sources_in(one, repository).filter(|path| is_within(&file.path, path));
                Some((within.map(str::len).max()?, *one))
            })
            // An entry has the whole repository for want of a directory of its own.
            .filter(|(depth, _)| *depth > 0 || describes_half)
            .max_by_key(|(depth, _)| *depth)
            .map(|(_, one)| one);
        if holder.is_none() && !describes_most {
            continue;
        }
        let message = format!("no entry names the build file `{}`", file.path);
        let fix = format!(
            "add an entry with `cki inventory new {} --from-repo {}`, or name it in `build.file` of an entry",
            file.component, file.root
        );
        let told = (message, fix);
        match holder {
            Some(holder) => findings.of_entry(Rule::UndeclaredBuildFile, holder, "build", told),
            None => of_repository(findings, Rule::UndeclaredBuildFile, repository, (first, "build"), told),
        }
        findings.add_related(Some(&RelatedPlace { file: file.file.clone(), line: 1 }));
    }
}
