//! `cki clone`: its arguments, and the calls of the operation and the report.

use std::collections::HashSet;

use clap::Args;
use clap_complete::{ArgValueCandidates, ArgValueCompleter};

use super::default_component::default_component;
use crate::base::exit::Exit;
use crate::base::text::nearest;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::marks::Repeated;
use crate::model::inventory::Inventory;
use crate::ops::clone::{CloneError, CloneRequest, CloneTarget, clone};
use crate::report;
use crate::systems::git::MergeRequestHead;

/// Clone the repositories of components, or update existing clones
///
/// Never touches a working tree with uncommitted changes.
///
/// Examples:
///   cki clone pipeline-herder
///   cki clone pipeline-herder --mr 213
///   cki clone cki-lib cki-notifier -j 4 --depth 1
///   cki clone kind=service owner=infra
///   cki clone --repo documentation
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct CloneArgs {
    /// Components to clone, or selectors as in `cki list` (default: the only component of the inventory, or of
    /// this directory)
    #[arg(add = ArgValueCompleter::new(complete::cloneable_words))]
    components: Vec<String>,
    /// Clone this repository of the inventory, too; may be repeated
    #[arg(long, value_name = "REPO", add = ArgValueCandidates::new(complete::repositories))]
    repo: Vec<String>,
    /// Check out merge request N on a branch of its own
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    #[arg(add = ArgValueCandidates::new(complete::merge_requests), add = Repeated)]
    mr: Option<u64>,
    /// Fetch only the last N commits of a new clone (default: all)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    depth: Option<u32>,
    /// Clone N repositories in parallel (default: 8)
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: Option<u16>,
}

pub(in crate::cli) fn run(args: CloneArgs, context: &Context) -> anyhow::Result<Exit> {
    let CloneArgs { components, repo, mr, depth, jobs } = args;
    let trust = context.require_trust()?;
    let inventory = context.inventory()?;
    let mr = mr.map(|iid| MergeRequestHead::new(iid, &context.settings.merge_request_ref)).transpose()?;
    let mut repositories: Vec<CloneTarget> = Vec::new();
    let mut targets = HashSet::new();
    let mut otherwise = Exit::Done;
    let chosen = match components.as_slice() {
        [] if !repo.is_empty() => Vec::new(),
        [] => vec![default_component(context, inventory, |one| !one.repos().is_empty())?],
        words => inventory.choose(words)?,
    };
    for component in chosen {
        // A merge request belongs to the repository from which the component is built.
        let own = component.repos().first().copied();
        let workspace = match mr {
            Some(_) => context.workspace.for_merge_request(component),
            None => context.workspace.clone(),
        };
        for place in workspace.locations(inventory, component) {
            let merge_request = mr.clone().filter(|_| own == Some(place.repo.as_str()));
            let in_place = place.is_in_place();
            let target = place.directory().to_owned();
            match place.url {
                Some(url) if targets.insert(target.clone()) => {
                    let name = place.repo;
                    repositories.push(CloneTarget { name, url, target, merge_request, in_place });
                }
                Some(_) => {}
                None => {
                    context.ui.warning(&format!("The inventory has no address for `{}`.", place.repo));
                    otherwise = Exit::Invalid;
                }
            }
        }
    }
    for name in &repo {
        let place = context.workspace.location(inventory, name);
        let (in_place, target) = (place.is_in_place(), place.directory().to_owned());
        let url = place.url.ok_or_else(|| unknown(name, inventory))?;
        if targets.insert(target.clone()) {
            let name = name.clone();
            repositories.push(CloneTarget { name, url, target, merge_request: None, in_place });
        }
    }
    if repositories.is_empty() {
        return match otherwise {
            Exit::Done => Err(CloneError::NoRepository(components).into()),
            lacking => Ok(lacking),
        };
    }
    let jobs = jobs.map_or(context.settings.jobs, usize::from);
    let request = CloneRequest { repositories, depth, jobs, is_part: false };
    let git = context.git(trust)?;
    let outcome = context.block_on(async |stop| Ok(clone(request, &git, &context.events(), &stop).await))?;
    report::clone::print(&context.ui, &outcome);
    if let Some(signal) = outcome.stopped {
        return Ok(signal.exit());
    }
    if let Some(error) = outcome.most_severe() {
        return Ok(crate::cli::error::of_worst(&context.ui, error));
    }
    if let Some(behind) = outcome.not_at_merge_request() {
        return Ok(crate::cli::error::of_left_alone(&context.ui, &behind.path));
    }
    Ok(otherwise)
}

/// Returns the error for a repository that the inventory does not have.
fn unknown(name: &str, inventory: &Inventory) -> CloneError {
    let near = nearest(name, inventory.repos.keys().map(String::as_str));
    CloneError::Unknown { repo: name.to_owned(), nearest: near.into_iter().map(str::to_owned).collect() }
}
