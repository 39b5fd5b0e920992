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

use super::args::{CliCommand, command_tree};
use super::context::Context;
use crate::base::exit::Exit;

/// Runs a command.
pub(super) fn dispatch(command: CliCommand, context: &Context) -> anyhow::Result<Exit> {
    if !matches!(command, CliCommand::Env(_)) {
        context.reject_command_format()?;
    }
    match command {
        CliCommand::Demo(args) => demo::run(args, context),
        CliCommand::StandIn(args) => stand_in::run(&args, context),
        CliCommand::List(args) => list::run(args, context),
        CliCommand::Show(args) => show::run(&args, context),
        CliCommand::Clone(args) => clone::run(args, context),
        CliCommand::Build(args) => build::run(args, context),
        CliCommand::Env(args) => env::run(args, context),
        CliCommand::RunLocal(args) => run_local::run(args, context),
        CliCommand::Ps(args) => ps::run(&args, context),
        CliCommand::Logs(args) => logs::run(args, context),
        CliCommand::Exec(args) => exec::run(args, context),
        CliCommand::Shell(args) => shell::run(args, context),
        CliCommand::Down(args) => down::run(&args, context),
        CliCommand::Gc(args) => gc::run(&args, context),
        CliCommand::Stage(args) => stage::run(&args, context),
        CliCommand::Doctor(args) => doctor::run(&args, context),
        CliCommand::Trust(args) => trust::run(&args, context),
        CliCommand::Config(args) => config::run(&args, context),
        CliCommand::Completions(args) => completions::run(&args, context),
        CliCommand::Man(args) => man::run(&args, command_tree(), context),
    }
}
