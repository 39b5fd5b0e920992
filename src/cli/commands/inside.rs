//! Parts shared by `cki exec` and `cki shell`: running a command in a component, and its exit
//! code. The arguments of each are in its own file.

use crate::base::exit::Exit;
use crate::cli::context::Context;
use crate::host::signals::Shutdown;
use crate::ops::exec::interact::LocalTerminal;
use crate::ops::exec::{CommandExit, ExecOptions, exec};
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
    Ok(exit(exec(instance, options, &context.events(), stop).await?))
}

/// Returns the exit code of `cki` for an ended command.
pub(super) fn exit(left: CommandExit) -> Exit {
    match left {
        CommandExit::Ended(code) => Exit::Component(u8::try_from(code & 0xff).unwrap_or(1)),
        CommandExit::Stopped(signal) => signal.exit(),
    }
}
