//! `cki unstage`: its arguments, and the calls of the operation and the report.

use clap::Args;
use clap_complete::ArgValueCandidates;

use super::stage::{NamedMergeRequest, kubectl};
use crate::base::clock::SystemClock;
use crate::base::exit::Exit;
use crate::cli::context::Context;
use crate::cli::marks::Repeated;
use crate::cli::{complete, token};
use crate::host::signals::Signal;
use crate::model::inventory::{Inventory, StageVia};
use crate::model::merge_request::MergeRequestName;
use crate::model::staging::kubernetes::ReleaseRemains;
use crate::ops::stage::{EnvironmentOwner, RunningEnvironments, running_environments, stop_environments};
use crate::ops::unstage::{UnstageOutcome, UnstageScope, check_unchanged, find_releases, unstage};
use crate::report;
use crate::systems::kubectl::Kubectl;

/// Remove what a merge request has in the staging namespace
///
/// Removes exactly the objects that `cki stage --via kubernetes` has applied for the merge request, found
/// by their labels and their owner, and stops the environment of GitLab that `stage.environment` of
/// the entry names. If there are none, that is no error. Comments and pipelines of other methods stay.
///
/// Examples:
///   cki unstage --mr 213
///   cki unstage --mr 213 --component pipeline-herder --dry-run
///   cki unstage --all-expired --yes
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct UnstageArgs {
    /// Merge request: a number, `GROUP/PROJECT!N`, or the address of its page
    #[arg(value_name = "MR", value_parser = MergeRequestName::parse)]
    #[arg(required_unless_present_any = ["mr", "all_expired"])]
    #[arg(add = ArgValueCandidates::new(complete::merge_requests))]
    merge_request: Option<MergeRequestName>,
    /// Merge request
    #[arg(long, value_name = "MR", value_parser = MergeRequestName::parse, conflicts_with = "merge_request")]
    #[arg(add = ArgValueCandidates::new(complete::merge_requests), add = Repeated)]
    mr: Option<MergeRequestName>,
    /// Every merge request whose time in staging is over
    #[arg(long, conflicts_with_all = ["merge_request", "mr", "component", "project"])]
    all_expired: bool,
    /// Component (default: from the remotes of the working directory)
    #[arg(long, value_name = "COMPONENT", add = ArgValueCandidates::new(complete::staged), add = Repeated)]
    component: Option<String>,
    /// Project on GitLab (default: that of the component, or of the working directory)
    #[arg(long, value_name = "GROUP/PROJECT", add = Repeated)]
    project: Option<String>,
    /// Show the objects without removing them
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Remove the objects without a confirmation
    #[arg(short, long)]
    yes: bool,
}

pub(in crate::cli) fn run(args: &UnstageArgs, context: &Context) -> anyhow::Result<Exit> {
    let trust = context.require_trust()?;
    let inventory = context.whole_inventory()?;
    let named = match args.mr.as_ref().or(args.merge_request.as_ref()) {
        Some(name) => {
            let (component, project) = (args.component.as_deref(), args.project.as_deref());
            Some(NamedMergeRequest::find(name, component, project, context, inventory)?)
        }
        None => None,
    };
    let scope = match &named {
        Some(named) => {
            UnstageScope::MergeRequest { project: named.target.project.clone(), number: named.number }
        }
        None => UnstageScope::Expired((context.host.now)()),
    };
    let own = named.as_ref().and_then(environment_of);
    // Without a cluster, there may still be an environment of a pipeline.
    let kubectl = match kubectl(context, inventory) {
        Err(_) if own.is_some() && !has_cluster(&named) => None,
        kubectl => Some(kubectl?),
    };
    let target = kubectl.as_ref().map(Kubectl::target);
    let done = context.block_on(async |stop| {
        let events = context.events();
        let setting = &context.settings.gitlab_url;
        let server = named.as_ref().map_or(setting.0.as_str(), |named| named.target.server_for(setting));
        let looked = async {
            let releases = match &kubectl {
                Some(kubectl) => find_releases(kubectl, &scope, &events).await?,
                None => Vec::new(),
            };
            let owners: Vec<EnvironmentOwner> = match &own {
                Some(own) => vec![own.clone()],
                None => releases.iter().filter_map(|one| environment_of_release(one, inventory)).collect(),
            };
            if owners.is_empty() {
                return anyhow::Ok((releases, RunningEnvironments::default(), None));
            }
            let gitlab = token::client(context, server, trust)?;
            let found = running_environments(&gitlab, &owners).await;
            Ok((releases, found, Some(gitlab)))
        };
        let (releases, environments, gitlab) = tokio::select! {
            looked = looked => looked?,
            signal = stop.requested() => return Ok(Err(signal.exit())),
        };
        environments.findings.iter().for_each(|finding| context.ui.warning(finding));
        let mut outcome = UnstageOutcome::new(releases, environments.found);
        if args.dry_run || (outcome.releases.is_empty() && outcome.environments.is_empty()) {
            outcome.is_dry_run = args.dry_run;
            return Ok(Ok(outcome));
        }
        report::unstage::print_plan(&context.ui, &outcome, target);
        context.confirm("a removal", "Remove these objects?", args.yes)?;
        if let Some(kubectl) = &kubectl {
            if !args.yes {
                let now = tokio::select! {
                    now = find_releases(kubectl, &scope, &events) => now?,
                    signal = stop.requested() => return Ok(Err(signal.exit())),
                };
                check_unchanged(&outcome.releases, &now)?;
            }
            unstage(kubectl, &mut outcome, &SystemClock::new(), &events, &stop).await?;
        }
        match &gitlab {
            Some(_) if outcome.signal.is_some() => outcome.skip_environments(),
            Some(gitlab) => outcome.failures = stop_environments(gitlab, &outcome.environments).await,
            None => {}
        }
        Ok(Ok(outcome))
    })?;
    Ok(match done {
        Ok(outcome) => {
            report::unstage::print(&context.ui, &outcome, target);
            match outcome.signal {
                Some(signal) => Signal::exit(signal),
                None if !outcome.remaining.is_empty() => Exit::TimedOut,
                None if !outcome.failures.is_empty() => Exit::Failed,
                None => Exit::Done,
            }
        }
        Err(exit) => {
            context.ui.status("Nothing was removed.");
            exit
        }
    })
}

/// Returns whether the entry of a merge request is staged on a cluster.
fn has_cluster(named: &Option<NamedMergeRequest<'_>>) -> bool {
    let entry = named.as_ref().and_then(|named| named.target.entry());
    entry.is_some_and(|entry| entry.via() == StageVia::Kubernetes)
}

/// Returns the environment of a merge request, if the entry names one.
fn environment_of(named: &NamedMergeRequest<'_>) -> Option<EnvironmentOwner> {
    let decl = named.target.entry()?.environment.clone()?;
    Some(EnvironmentOwner { project: named.target.project.clone(), merge_request: named.number, decl })
}

/// Returns the environment of a release, if the entry of its component names one.
fn environment_of_release(release: &ReleaseRemains, inventory: &Inventory) -> Option<EnvironmentOwner> {
    let component = inventory.find(release.component.as_deref()?).ok()?;
    let decl = component.stage.as_ref()?.environment.clone()?;
    Some(EnvironmentOwner {
        project: release.project_path.clone()?,
        merge_request: release.merge_request?,
        decl,
    })
}
