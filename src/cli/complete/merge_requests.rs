//! Candidates for merge requests: the open ones of the project, as `cki` last saw them. Nothing is asked of a server.

use clap_complete::CompletionCandidate;

use super::candidate::described;
use super::typed::TypedLine;
use crate::ops::shared::open_merge_requests::OpenMergeRequests;
use crate::ops::stage::target;

/// Returns the open merge requests of the project of the typed component, or of the working directory.
pub(in crate::cli) fn merge_requests() -> Vec<CompletionCandidate> {
    open().unwrap_or_default()
}

fn open() -> Option<Vec<CompletionCandidate>> {
    let typed = TypedLine::current()?;
    // One is enough, whether it was typed as a word or as the value of `--mr`.
    if typed.texts("mr").chain(typed.texts("merge_request")).next().is_some() {
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
