//! From a parsed command to its file in `commands`, and the formats of its results.

use super::args::{CliCommand, command_tree};
use super::commands::{
    build, clone, completions, config, demo, doctor, down, env, exec, forward, gc, list, logs, man, open, ps,
    run_local, shell, show, stage, stand_in, trust,
};
use super::context::Context;
use super::format::OutputFormat::{Dotenv, Json, Name, Shell, Table, Text, Wide, Yaml};
use super::format::{self, OutputFormat};
use crate::base::exit::Exit;

/// Runs a command.
pub(super) fn dispatch(command: CliCommand, output: Option<&str>, context: &Context) -> anyhow::Result<Exit> {
    format::check(output, formats(&command))?;
    match command {
        CliCommand::Demo(args) => demo::run(args, context),
        CliCommand::Forward(args) => forward::run(&args),
        CliCommand::StandIn(args) => stand_in::run(&args, context),
        CliCommand::List(args) => list::run(args, context),
        CliCommand::Show(args) => show::run(&args, context),
        CliCommand::Clone(args) => clone::run(args, context),
        CliCommand::Build(args) => build::run(args, context),
        CliCommand::Env(args) => env::run(args, context),
        CliCommand::RunLocal(args) => run_local::run(args, context),
        CliCommand::Open(args) => open::run(&args, context),
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

/// Returns the formats of a command.
fn formats(command: &CliCommand) -> &'static [OutputFormat] {
    match command {
        CliCommand::List(_) | CliCommand::Ps(_) => &[Text, Wide, Name, Json, Yaml],
        CliCommand::Env(_) => &[Table, Json, Yaml, Dotenv, Shell],
        // Their results are lines, each a JSON object.
        CliCommand::RunLocal(_) | CliCommand::Logs(_) | CliCommand::Exec(_) | CliCommand::Shell(_) => {
            &[Text, Json]
        }
        _ => &[Text, Json, Yaml],
    }
}
