//! `cki demo`: its arguments, and the calls of the operation and the report.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use crate::base::exit::Exit;
use crate::base::files;
use crate::cli::context::Context;
use crate::cli::error::UsageError;
use crate::demo::session::Demo;
use crate::demo::walk;
use crate::demo::{play, project};

/// Try every command on a sample project
///
/// Creates a sample project and a stand-in for GitLab on this machine, runs the main commands for
/// real, and removes everything at the end. Needs no account and no network. Takes about a
/// minute. If a command fails, the demo exits with that command's exit code.
///
/// Examples:
///   cki demo
///   cki demo --keep
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct DemoArgs {
    /// Keep the sample project
    #[arg(long)]
    keep: bool,
    #[command(subcommand)]
    command: Option<DemoCommand>,
}

#[derive(Debug, Subcommand)]
enum DemoCommand {
    /// Serve the GitLab stand-in of a retained demo
    Serve {
        /// Directory of the demo (default: the working directory)
        #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
        directory: Option<PathBuf>,
    },
    /// Remove a retained demo
    Clean {
        /// Directory of the demo (default: the working directory)
        #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
        directory: Option<PathBuf>,
    },
    /// Run a component of the demo
    #[command(hide = true)]
    Play {
        /// File with the component's behaviour
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
        Some(DemoCommand::Serve { directory }) => serve(directory, context),
        Some(DemoCommand::Clean { directory }) => {
            let directory = retained_demo(directory, context)?;
            context.block_on(async |_| {
                let engine = context.engine().await?;
                walk::take_down(&context.host.env, &engine, &directory, &walk::name(&directory)).await
            })?;
            context.ui.status(&format!("Removed `{}` and its images.", directory.display()));
            Ok(Exit::Done)
        }
    }
}

fn walk(keep: bool, context: &Context) -> anyhow::Result<Exit> {
    let kept = keep.then(|| context.host.cwd.join("cki-demo"));
    if let Some(directory) = kept.as_ref().filter(|directory| directory.exists()) {
        let message =
            format!("`{}` is there already; `cki demo clean cki-demo` removes it", directory.display());
        return Err(UsageError(message).into());
    }
    context.block_on(async |stop| {
        let engine = context.engine().await?;
        let directory = match &kept {
            Some(directory) => directory.clone(),
            None => walk::temporary_directory(&context.host)?,
        };
        let (host, ui, events) = (&context.host, &context.ui, context.events());
        walk::walk(&Demo { host, ui, events, engine, wanted: context.settings.engine, stop, directory, keep })
            .await
    })
}

/// Returns the directory of a retained demo.
fn retained_demo(directory: Option<PathBuf>, context: &Context) -> anyhow::Result<PathBuf> {
    let directory =
        directory.map_or_else(|| context.host.cwd.clone(), |directory| context.host.cwd.join(directory));
    if !directory.join("head").is_file() || !directory.join("git/cki-tools.git").is_dir() {
        return Err(UsageError(format!(
            "`{}` is no retained demo; name the directory of one, as in `cki demo clean cki-demo`",
            directory.display()
        ))
        .into());
    }
    directory.canonicalize().context("the directory is there")
}

fn serve(directory: Option<PathBuf>, context: &Context) -> anyhow::Result<Exit> {
    let directory = retained_demo(directory, context)?;
    let head = files::read_text(&directory.join("head"), 100)?;
    let settings = files::read_text(&directory.join("cki.toml"), 64 << 10)?;
    let port = settings
        .lines()
        .find_map(|line| line.strip_prefix("url = \"http://127.0.0.1:")?.strip_suffix('"'))
        .and_then(|port| port.parse().ok())
        .unwrap_or(0);
    let stand_in = walk::stand_in(&context.host, head.trim(), port)?;
    context.ui.status(&format!(
        "The GitLab stand-in of the demo serves {} at {} until Ctrl-C.",
        project::PROJECT,
        stand_in.url()
    ));
    let signal = context.block_on(async |stop| Ok(stop.requested().await))?;
    Ok(signal.exit())
}
