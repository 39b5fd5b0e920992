//! `cki logs`.

use clap::Args;
use clap_complete::ArgValueCandidates;

use crate::base::exit::Exit;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::ops::running;

/// Show what a running component has written
///
/// Examples:
///   cki logs pipeline-herder
///   cki logs -f --tail 20 pipeline-herder
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct LogsArgs {
    /// The component, a backing service of it, or the id of a run
    #[arg(add = ArgValueCandidates::new(complete::components))]
    component: String,
    /// Go on until it ends
    #[arg(short, long)]
    follow: bool,
    /// Only so many of the last lines
    #[arg(long, value_name = "LINES")]
    tail: Option<usize>,
}

pub(in crate::cli) fn run(args: &LogsArgs, context: &Context) -> anyhow::Result<Exit> {
    context.block_on(async |stop| {
        let engine = context.engine().await?;
        let all = running::list(&engine, &context.native()).await?;
        let instance = running::select_one(&all, &args.component)?;
        running::logs(instance, args.follow, args.tail, &context.events(), &stop).await?;
        // Whoever ends `cki logs -f` with Ctrl-C has seen what was wanted, but a script wants to know.
        Ok(stop.now().map_or(Exit::Done, crate::host::signals::Signal::exit))
    })
}
