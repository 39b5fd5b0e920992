//! `cki exec`.

use clap::Args;
use clap_complete::ArgValueCandidates;

use super::inside::{exit, pass_bytes, person};
use crate::base::exit::Exit;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::ops::running::{self, ExecWish};

/// Run a command beside a running component
///
/// Its standard input is passed on unless that is a terminal. Its exit code becomes that of `cki`.
/// Into a file or a pipe, its output passes as it is, byte for byte, except for secrets.
///
/// Examples:
///   cki exec pipeline-herder -- env
///   echo '{}' | cki exec pipeline-herder -- python3 -m json.tool
///   cki exec -t pipeline-herder -- python3
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct ExecArgs {
    /// The component, a backing service of it, or the id of a run
    #[arg(add = ArgValueCandidates::new(complete::components))]
    component: String,
    /// Pass on what is typed, line by line
    #[arg(short, long)]
    interactive: bool,
    /// Give it this terminal, with every key that is typed; `-it` is the same
    #[arg(short, long)]
    tty: bool,
    /// Run it in this directory of the container
    #[arg(short, long, value_name = "DIR")]
    workdir: Option<String>,
    /// The command
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

pub(in crate::cli) fn run(args: ExecArgs, context: &Context) -> anyhow::Result<Exit> {
    let ExecArgs { component, interactive, tty, workdir, command } = args;
    context.block_on(async |stop| {
        let engine = context.engine().await?;
        let all = running::list(&engine, &context.native()).await?;
        let instance = running::select_one(&all, &component)?;
        if tty {
            let left = running::interact(instance, command, workdir, person(context), &stop).await?;
            return Ok(exit(left));
        }
        let passes_on = interactive || !context.host.terminal.stdin;
        let wish = ExecWish { command, stdin: passes_on.then(running::standard_input), workdir };
        pass_bytes(instance, wish, context, &stop).await
    })
}
