//! `cki status`: its arguments, and the calls of the operations and the reports.

use std::collections::BTreeMap;

use clap::Args;
use clap_complete::{ArgValueCandidates, ArgValueCompleter};
use futures_util::{StreamExt as _, future, stream};

use super::stage::{NamedMergeRequest, kubectl, production};
use crate::base::exit::Exit;
use crate::base::text::command_line;
use crate::cli::context::{Context, TrustProof};
use crate::cli::error::UsageError;
use crate::cli::marks::Repeated;
use crate::cli::{complete, exit, token};
use crate::model::inventory::{Component, Inventory};
use crate::model::merge_request::MergeRequestName;
use crate::ops::status::{
    ClusterPlace, ClusterReading, ClusterStatus, ProjectGroup, ProjectStatus, StatusReading, arrival, groups,
    read_cluster, read_project,
};
use crate::report;
use crate::systems::gitlab::GitLab;
use crate::systems::kubectl::Kubectl;

/// Show what runs where
///
/// Shows the environments of the components' projects on GitLab: what was deployed there, since when, and
/// which merge request brought it. If the settings name namespaces of clusters, also the workloads of
/// the components there: images with their digests, and health. What cannot be read is named, and the
/// rest is shown. Without a token, it shows what everybody may see.
///
/// With `--mr`, shows the way of a merged merge request: which environments run it, and which pipelines and
/// jobs are still under way. The exit code is then 0 if production runs it, 1 if a job on the way has
/// failed, 3 if it is not merged or no production is visible, and 124 if it has not arrived yet.
///
/// Examples:
///   cki status
///   cki status pipeline-herder
///   cki status kind=service -o json
///   cki status pipeline-herder --mr 213
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct StatusArgs {
    /// Component, or selectors as in `cki list`; or a merge request (default: all components)
    #[arg(value_name = "COMPONENT", add = ArgValueCompleter::new(complete::component_words))]
    component: Vec<String>,
    /// Merge request whose way to production to show
    #[arg(long, value_name = "MR", value_parser = MergeRequestName::parse)]
    #[arg(add = ArgValueCandidates::new(complete::merge_requests), add = Repeated)]
    mr: Option<MergeRequestName>,
    /// Project on GitLab (default: those of the components)
    #[arg(long, value_name = "GROUP/PROJECT", add = Repeated)]
    project: Option<String>,
}

/// Maximum number of projects to ask.
const MOST_PROJECTS: usize = 50;

pub(in crate::cli) fn run(args: &StatusArgs, context: &Context) -> anyhow::Result<Exit> {
    let trust = context.require_trust()?;
    let inventory = context.whole_inventory()?;
    // A number, `!N`, `GROUP/PROJECT!N` or an address is no name of a component.
    let typed = match args.component.as_slice() {
        [one] if args.mr.is_none() => MergeRequestName::parse(one).ok(),
        _ => None,
    };
    if let Some(name) = args.mr.as_ref().or(typed.as_ref()) {
        let component = match args.component.as_slice() {
            [one] if args.mr.is_some() => Some(one.as_str()),
            [_, _, ..] => return Err(UsageError("a merge request has one component".to_owned()).into()),
            _ => None,
        };
        return of_merge_request(
            &NamedMergeRequest::find(name, component, args.project.as_deref(), context, inventory)?,
            context,
            trust,
        );
    }
    let chosen: Vec<&Component> = match (args.component.as_slice(), &args.project) {
        ([], Some(_)) => Vec::new(),
        ([], None) => inventory.components.iter().collect(),
        (words, _) => inventory.choose(words)?,
    };
    let reading = read(&chosen, args, context, inventory, trust)?;
    let mut reading = match reading {
        Ok(reading) => reading,
        Err(exit) => return Ok(exit),
    };
    // Of all components, those without a project are no surprise.
    if args.component.is_empty() {
        reading.without_project.clear();
    }
    report::status::print(&context.ui, &reading, (context.host.now)());
    match reading.take_failure() {
        Some(error) => Err(error.into()),
        None => Ok(Exit::Done),
    }
}

