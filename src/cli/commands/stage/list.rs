//! `cki stage list`: its arguments, and the calls of the operation and the report.

use clap::Args;
use clap_complete::ArgValueCandidates;

use super::followed::of_target;
use crate::base::exit::Exit;
use crate::cli::context::Context;
use crate::cli::marks::Repeated;
use crate::cli::{complete, token};
use crate::ops::stage::{list, target};
use crate::report;

/// List open merge requests with a staging
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
    let options = of_target(&target, 0, context, inventory, 0);
    context.block_on(async |stop| {
        let gitlab = token::client(context, target.server_for(&context.settings.gitlab_url), trust)?;
        let task = context.events().start("gitlab", format!("asking {}", gitlab.server())).silent();
        let found = tokio::select! {
            found = list(&gitlab, &options) => found?,
            signal = stop.requested() => return Ok(signal.exit()),
        };
        drop(task);
        let now = jiff::Timestamp::try_from(gitlab.clock().wall()).unwrap_or_default();
        report::staging::print_list(&context.ui, &found, now);
        Ok(Exit::Done)
    })
}
