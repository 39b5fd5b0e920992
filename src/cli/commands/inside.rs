//! Parts shared by `cki exec` and `cki shell`: running a command in a component, and its exit
//! code. The arguments of each are in its own file.

use crate::base::exit::Exit;
use crate::cli::context::Context;
use crate::host::signals::Stop;
use crate::ops::running::{self, ExecWish, Instance, Left, Person};

/// Returns the user at this terminal.
pub(super) fn person(context: &Context) -> Person<'_> {
    Person { screen: &context.host.stdout, term: context.host.env.get("TERM") }
}

/// Runs a command without a terminal: its input and output pass unchanged.
pub(super) async fn pass_bytes(
    instance: &Instance,
    wish: ExecWish,
    context: &Context,
    stop: &Stop,
) -> anyhow::Result<Exit> {
    Ok(exit(running::exec(instance, wish, &context.events(), stop).await?))
}

/// Returns the exit code of `cki` for an ended command.
pub(super) fn exit(left: Left) -> Exit {
    match left {
        Left::Ended(code) => Exit::Component(u8::try_from(code & 0xff).unwrap_or(1)),
        Left::Stopped(signal) => signal.exit(),
    }
}
