//! `cki stage list`: its arguments, and the calls of the operation and the report.

use clap::Args;
use clap_complete::ArgValueCandidates;

use super::cluster::kubectl;
use super::followed::of_target;
use crate::base::exit::Exit;
use crate::cli::context::Context;
use crate::cli::marks::Repeated;
use crate::cli::{complete, token};
use crate::model::inventory::StageVia;
use crate::ops::stage::kubernetes::ReleaseStageError;
use crate::ops::stage::{list, target};
use crate::report;

/// List open merge requests with a staging, and the releases in the staging namespace
///
/// Releases of closed and merged merge requests are listed, too. A cluster that cannot be read is named, and
/// is no error.
///
/// Examples:
///   cki stage list
///   cki stage list --component pipeline-herder -o json
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct StageListArgs {
    /// Component (default: from the remotes of the working directory)
    #[arg(long, value_name = "COMPONENT", add = ArgValueCandidates::new(complete::staged), add = Repeated)]
    component: Option<String>,
    /// Project on GitLab (default: that of the component, or of the working directory)
    #[arg(long, value_name = "GROUP/PROJECT", add = Repeated)]
    project: Option<String>,
}

pub(super) fn run(args: &StageListArgs, context: &Context) -> anyhow::Result<Exit> {
    let trust = context.require_trust()?;
    let inventory = context.whole_inventory()?;
    let component = args.component.as_deref().map(|name| inventory.find(name)).transpose()?;
    let target = target(inventory, component, args.project.as_deref(), &context.host.cwd)?;
    let mut options = of_target(&target, 0, context, inventory, 0);
    let mut unread = None;
    match kubectl(context, inventory) {
        Ok(kubectl) => options.cluster = Some(kubectl),
        // Most teams have no cluster for staging.
        Err(error) if options.via != StageVia::Kubernetes && is_unnamed(&error) => {}
        Err(error) => unread = Some(format!("Releases are not read: {error}.")),
    }
    context.block_on(async |stop| {
        let gitlab = token::client(context, target.server_for(&context.settings.gitlab_url), trust)?;
        let task = context.events().start("gitlab", format!("asking {}", gitlab.server())).silent();
        let mut found = tokio::select! {
            found = list(&gitlab, &options) => found?,
            signal = stop.requested() => return Ok(signal.exit()),
        };
        drop(task);
        found.unread.extend(unread);
        let now = jiff::Timestamp::try_from(gitlab.clock().wall()).unwrap_or_default();
        report::staging::print_list(&context.ui, &found, now);
        Ok(Exit::Done)
    })
}

/// Returns whether the configuration names no staging namespace.
fn is_unnamed(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(ReleaseStageError::NotNamed { .. }))
}
