//! Candidates for merge requests: the open ones of the project, as `cki` last saw them. Nothing is asked of a server.

use clap_complete::CompletionCandidate;

use super::candidate::described;
use super::inventory::staged;
use super::typed::TypedLine;
use crate::model::merge_request::MergeRequestName;
use crate::ops::shared::open_merge_requests::OpenMergeRequests;
use crate::ops::stage::target;

/// Returns the open merge requests of the project of the typed component, or of the working directory.
pub(in crate::cli) fn merge_requests() -> Vec<CompletionCandidate> {
    open().unwrap_or_default()
}

/// Returns what may stand after `cki stage`: a merge request, or the component of one.
pub(in crate::cli) fn stage_subjects() -> Vec<CompletionCandidate> {
    let mut all = merge_requests();
    let names_project =
        |typed: &TypedLine| typed.texts("component").chain(typed.texts("project")).next().is_some();
    if TypedLine::current().is_some_and(|typed| !names_project(typed)) {
        all.extend(staged());
    }
    all
}

fn open() -> Option<Vec<CompletionCandidate>> {
    let typed = TypedLine::current()?;
    // One is enough, whether it was typed as a word or as the value of `--mr`.
    let subjects = typed.texts("subject").filter(|text| MergeRequestName::parse(text).is_ok());
    if typed.texts("mr").chain(typed.texts("merge_request")).chain(subjects).next().is_some() {
        return None;
    }
    let inventory = typed.inventory()?;
    let settings = typed.settings()?;
    let component = typed.components(inventory).first().copied();
    let target = target(inventory, component, typed.texts("project").last(), &typed.host.cwd).ok()?;
    let server = target.server_for(&settings.gitlab_url);
    let known = OpenMergeRequests::new(&typed.host.env, server, &target.project)?.read((typed.host.now)());
    Some(known.iter().map(|one| described(one.number.to_string(), &one.title)).collect())
}
