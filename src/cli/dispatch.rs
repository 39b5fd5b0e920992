//! From a parsed command to its file in `commands`.

use super::args::{CliCommand, command_tree};
use super::commands::{
    build, clone, completions, config, demo, doctor, down, env, exec, gc, list, logs, man, ps, run_local,
    shell, show, stage, stand_in, trust,
};
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
