//! Parts shared by `cki exec` and `cki shell`: the user's terminal, and a command without
//! one. The arguments of each are in its own file.

use crate::base::exit::Exit;
use crate::cli::context::Context;
use crate::cli::exit;
use crate::host::signals::Shutdown;
use crate::ops::exec::interact::LocalTerminal;
use crate::ops::exec::{ExecOptions, exec};
use crate::ops::runtime::list::InstanceSummary;

/// Returns the user at this terminal.
pub(super) fn person(context: &Context) -> LocalTerminal<'_> {
    LocalTerminal { screen: &context.host.stdout, term: context.host.env.get("TERM") }
}

/// Runs a command without a terminal: its input and output pass unchanged.
pub(super) async fn pass_bytes(
    instance: &InstanceSummary,
    options: ExecOptions,
    context: &Context,
    stop: &Shutdown,
) -> anyhow::Result<Exit> {
    Ok(exit::of_command(exec(instance, options, &context.events(), stop).await?))
}
