//! What `cki exec` and `cki shell` share: a command inside a component, and the exit code that it gives.

use crate::base::exit::Exit;
use crate::cli::context::Context;
use crate::host::signals::Stop;
use crate::ops::running::{self, ExecWish, Instance, Left, Person};

/// Who types at this terminal.
pub(super) fn person(context: &Context) -> Person<'_> {
    Person { screen: &context.host.stdout, term: context.host.env.get("TERM") }
}

/// Runs a command that has no terminal: what it reads and writes passes as it is.
pub(super) async fn pass_bytes(
    instance: &Instance,
    wish: ExecWish,
    context: &Context,
    stop: &Stop,
) -> anyhow::Result<Exit> {
    Ok(exit(running::exec(instance, wish, &context.events(), stop).await?))
}

/// How `cki` ends with a command.
pub(super) fn exit(left: Left) -> Exit {
    match left {
        Left::Ended(code) => Exit::Component(u8::try_from(code & 0xff).unwrap_or(1)),
        Left::Stopped(signal) => signal.exit(),
    }
}
