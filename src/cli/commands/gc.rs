//! `cki gc`: its arguments, and the calls of the operation and the report.

use clap::Args;

use crate::base::exit::Exit;
use crate::cli::context::Context;
use crate::cli::exit;
use crate::demo::walk;
use crate::ops;
use crate::ops::gc::{GcScope, Leftover, LeftoverKind, collect_garbage};
use crate::report;

/// Remove leftovers of killed runs
///
/// Removes containers, networks, volumes, commands of `cki exec`, demos, temporary directories
/// and partial clones whose `cki` is gone, and nothing else. Every command that uses the engine
/// does the same; this one lists the removed leftovers.
///
/// Examples:
///   cki gc --dry-run
///   cki gc --images
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct GcArgs {
    /// Show leftovers without removing them
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Also remove images that `cki` built of components in the inventory, except for the newest of each
    #[arg(long)]
    images: bool,
}

pub(in crate::cli) fn run(args: &GcArgs, context: &Context) -> anyhow::Result<Exit> {
    let inventory = if args.images {
        // The inventory decides which images are removed.
        context.require_trust()?;
        Some(context.inventory()?)
    } else {
        None
    };
    let collected = context.block_on(async |stop| {
        let collected = async {
            let events = context.events();
            let engine =
                ops::runtime::engine::open(context.settings.engine, &context.host.env, &events).await?;
            let native = context.native();
            let dead = GcScope {
                engine: &engine,
                native: &native,
                workspace: context.workspace.root(),
                env: &context.host.env,
            };
            let demos = walk::abandoned(&context.host);
            let mut collected = collect_garbage(dead, inventory, args.dry_run).await?;
            let removed = if args.dry_run {
                demos.clone()
            } else {
                walk::remove_abandoned(&context.host, &engine).await
            };
            for directory in demos {
                match removed.contains(&directory) {
                    true => collected.removed.push(Leftover::path(LeftoverKind::Demo, &directory)),
                    false => {
                        collected
                            .remaining
                            .push(format!("demo `{}` could not be removed", directory.display()));
                    }
                }
            }
            anyhow::Ok(collected)
        };
        tokio::select! {
            collected = collected => Ok(Ok(collected?)),
            // The next command finds the remaining leftovers.
            signal = stop.requested() => Ok(Err(signal)),
        }
    })?;
    Ok(match collected {
        Ok(collected) => {
            report::gc::print(&context.ui, &collected, args.dry_run);
            exit::of_leftovers(&collected)
        }
        Err(signal) => signal.exit(),
    })
}
