//! `cki forward`: keeps the published ports of a detached run open. `cki run-local` starts it with a socket as
//! standard input, so it is hidden from help.

use clap::Args;

use crate::base::exit::Exit;
use crate::cli::error::UsageError;
use crate::host;
use crate::ops::runtime::ports::forwarder;

/// Keep the published ports of a detached run open
#[derive(Debug, Args)]
pub(in crate::cli) struct ForwardArgs {
    /// Run
    run: String,
    /// Component or backing service of the run
    name: String,
}

pub(in crate::cli) fn run(args: &ForwardArgs) -> anyhow::Result<Exit> {
    if !host::stdin_is_socket() {
        let message = "only `cki run-local --detach` calls `cki forward`, with a socket as standard input";
        return Err(UsageError(message.to_owned()).into());
    }
    forwarder::run(&args.run, &args.name)?;
    Ok(Exit::Done)
}
