//! One file per command: an args struct and a `run` that resolves, calls one operation, reports,
//! and returns the exit code. The work itself is in `ops`.

pub(super) mod build;
pub(super) mod clone;
pub(super) mod completions;
pub(super) mod config;
pub(super) mod demo;
pub(super) mod doctor;
pub(super) mod down;
pub(super) mod env;
pub(super) mod exec;
pub(super) mod gc;
mod inside;
pub(super) mod list;
pub(super) mod logs;
pub(super) mod man;
pub(super) mod ps;
pub(super) mod run_local;
pub(super) mod shell;
pub(super) mod show;
pub(super) mod stage;
pub(super) mod stand_in;
pub(super) mod trust;

use super::args::{Command, command_tree};
use super::context::Context;
use crate::base::exit::Exit;

/// Runs a command.
pub(super) fn dispatch(command: Command, context: &Context) -> anyhow::Result<Exit> {
    if !matches!(command, Command::Env(_)) {
        context.no_own_format()?;
    }
    match command {
        Command::Demo(args) => demo::run(args, context),
        Command::StandIn(args) => stand_in::run(&args, context),
        Command::List(args) => list::run(args, context),
        Command::Show(args) => show::run(&args, context),
        Command::Clone(args) => clone::run(args, context),
        Command::Build(args) => build::run(args, context),
        Command::Env(args) => env::run(args, context),
        Command::RunLocal(args) => run_local::run(args, context),
        Command::Ps(args) => ps::run(&args, context),
        Command::Logs(args) => logs::run(args, context),
        Command::Exec(args) => exec::run(args, context),
        Command::Shell(args) => shell::run(args, context),
        Command::Down(args) => down::run(&args, context),
        Command::Gc(args) => gc::run(&args, context),
        Command::Stage(args) => stage::run(&args, context),
        Command::Doctor(args) => doctor::run(&args, context),
        Command::Trust(args) => trust::run(&args, context),
        Command::Config(args) => config::run(&args, context),
        Command::Completions(args) => completions::run(&args, context),
        Command::Man(args) => man::run(&args, command_tree(), context),
    }
}
