//! `cki exec`: its arguments, and the calls of the operation and the report.

use clap::Args;
use clap_complete::ArgValueCandidates;

use super::inside::{pass_bytes, person};
use crate::base::exit::Exit;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::exit;
use crate::ops::exec::interact::interact;
use crate::ops::exec::{ExecOptions, standard_input};
use crate::ops::runtime::list::list;
use crate::ops::runtime::select::select_one;

/// Run a command in a running component
///
/// Passes on standard input unless it is a terminal. Exits with the exit code of the command.
/// Written to a file or a pipe, the output of the command is unchanged byte for byte, except for
/// secrets.
///
/// Examples:
///   cki exec pipeline-herder env
///   echo '{}' | cki exec pipeline-herder python3 -m json.tool
///   cki exec -t pipeline-herder python3
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct ExecArgs {
    /// Component, backing service of a component, or run ID
    #[arg(add = ArgValueCandidates::new(complete::alive))]
    component: String,
    /// Pass on standard input from a terminal, line by line
    #[arg(short, long)]
    interactive: bool,
    /// Pass on this terminal with every key; `-it` is the same
    #[arg(short, long)]
    tty: bool,
    /// Run the command in this directory of the container (default: that of the component)
    #[arg(long, value_name = "DIR")]
    workdir: Option<String>,
    /// Command to run, with its arguments; `--` before it is optional
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

pub(in crate::cli) fn run(args: ExecArgs, context: &Context) -> anyhow::Result<Exit> {
    let ExecArgs { component, interactive, tty, workdir, command } = args;
    context.block_on(async |stop| {
        let engine = context.engine().await?;
        let listing = list(&engine, &context.native(), &context.scope(false)).await?;
        let instance = select_one(&listing, &component)?;
        if tty {
            let left = interact(instance, command, workdir, person(context), &stop).await?;
            return Ok(exit::of_command(left));
        }
        let passes_on = interactive || !context.host.terminal.stdin;
        let options = ExecOptions { command, stdin: passes_on.then(standard_input), workdir };
        pass_bytes(instance, options, context, &stop).await
    })
}
