//! `cki down`.

use clap::Args;
use clap_complete::ArgValueCandidates;

use crate::base::exit::Exit;
use crate::base::text::{join_and, plural_of};
use crate::cli::complete;
use crate::cli::context::Context;
use crate::ops::running;

/// Stop and remove what runs
///
/// Only what `cki` has started, with everything that belongs to the same run.
///
/// Examples:
///   cki down pipeline-herder
///   cki down --all
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, group = clap::ArgGroup::new("what").required(true))]
pub(in crate::cli) struct DownArgs {
    /// The component, or the id of a run
    #[arg(group = "what", add = ArgValueCandidates::new(complete::components))]
    component: Option<String>,
    /// Everything
    #[arg(long, group = "what")]
    all: bool,
}

pub(in crate::cli) fn run(args: &DownArgs, context: &Context) -> anyhow::Result<Exit> {
    let removed = context.block_on(async |_| {
        let engine = context.engine().await?;
        let native = context.native();
        let all = running::list(&engine, &native).await?;
        let doomed: Vec<_> = match &args.component {
            Some(component) => {
                let runs: Vec<_> =
                    running::select(&all, component)?.iter().map(|one| &one.identity.run).collect();
                all.iter().filter(|one| runs.contains(&&one.identity.run)).collect()
            }
            None => all.iter().collect(),
        };
        let task = context.events().start("stopping", "");
        let removed = running::down(&engine, &native, &doomed, context.settings.stop_grace).await?;
        task.finish(
            crate::model::event::State::Done,
            plural_of(removed.len(), "container or process", "containers or processes"),
        );
        Ok(removed)
    })?;
    let names: Vec<String> = removed.iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => context.ui.say("Nothing was running."),
        names => context.ui.say(&format!("Removed {}.", join_and(names))),
    }
    Ok(Exit::Done)
}
