//! `cki trust`: its arguments, and the calls of the operation and the report.

use std::path::PathBuf;

use clap::Args;

use crate::base::exit::Exit;
use crate::cli::context::Context;
use crate::config::Config;
use crate::ops::trust::{ProjectFiles, TrustError, forget};
use crate::report;

/// Trust the settings of a project's `cki.toml`
///
/// Every command reads a `cki.toml` in the working directory or above it, and the inventory and
/// templates that the file names. Their decisions take effect in commands that start, send, build
/// or write something only after you have trusted that directory. Trust ends when one of these
/// files changes.
///
/// Examples:
///   cki trust
///   cki trust ~/team/deployment
///   cki trust --remove
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct TrustArgs {
    /// Directory of the project (default: the working directory)
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    directory: Option<PathBuf>,
    /// Remove the trust
    #[arg(long)]
    remove: bool,
    /// Show the decisions of the files without trusting them
    #[arg(short = 'n', long, conflicts_with = "remove")]
    dry_run: bool,
}

pub(in crate::cli) fn run(args: &TrustArgs, context: &Context) -> anyhow::Result<Exit> {
    let cwd = &context.host.cwd;
    let directory = args.directory.as_ref().map_or_else(|| cwd.clone(), |directory| cwd.join(directory));
    // Only the project counts, without the flags and variables of this call.
    let env = &context.host.env;
    let config = Config::of_project(env, &directory)?;
    let Some(file) = config.project.as_deref() else { return Err(TrustError::NoProject(directory).into()) };
    if args.remove {
        let directory = file.parent().unwrap_or(file);
        report::trust::print_removed(&context.ui, directory, forget(env, directory)?);
        return Ok(Exit::Done);
    }
    if !args.dry_run {
        context.fetch_for_trust(&config, context.trust_given_now())?;
    }
    let Some(project) = ProjectFiles::of(&config, env)? else {
        context.ui.status("Its `cki.toml` decides nothing that needs trust.");
        return Ok(Exit::Done);
    };
    let standing = project.standing()?;
    if !args.dry_run {
        project.trust()?;
    }
    report::trust::print(&context.ui, &project, standing, args.dry_run);
    Ok(Exit::Done)
}
