//! `cki logs`: its arguments, and the calls of the operation and the report.

use clap::Args;
use clap_complete::ArgValueCandidates;

use super::inside::{elsewhere, explained};
use crate::base::exit::Exit;
use crate::base::timestamp;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::error::UsageError;
use crate::ops::logs::{LogOptions, logs};
use crate::report;

/// Show the output of running components
///
/// Merges the lines of several components in the order of time, each prefixed with the name of
/// its component. Docker records exact times, Podman whole seconds, and the native engine none.
/// Written to a file or a pipe, the output is unchanged byte for byte, except for secrets.
///
/// Examples:
///   cki logs pipeline-herder
///   cki logs -f -n 20 pipeline-herder rabbitmq
///   cki logs -t --since 10m pipeline-herder
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct LogsArgs {
    /// Components, backing services, or run IDs (default: everything of this inventory that runs)
    #[arg(value_name = "COMPONENT", add = ArgValueCandidates::new(complete::running))]
    components: Vec<String>,
    /// Wait for new lines until all components have ended, including components started meanwhile
    #[arg(short, long)]
    follow: bool,
    /// Show only the last LINES lines of each component (default: all)
    #[arg(short = 'n', long, value_name = "LINES")]
    tail: Option<usize>,
    /// Show only lines since a time: `10m`, `14:30`, `2026-11-22`, `2026-11-22T14:30`
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Show the time of each line
    #[arg(short, long)]
    timestamps: bool,
    /// Include runs of other inventories
    #[arg(short = 'A', long)]
    all: bool,
}

pub(in crate::cli) fn run(args: LogsArgs, context: &Context) -> anyhow::Result<Exit> {
    let LogsArgs { components, follow, tail, since, timestamps, all } = args;
    let now = (context.host.now)().to_zoned(context.host.zone());
    let since = match since {
        Some(text) => Some(timestamp::parse(&text, &now).ok_or_else(|| {
            UsageError(format!("`--since {text}` is neither a span of time as `10m` nor a time as `14:30`"))
        })?),
        None => None,
    };
    let options = LogOptions { follow, tail, since, timestamps };
    context.block_on(async |stop| {
        let engine = context.engine().await?;
        let scope = context.scope(all);
        let asked = (components.as_slice(), &scope);
        let count = match logs(&engine, &context.native(), asked, options, &context.events(), &stop).await {
            Ok(count) => count,
            Err(error) => return Err(explained(context, error, engine.name(), &scope).await),
        };
        if count == 0 {
            context.ui.status("Nothing is running. `cki run-local COMPONENT --detach` starts something.");
            let others = elsewhere(context, engine.name(), &scope).await;
            report::other_engines::print_all(&context.ui, &others, "logs");
        }
        // The exit code tells a script about the signal, although Ctrl-C is the usual end of `cki logs -f`.
        Ok(stop.now().map_or(Exit::Done, crate::host::signals::Signal::exit))
    })
}
