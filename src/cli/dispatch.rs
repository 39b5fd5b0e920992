//! From a parsed command to its file in `commands`.

use super::args::{Cli, CliCommand, command_tree};
use super::commands::{
    auth, build, clone, completions, config, demo, docs, doctor, down, env, exec, forward, gc, graph, init,
    inventory, list, login, logout, logs, man, mock_service, open, ps, rfc, rollback, run_local, shell, show,
    stage, status, trust, unstage,
};
use super::context::Context;
use super::format;
use crate::base::exit::Exit;

/// Runs a command.
pub(super) fn dispatch(cli: Cli, name: &str, context: &Context) -> anyhow::Result<Exit> {
    format::check(cli.globals.output.as_deref(), format::formats(name))?;
    match cli.command {
        CliCommand::Demo(args) => demo::run(args, context),
        CliCommand::Forward(args) => forward::run(&args),
        CliCommand::MockService(args) => mock_service::run(&args, context),
        CliCommand::List(args) => list::run(args, context),
        CliCommand::Docs(args) => docs::run(&args, context),
        CliCommand::Graph(args) => graph::run(args, context),
        CliCommand::Inventory(args) => inventory::run(&args, context),
        CliCommand::Rfc(args) => rfc::run(&args, context),
        CliCommand::Show(args) => show::run(&args, context),
        CliCommand::Clone(args) => clone::run(args, context),
        CliCommand::Build(args) => build::run(args, context),
        CliCommand::Env(args) => env::run(args, context),
        CliCommand::RunLocal(args) => run_local::run(&args, context),
        CliCommand::Open(args) => open::run(&args, context),
        CliCommand::Ps(args) => ps::run(&args, context),
        CliCommand::Logs(args) => logs::run(args, context),
        CliCommand::Exec(args) => exec::run(args, context),
        CliCommand::Shell(args) => shell::run(args, context),
        CliCommand::Down(args) => down::run(&args, context),
        CliCommand::Gc(args) => gc::run(&args, context),
        CliCommand::Init(args) => init::run(&args, context),
        CliCommand::Stage(args) => stage::run(&args, context),
        CliCommand::Status(args) => status::run(&args, context),
        CliCommand::Unstage(args) => unstage::run(&args, context),
        CliCommand::Rollback(args) => rollback::run(&args, context),
        CliCommand::Login(args) => login::run(&args, context),
        CliCommand::Logout(args) => logout::run(&args, context),
        CliCommand::Auth(args) => auth::run(&args, context),
        CliCommand::Doctor(args) => doctor::run(&args, context),
        CliCommand::Trust(args) => trust::run(&args, context),
        CliCommand::Config(args) => config::run(&args, context),
        CliCommand::Completions(args) => completions::run(&args, context),
        CliCommand::Man(args) => man::run(&args, command_tree(), context),
    }
}
