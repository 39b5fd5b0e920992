//! One file per command: an args struct and a `run` that resolves, calls one operation, reports,
//! and says how it ended.

pub(super) mod completions;
pub(super) mod config;
pub(super) mod env;
pub(super) mod list;
pub(super) mod man;
pub(super) mod show;

use super::args::Command;
use super::context::Context;
use crate::base::exit::Exit;

/// Runs a command.
pub(super) fn dispatch(command: Command, context: &Context) -> anyhow::Result<Exit> {
    if !matches!(command, Command::Env(_)) {
        context.no_own_format()?;
    }
    match command {
        Command::List(args) => list::run(args, context),
        Command::Show(args) => show::run(&args, context),
        Command::Env(args) => env::run(args, context),
        Command::Config(args) => config::run(&args, context),
        Command::Completions(args) => completions::run(&args, context),
        Command::Man(args) => man::run(&args, context),
    }
}
