//! `cki exec`.

use clap::Args;
use clap_complete::ArgValueCandidates;

use crate::base::exit::Exit;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::ops::running;

/// Run a command beside a running component
///
/// Its standard input is passed on unless that is a terminal. Its exit code becomes that of `cki`.
///
/// Examples:
///   cki exec pipeline-herder -- env
///   echo '{}' | cki exec pipeline-herder -- python3 -m json.tool
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct ExecArgs {
    /// The component, a backing service of it, or the id of a run
    #[arg(add = ArgValueCandidates::new(complete::components))]
    component: String,
    /// The command
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

pub(in crate::cli) fn run(args: ExecArgs, context: &Context) -> anyhow::Result<Exit> {
    let ExecArgs { component, command } = args;
    context.block_on(async |stop| {
        let engine = context.engine().await?;
        let all = running::list(&engine, &context.native()).await?;
        let instance = running::select_one(&all, &component)?;
        let stdin = (!context.host.terminal.stdin).then(running::standard_input);
        let events = context.events();
        tokio::select! {
            code = running::exec(instance, command, stdin, &events) => {
                Ok(Exit::Component(u8::try_from(code? & 0xff).unwrap_or(1)))
            }
            signal = stop.requested() => Ok(signal.exit()),
        }
    })
}
