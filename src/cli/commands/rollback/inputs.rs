//! The inputs of all ways back: the arguments, the component with its project, and the templates.

use clap::Args;
use clap_complete::ArgValueCandidates;

use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::error::UsageError;
use crate::cli::marks::Repeated;
use crate::model::inventory::Component;
use crate::model::merge_request::MergeRequestName;
use crate::ops::stage::StageTarget;
use crate::ops::status::ClusterReading;

/// Take a component back in production
///
/// Shows what production runs, since when and from which merge request, and what it would become. Without
/// `--revert` and `--to`, that is all.
///
/// `--revert` is the lasting way: opens a merge request that reverts the commit that production runs, or the
/// one of the given merge request, with your reason. Production changes once people merge it. If there is an
/// open one, `cki` finds it. `--to` is the temporary way: sets the image of the workload by its digest, or the
/// tag of the ImageStream that it gets its image from. The next deployment undoes it. It needs
/// `production.context` and `production.namespace` in your own settings, the name of the component as a
/// confirmation (`--confirm` in scripts), and a reason, which goes into a comment on the merge request. It
/// follows the rollout, and the exit code is its result; Ctrl-C stops following only.
///
/// Examples:
///   cki rollback pipeline-herder
///   cki rollback pipeline-herder --revert --reason "Loses messages" --dry-run
///   cki rollback pipeline-herder --revert 213 --reason "Loses messages"
///   cki rollback pipeline-herder --to previous --reason "Loses messages" --dry-run
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct RollbackArgs {
    /// Component
    #[arg(value_name = "COMPONENT", add = ArgValueCandidates::new(complete::components))]
    pub(super) component: String,
    /// Open a merge request that reverts a commit, or that of a merge request (default: the one that production runs)
    #[arg(long, value_name = "COMMIT", num_args = 0..=1, default_missing_value = "", conflicts_with = "to")]
    pub(super) revert: Option<String>,
    /// Set the image that production runs, until the next deployment: `previous`, or a digest
    #[arg(long, value_name = "IMAGE", conflicts_with = "yes")]
    pub(super) to: Option<String>,
    /// Reason, for the people who read the merge request
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: Option<String>,
    /// Merge request that gets the record of `--to` (default: the one that production runs)
    #[arg(long, value_name = "MR", value_parser = MergeRequestName::parse, requires = "to")]
    #[arg(add = ArgValueCandidates::new(complete::merge_requests))]
    pub(super) mr: Option<MergeRequestName>,
    /// Workload to change, if the component has several
    #[arg(long, value_name = "KIND/NAME", requires = "to")]
    pub(super) workload: Option<String>,
    /// Container to change, if the workload has several
    #[arg(long, value_name = "NAME", requires = "to")]
    pub(super) container: Option<String>,
    /// Change the image without waiting for the rollout
    #[arg(long, requires = "to", conflicts_with = "dry_run")]
    pub(super) no_wait: bool,
    /// Project on GitLab (default: that of the component)
    #[arg(long, value_name = "GROUP/PROJECT", add = Repeated)]
    pub(super) project: Option<String>,
    /// Show everything that would be sent, and send nothing
    #[arg(short = 'n', long)]
    pub(super) dry_run: bool,
    /// Open the merge request without a confirmation
    #[arg(short, long)]
    pub(super) yes: bool,
    /// Confirm a change of production by the name of the component, without a question
    #[arg(long, value_name = "COMPONENT", requires = "to")]
    pub(super) confirm: Option<String>,
    /// Change production in a time of `production.quiet`, too, without a question
    #[arg(long, requires = "confirm")]
    pub(super) in_quiet_time: bool,
}

/// The component, and its project.
pub(super) struct Rolled<'a> {
    pub(super) component: &'a Component,
    pub(super) target: StageTarget<'a>,
}

/// Returns the text of a template, which the user may replace.
pub(super) fn template(context: &Context, name: &str) -> anyhow::Result<String> {
    let found = context.assets.text(name)?.map(|template| template.text.into_owned());
    Ok(found.ok_or_else(|| UsageError(format!("there is no template `{name}`")))?)
}

/// Returns the names that the workload of a component may have.
pub(super) fn names_of(component: &Component, context: &Context) -> anyhow::Result<Vec<String>> {
    let (components, inventory) = (&[component], context.whole_inventory()?);
    let reading = ClusterReading { components, inventory, workspace: &context.workspace };
    Ok(reading.names_of(component))
}
