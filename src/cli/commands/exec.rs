//! `cki exec`: its arguments, and the calls of the operation and the report.

use clap::Args;
use clap_complete::ArgValueCandidates;

use super::inside::{instances, named, pass_bytes, person};
use crate::base::exit::Exit;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::exit;
use crate::ops::exec::interact::interact;
use crate::ops::exec::{ExecOptions, standard_input};
use crate::ops::runtime::select::check_alive;

/// Run a command in a running component
///
/// Passes on standard input unless it is a terminal; a shell or an interpreter without arguments gets
/// the terminal, as with `-t`. Exits with the exit code of the command.
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

/// Programs that read their commands from a terminal when they get no arguments. Without it, they would end at once,
/// silently.
const INTERPRETERS: [&str; 19] = [
    "ash",
    "bash",
    "bpython",
    "dash",
    "fish",
    "ipython",
    "irb",
    "ksh",
    "mongosh",
    "mysql",
    "node",
    "psql",
    "python",
    "python3",
    "redis-cli",
    "sh",
    "sqlite3",
    "valkey-cli",
    "zsh",
];

/// Returns whether a command is an interpreter that waits for what a person types.
fn is_interpreter(command: &[String]) -> bool {
    let [program] = command else { return false };
    INTERPRETERS.contains(&program.rsplit('/').next().unwrap_or_default())
}

pub(in crate::cli) fn run(args: ExecArgs, context: &Context) -> anyhow::Result<Exit> {
    let ExecArgs { component, interactive, tty, workdir, command } = args;
    context.block_on(async |stop| {
        let listing = instances(context).await?;
        let instance = named(context, &listing, &component)?;
        check_alive(instance, &component)?;
        let terminal = context.host.terminal;
        if tty || (!interactive && terminal.stdin && terminal.stdout && is_interpreter(&command)) {
            let left = interact(instance, command, workdir, person(context), &stop).await?;
            return Ok(exit::of_command(left));
        }
        let passes_on = interactive || !context.host.terminal.stdin;
        let options = ExecOptions { command, stdin: passes_on.then(standard_input), workdir };
        pass_bytes(instance, options, context, &stop).await
    })
}
