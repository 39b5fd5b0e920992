//! `cki logs`.

use clap::Args;
use clap_complete::ArgValueCandidates;

use crate::base::exit::Exit;
use crate::base::moment;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::error::UsageError;
use crate::ops::running::{self, LogWish};

/// Show what running components have written
///
/// Of several, the lines come in the order of time, each after the name of who wrote it. Docker
/// keeps times exactly, Podman in whole seconds, and without an engine nobody keeps them.
/// Into a file or a pipe, output passes as it is, byte for byte, except for secrets.
///
/// Examples:
///   cki logs pipeline-herder
///   cki logs -f -n 20 pipeline-herder rabbitmq
///   cki logs --since 10m --timestamps pipeline-herder
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct LogsArgs {
    /// Components, backing services, or the ids of runs; all that run if none is named
    #[arg(value_name = "COMPONENT", add = ArgValueCandidates::new(complete::components))]
    components: Vec<String>,
    /// Go on until they end, with those that are started meanwhile
    #[arg(short, long)]
    follow: bool,
    /// Only so many of the last lines of each
    #[arg(short = 'n', long, value_name = "LINES")]
    tail: Option<usize>,
    /// Only since then: `10m`, `14:30`, `2026-11-22`, `2026-11-22T14:30`
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Say when each line was written
    #[arg(long)]
    timestamps: bool,
}

pub(in crate::cli) fn run(args: LogsArgs, context: &Context) -> anyhow::Result<Exit> {
    let LogsArgs { components, follow, tail, since, timestamps } = args;
    let now = (context.host.now)().to_zoned(context.host.zone());
    let since = match since {
        Some(text) => Some(moment::parse(&text, &now).ok_or_else(|| {
            UsageError(format!("`--since {text}` is neither a span of time as `10m` nor a time as `14:30`"))
        })?),
        None => None,
    };
    let wish = LogWish { follow, tail, since, timestamps };
    context.block_on(async |stop| {
        let engine = context.engine().await?;
        running::logs(&engine, &context.native(), &components, wish, &context.events(), &stop).await?;
        // Whoever ends `cki logs -f` with Ctrl-C has seen what was wanted, but a script wants to know.
        Ok(stop.now().map_or(Exit::Done, crate::host::signals::Signal::exit))
    })
}
