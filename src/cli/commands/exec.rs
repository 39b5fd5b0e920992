//! `cki exec`: its arguments, and the calls of the operation and the report.

use std::ffi::OsStr;

use clap::Args;
use clap_complete::ArgValueCandidates;

use super::inside::{instances, named, pass_bytes, person};
use crate::base::exit::Exit;
use crate::base::secret::Secret;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::exit;
use crate::host::arguments::hide_values;
use crate::model::container::ExecSettings;
use crate::model::environment::is_secret;
use crate::ops::env::{UserVariables, read_overrides};
use crate::ops::exec::interact::interact;
use crate::ops::exec::{ExecOptions, standard_input};
use crate::ops::runtime::select::check_alive;
use crate::ops::shared::run_policy::secret_names;

/// Run a command in a running component
///
/// Passes on standard input unless it is a terminal; a shell or an interpreter without arguments gets
/// the terminal, as with `-t`. Exits with the exit code of the command.
/// Written to a file or a pipe, the output of the command is unchanged byte for byte, except for
/// secrets.
///
/// Examples:
///   cki exec pipeline-herder env
///   echo '{}' | cki exec pipeline-herder python3 -m json.tool
///   cki exec -t pipeline-herder python3
///   cki exec -u root -w / -e LC_ALL=C pipeline-herder ls -l
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct ExecArgs {
    /// Component, backing service of a component, or run ID
    #[arg(add = ArgValueCandidates::new(complete::alive))]
    component: String,
    /// Pass on standard input from a terminal, line by line
    #[arg(short, long)]
    interactive: bool,
    /// Pass on this terminal with every key; `-it` is the same
    #[arg(short, long)]
    tty: bool,
    /// Do not pass on this terminal: a shell or an interpreter without arguments gets no input from it
    #[arg(short = 'T', long, conflicts_with_all = ["tty", "interactive"])]
    no_tty: bool,
    /// Run the command in this directory of the container (default: that of the component)
    #[arg(short, long, value_name = "DIR")]
    workdir: Option<String>,
    /// Run the command as this user of the container, by name or ID (default: that of the component)
    #[arg(short, long, value_name = "USER[:GROUP]")]
    user: Option<String>,
    /// Give the command a variable; `NAME` alone passes on its value from your environment
    #[arg(short = 'e', long = "env", value_name = "NAME=VALUE")]
    #[arg(add = ArgValueCandidates::new(complete::variables))]
    set: Vec<String>,
    /// Command to run, with its arguments; `--` before it is optional
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// Programs that read their commands from a terminal when they get no arguments. Without it, they would end at once,
/// silently.
const INTERPRETERS: [&str; 19] = [
    "ash",
    "bash",
    "bpython",
    "dash",
    "fish",
    "ipython",
    "irb",
    "ksh",
    "mongosh",
    "mysql",
    "node",
    "psql",
    "python",
    "python3",
    "redis-cli",
    "sh",
    "sqlite3",
    "valkey-cli",
    "zsh",
];

/// Returns whether a command is an interpreter that waits for what a person types.
fn is_interpreter(command: &[String]) -> bool {
    let [program] = command else { return false };
    INTERPRETERS.contains(&program.rsplit('/').next().unwrap_or_default())
}

/// Returns the variables that the user gives to the command.
fn variables(set: Vec<String>, context: &Context) -> anyhow::Result<Vec<(String, Secret)>> {
    let user = UserVariables { set, ..UserVariables::default() };
    let own = |name: &str| context.host.env.get_os(name).map(OsStr::to_owned);
    let given = read_overrides(&user, &context.host.cwd, &own)?.set;
    Ok(given.into_iter().map(|(name, value, _)| (name, value)).collect())
}

/// Returns the values of variables whose names are those of secrets. Without rules, each value counts as one.
fn hidden(environment: &[(String, Secret)], context: &Context) -> Vec<Secret> {
    if environment.is_empty() {
        return Vec::new();
    }
    let names = secret_names(&context.assets);
    let is_hidden = |name: &str, value: &Secret| {
        names.as_ref().is_none_or(|names| is_secret(name, value.expose(), names))
    };
    environment
        .iter()
        .filter(|(name, value)| is_hidden(name, value))
        .map(|(_, value)| value.clone())
        .collect()
}

pub(in crate::cli) fn run(args: ExecArgs, context: &Context) -> anyhow::Result<Exit> {
    let ExecArgs { component, interactive, tty, no_tty, workdir, user, set, command } = args;
    hide_values(&set);
    let environment = variables(set, context)?;
    let hidden = hidden(&environment, context);
    let settings = ExecSettings { workdir, user, environment };
    context.block_on(async |stop| {
        let listing = instances(context).await?;
        let instance = named(context, &listing, &component).await?;
        check_alive(instance, &component)?;
        let terminal = context.host.terminal;
        let is_asked = !interactive && !no_tty && terminal.stdin && terminal.stdout;
        if tty || (is_asked && is_interpreter(&command)) {
            let options = ExecOptions { command, stdin: None, settings, hidden };
            return Ok(exit::of_command(interact(instance, options, person(context), &stop).await?));
        }
        let passes_on = interactive || !context.host.terminal.stdin;
        let options = ExecOptions { command, stdin: passes_on.then(standard_input), settings, hidden };
        pass_bytes(instance, options, context, &stop).await
    })
}