/// Reads the projects and the clusters, all at the same time; the outer result ends with a signal.
fn read(
    chosen: &[&Component],
    args: &StatusArgs,
    context: &Context,
    inventory: &Inventory,
    trust: TrustProof,
) -> anyhow::Result<Result<StatusReading, Exit>> {
    let setting = &context.settings.gitlab_url;
    let (mut groups, without_project) = match &args.project {
        Some(project) => {
            let (server, project) = (setting.0.clone(), project.trim_matches('/').to_owned());
            (vec![ProjectGroup { server, project, components: chosen.to_vec() }], Vec::new())
        }
        None => groups(inventory, chosen, setting),
    };
    if groups.len() > MOST_PROJECTS {
        let more = groups.len() - MOST_PROJECTS;
        context.ui.warning(&format!("{more} more projects are not asked; name components."));
        groups.truncate(MOST_PROJECTS);
    }
    let clusters = clusters(context, inventory);
    let looking = ClusterReading { components: chosen, inventory, workspace: &context.workspace };
    context.block_on(async |stop| {
        let mut clients: BTreeMap<&str, GitLab> = BTreeMap::new();
        for group in &groups {
            if !clients.contains_key(group.server.as_str()) {
                clients.insert(&group.server, token::client(context, &group.server, trust)?);
            }
        }
        let events = context.events();
        let task = events.start("status", "asking GitLab and the clusters");
        let asked =
            groups.iter().map(async |group| read_project(&clients[group.server.as_str()], group).await);
        let projects = stream::iter(asked).buffered(context.settings.jobs).collect();
        let clusters = future::join_all(
            clusters.iter().map(async |(place, kubectl)| read_cluster(kubectl, *place, looking).await),
        );
        let read = async { tokio::join!(projects, clusters) };
        let (projects, clusters): (Vec<ProjectStatus>, Vec<ClusterStatus>) = tokio::select! {
            read = read => read,
            signal = stop.requested() => return Ok(Err(signal.exit())),
        };
        task.dismiss();
        Ok(Ok(StatusReading { projects, clusters, without_project }))
    })
}

/// Returns the clusters that the configuration names. A cluster that cannot be asked is no error: GitLab is there, too.
fn clusters(context: &Context, inventory: &Inventory) -> Vec<(ClusterPlace, Kubectl)> {
    let mut found = Vec::new();
    let production = production(context);
    if production.is_named() {
        match production.cluster(&context.host.env) {
            Ok(kubectl) => found.push((ClusterPlace::Production, kubectl)),
            Err(error) => context.ui.warning(&format!("The cluster of production is not read: {error}.")),
        }
    }
    let settings = &context.settings;
    let declared = inventory.staging.as_ref().is_some_and(|one| one.kubernetes.context.is_some());
    if settings.stage_context.is_some() || declared {
        match kubectl(context, inventory) {
            Ok(kubectl) => found.push((ClusterPlace::Staging, kubectl)),
            Err(error) => context.ui.warning(&format!("The cluster of staging is not read: {error}.")),
        }
    }
    found
}

fn of_merge_request(
    named: &NamedMergeRequest<'_>,
    context: &Context,
    trust: TrustProof,
) -> anyhow::Result<Exit> {
    let (project, number) = (&named.target.project, named.number);
    context.block_on(async |stop| {
        let gitlab = token::client(context, named.target.server_for(&context.settings.gitlab_url), trust)?;
        let task =
            context.events().start("gitlab", format!("asking {} for the merge request", gitlab.server()));
        let found = tokio::select! {
            found = arrival(&gitlab, project, number) => found?,
            signal = stop.requested() => return Ok(signal.exit()),
        };
        task.dismiss();
        let name = format!("{project}!{number}");
        let again = command_line(&["cki", "status", "--mr", &name].map(str::to_owned));
        report::status::print_arrival(&context.ui, &found, (context.host.now)(), &again);
        Ok(exit::of_arrival(&found))
    })
}
