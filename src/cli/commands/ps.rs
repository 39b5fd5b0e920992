//! `cki ps`: its arguments, and the calls of the operation and the report.

use std::time::Duration;

use clap::Args;
use clap_complete::ArgValueCandidates;

use super::inside::{elsewhere, explained};
use crate::base::exit::Exit;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::ops::ps::{self, PsRequest};
use crate::report;
use crate::report::ps::{Changes, PsOutcome, print};

/// Time between two looks of `--watch`.
const LOOK: Duration = Duration::from_secs(1);

/// List running components
///
/// Shows the runs of this inventory, with their backing services. Runs the readiness probes now;
/// nothing is cached. With `-q`, prints the IDs of the runs only.
///
/// Examples:
///   cki ps
///   cki ps -a pipeline-herder
///   cki ps --watch
///   cki down $(cki ps -q)
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct PsArgs {
    /// Components, backing services, or run IDs (default: all)
    #[arg(value_name = "COMPONENT", add = ArgValueCandidates::new(complete::running))]
    components: Vec<String>,
    /// Include instances that have ended and were retained
    #[arg(short = 'a', long)]
    ended: bool,
    /// Include runs of other inventories
    #[arg(short = 'A', long)]
    all: bool,
    /// Show changes as they happen, until Ctrl-C
    #[arg(short = 'w', long)]
    watch: bool,
}

pub(in crate::cli) fn run(args: &PsArgs, context: &Context) -> anyhow::Result<Exit> {
    let scope = context.scope(args.all);
    context.block_on(async |stop| {
        let engine = context.engine().await?;
        let native = context.native();
        let look = async || {
            let now = (context.host.now)().as_second();
            let request = PsRequest {
                queries: &args.components,
                scope: &scope,
                ended: args.ended,
                now,
                ready_timeout: context.settings.ready_timeout,
            };
            let found = match ps::ps(&engine, &native, &request).await {
                Ok(found) => found,
                Err(error) => return Err(explained(context, error, engine.name(), &scope).await),
            };
            anyhow::Ok(PsOutcome { found, now, zone: context.host.zone() })
        };
        let mut outcome = look().await?;
        let others = match outcome.found.instances.is_empty() && args.components.is_empty() {
            true => elsewhere(context, engine.name(), &scope).await,
            false => Vec::new(),
        };
        if !args.watch {
            print(&context.ui, &outcome);
            report::other_engines::print_all(&context.ui, &others, "ps");
            return Ok(Exit::Done);
        }
        let mut changes = Changes::default();
        changes.print(&context.ui, &outcome);
        report::other_engines::print_all(&context.ui, &others, "ps");
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                signal = stop.requested() => return Ok(signal.exit()),
            }
            outcome = look().await?;
            changes.print(&context.ui, &outcome);
        }
    })
}
