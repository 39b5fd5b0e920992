//! `cki demo`.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use crate::base::exit::Exit;
use crate::base::files;
use crate::cli::context::Context;
use crate::cli::error::UsageError;
use crate::demo::walk::{self, Demo};
use crate::demo::{play, project};

/// Show it all on a small project, on this machine, in a minute
///
/// Lays out a project, starts a stand-in for GitLab, runs the main commands for real, and removes
/// everything again. No account and no network is needed.
///
/// Examples:
///   cki demo
///   cki demo --keep
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct DemoArgs {
    /// Leave the project to play with
    #[arg(long)]
    keep: bool,
    #[command(subcommand)]
    command: Option<DemoCommand>,
}

#[derive(Debug, Subcommand)]
enum DemoCommand {
    /// Serve the GitLab stand-in of a demo that was kept
    Serve {
        /// The folder of the demo; without it, the working directory
        #[arg(value_hint = clap::ValueHint::DirPath)]
        folder: Option<PathBuf>,
    },
    /// Remove a demo that was kept
    Clean {
        /// The folder of the demo; without it, the working directory
        #[arg(value_hint = clap::ValueHint::DirPath)]
        folder: Option<PathBuf>,
    },
    /// Play a component of the demo
    #[command(hide = true)]
    Play {
        /// What it does
        file: PathBuf,
    },
}

pub(in crate::cli) fn run(args: DemoArgs, context: &Context) -> anyhow::Result<Exit> {
    match args.command {
        None => walk(args.keep, context),
        Some(DemoCommand::Play { file }) => {
            let file = context.host.cwd.join(file);
            let code = context.block_on(async |stop| {
                play::play(&file, &context.host.env, &stop, &|line| context.ui.data(line)).await
            })?;
            Ok(Exit::Component(code))
        }
        Some(DemoCommand::Serve { folder }) => serve(folder, context),
        Some(DemoCommand::Clean { folder }) => {
            let folder = kept(folder, context)?;
            context.block_on(async |_| {
                let engine = context.engine().await?;
                walk::take_down(&engine, &folder, &walk::name(&folder)).await
            })?;
            context.ui.say(&format!("Removed `{}` and its images.", folder.display()));
            Ok(Exit::Done)
        }
    }
}

fn walk(keep: bool, context: &Context) -> anyhow::Result<Exit> {
    let folder = if keep {
        let folder = context.host.cwd.join("cki-demo");
        if folder.exists() {
            let message =
                format!("`{}` is there already; `cki demo clean cki-demo` removes it", folder.display());
            return Err(UsageError(message).into());
        }
        folder
    } else {
        remove_abandoned(context);
        let owner = context.host.owner();
        let folder = context.host.env.temporary_folder().join(format!("{PREFIX}{}", owner.pid));
        files::write_whole(&folder.join(OWNER), owner.to_label().as_bytes(), 0o644)?;
        folder
    };
    context.block_on(async |stop| {
        let demo = Demo {
            host: &context.host,
            ui: &context.ui,
            events: context.events(),
            engine: context.engine().await?,
            stop,
            folder,
            keep,
        };
        walk::walk(&demo).await
    })
}

/// What the folders of demos that are not kept are called.
const PREFIX: &str = "cki-demo-";
/// The file in such a folder that names the process that it belongs to.
const OWNER: &str = "owner";

/// Removes the folders of demos that were killed.
fn remove_abandoned(context: &Context) {
    let folder = context.host.env.temporary_folder();
    for name in files::names_in(&folder).unwrap_or_default() {
        let folder = folder.join(&name);
        let label = files::read_text(&folder.join(OWNER), 1000).ok();
        let owner = label.and_then(|label| crate::base::owner::Owner::parse(&label));
        if name.starts_with(PREFIX) && owner.is_some_and(|owner| !context.host.is_alive(&owner)) {
            // Somebody else's stays; it is no reason not to show the demo.
            let _ = files::remove_folder(&folder);
        }
    }
}

/// The folder of a demo that was kept.
fn kept(folder: Option<PathBuf>, context: &Context) -> anyhow::Result<PathBuf> {
    let folder = folder.map_or_else(|| context.host.cwd.clone(), |folder| context.host.cwd.join(folder));
    if !folder.join("head").is_file() || !folder.join("git/cki-tools.git").is_dir() {
        return Err(UsageError(format!("`{}` is no demo that was kept", folder.display())).into());
    }
    folder.canonicalize().context("the folder is there")
}

fn serve(folder: Option<PathBuf>, context: &Context) -> anyhow::Result<Exit> {
    let folder = kept(folder, context)?;
    let head = files::read_text(&folder.join("head"), 100)?;
    let settings = files::read_text(&folder.join("cki.toml"), 64 << 10)?;
    let port = settings
        .lines()
        .find_map(|line| line.strip_prefix("url = \"http://127.0.0.1:")?.strip_suffix('"'))
        .and_then(|port| port.parse().ok())
        .unwrap_or(0);
    let stand_in = walk::stand_in(&context.host, head.trim(), port)?;
    context.ui.say(&format!(
        "The GitLab stand-in of the demo serves {} at {} until Ctrl-C.",
        project::PROJECT,
        stand_in.url()
    ));
    let signal = context.block_on(async |stop| Ok(stop.requested().await))?;
    Ok(signal.exit())
}
