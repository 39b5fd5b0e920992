//! Floor 7: arguments, context, dispatch, and the mapping from errors to exit codes. `commands/` mirrors
//! the command tree, one file per command: resolve, one operation, report, exit.

mod args;
mod commands;
mod complete;
mod context;
mod dispatch;
mod error;
mod exit;
mod format;
mod globals;
#[cfg(test)]
mod growth;
mod help;
mod inventory;
mod known_tokens;
mod marks;
mod repeated_flags;
mod token;
mod topics;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;

use crate::base::exit::Exit;
use crate::base::text::wrap_styled;
use crate::config::Color;
use crate::host::Host;
use crate::systems::pager;
use crate::ui::{Results, Ui, UiOptions, Verbosity, markdown};
use args::Cli;
pub use args::command_tree;
use context::Context;

/// Columns of the widest page, since longer lines are hard to read.
const WIDEST_PAGE: usize = 110;
pub use topics::is_topic;

/// Runs the program on a machine and returns its exit code.
#[must_use]
pub fn run(host: Host) -> ExitCode {
    host.hide_logins();
    let after = host.clone();
    let exit = answer(host);
    after.stdout.finish();
    after.stderr.finish();
    after_writing(&after, exit).into()
}

/// Returns the exit code with which the program ends after an error.
#[must_use]
pub fn exit_code_of(error: &anyhow::Error) -> u8 {
    error::exit_of(error).code()
}

/// Returns the exit code after output has ended. All data goes through [`Host::stdout`], except for what a component
/// writes to its standard error, so a failure of any write is seen here.
fn after_writing(host: &Host, exit: Exit) -> Exit {
    let failures = [(host.stdout.failure(), "output"), (host.stderr.piece_failure(), "error")];
    let failure = failures.into_iter().find_map(|(failure, stream)| Some((failure?, stream)));
    let Some((failure, stream)) = failure else { return exit };
    let is_well = matches!(exit, Exit::Done | Exit::Component(0) | Exit::Unread);
    if failure.kind() == std::io::ErrorKind::BrokenPipe {
        return if is_well { Exit::Unread } else { exit };
    }
    let why = failure.to_string();
    let why = why.split(" (os error").next().unwrap_or_default();
    first_ui(host, None).error(&format!("cannot write to standard {stream}: {why}."), &[], &[]);
    if is_well { Exit::Failed } else { exit }
}

fn answer(host: Host) -> Exit {
    if complete::answer(&host, command_tree) {
        return Exit::Done;
    }
    if asks_version(&host.args) {
        first_ui(&host, None).data(&command_version());
        return Exit::Done;
    }
    if let Some(page) = topics::topic(&host.args) {
        let ui = first_ui(&host, None);
        let Some(columns) = ui.columns() else {
            ui.lines(page.text.lines());
            return Exit::Done;
        };
        if page.may_page {
            ui.page_with(move |text| pager::show(&host.env, text));
        }
        ui.pages(markdown::render(page.text, columns.min(WIDEST_PAGE), &str::to_owned).lines());
        return Exit::Done;
    }
    let (cli, name) = match Cli::parse_words(&host.args) {
        Ok(parsed) => parsed,
        Err(error) => return usage(&host, &error),
    };
    let ui = first_ui(&host, cli.globals.color);
    let args = host.args.clone();
    let context = match cli.command.looks_at_settings() {
        true => Context::lenient(host, &cli.globals),
        false => Context::new(host, &cli.globals),
    };
    let (ui, result) = match context {
        Ok(context) => (context.ui_for(command_tree, &args), dispatch(cli, &name, &context)),
        Err(error) => (ui, Ok(Err(error))),
    };
    match result {
        Ok(Ok(exit)) => exit,
        Ok(Err(error)) => {
            let command = || {
                let mut tree = command_tree();
                tree.build();
                error::usage::command_of(&args, &tree).0
            };
            error::report(&ui, &error, (command_tree, &args), command)
        }
        Err(_) => {
            let hint = "please report the command and the output above; `RUST_BACKTRACE=1` shows more.";
            ui.error("this is a bug in `cki`.", &[], &[hint.to_owned()]);
            Exit::Bug
        }
    }
}

/// Runs a command, and catches a panic. The panic hook has printed its message, and drop guards have
/// cleaned up.
fn dispatch(cli: Cli, name: &str, context: &Context) -> std::thread::Result<anyhow::Result<Exit>> {
    let work = || dispatch::dispatch(cli, name, context);
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work))
}

/// Returns whether the command line asks for the version alone: printing it without the tree of commands
/// saves most of the time.
fn asks_version(args: &[OsString]) -> bool {
    matches!(args, [_, flag] if flag == "--version" || flag == "-V")
}

fn command_version() -> String {
    concat!("cki ", env!("CARGO_PKG_VERSION")).to_owned()
}

/// Returns the printer to use before the settings are read.
fn first_ui(host: &Host, color: Option<Color>) -> Ui {
    let color = color.and_then(Color::forced);
    Ui::new(host, UiOptions { color, verbosity: Verbosity::Normal, results: Results::Text })
}

/// Prints what clap answers: help and version to standard output, and the help of a command that lacks its
/// subcommand to standard error. Anything else is a usage error.
fn usage(host: &Host, error: &clap::Error) -> Exit {
    let ui = first_ui(host, None);
    match error.kind() {
        ErrorKind::DisplayHelp => {
            let columns = ui.columns().unwrap_or(usize::MAX);
            let help = help::render(&host.args, command_tree(), columns).ansi().to_string();
            ui.lines(help.trim_end().split('\n').flat_map(|line| wrap_styled(line, columns)));
            Exit::Done
        }
        ErrorKind::DisplayVersion => {
            ui.data(error.render().ansi().to_string().trim_end());
            Exit::Done
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            ui.status(help::render(&host.args, command_tree(), help::WIDEST).ansi().to_string().trim_end());
            Exit::Usage
        }
        _ => {
            let mut tree = command_tree();
            tree.build();
            error::usage::report(&ui, error, &host.args, &tree)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_shortcut_matches_command_tree() {
        let args = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        assert_eq!(command_tree().render_version().trim_end(), command_version());
        assert!(asks_version(&args(&["cki", "--version"])) && asks_version(&args(&["cki", "-V"])));
        for words in [&["cki"][..], &["cki", "list", "--version"], &["cki", "--version", "x"]] {
            assert!(!asks_version(&args(words)), "{words:?}");
        }
    }
}
