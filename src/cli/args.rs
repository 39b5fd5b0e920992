//! The command line: the list of commands, and rules on their options. Arguments of one command are in its
//! own file below `commands/`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args as _, CommandFactory, FromArgMatches as _, Parser, Subcommand};

use super::commands;
use super::globals::Globals;
use super::marks::DecidedBy;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    // Style of the name of a value, which clap calls a placeholder, as in `--mr <N>`.
    .placeholder(AnsiColor::Cyan.on_default())
    .error(AnsiColor::Red.on_default().bold())
    .valid(AnsiColor::Cyan.on_default())
    .invalid(AnsiColor::Yellow.on_default());

/// Find, build, run and stage one component of a system of many services
#[derive(Debug, Parser)]
#[command(
    name = "cki",
    bin_name = "cki",
    version,
    styles = STYLES,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "First steps:  cki demo · cki list · cki show COMPONENT · cki run-local COMPONENT · cki stage --mr N"
)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) globals: Globals,
    #[command(subcommand)]
    pub(super) command: CliCommand,
}

impl Cli {
    /// Parses a command line. Returns the name of the command as well, under which other tables know it:
    /// with its subcommand, as in `config get`.
    pub(super) fn parse_words(words: &[OsString]) -> Result<(Self, String), clap::Error> {
        let mut tree = Self::command();
        let mut matches = tree.try_get_matches_from_mut(words)?;
        let mut names = Vec::new();
        let mut rest = &matches;
        while let Some((name, below)) = rest.subcommand() {
            names.push(name);
            rest = below;
        }
        let (name, depth) = (names.join(" "), names.len());
        let mut cli = Self::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut tree))?;
        if cli.globals.inventory.len() < words.iter().filter(|word| is_inventory(word)).count() {
            cli.globals.inventory =
                with_those_above(words, depth, std::mem::take(&mut cli.globals.inventory));
        }
        Ok((cli, name))
    }
}

fn is_inventory(word: &OsStr) -> bool {
    word.as_bytes().starts_with(b"--inventory")
}

/// Returns the sources before each command, and then `own`, those after the last one: clap takes only the last values of
/// a flag that may stand before and after a command.
fn with_those_above(words: &[OsString], depth: usize, own: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut all: Vec<Vec<PathBuf>> = Vec::new();
    let mut words = words.to_vec();
    for _ in 0..depth {
        let level = Globals::augment_args(clap::Command::new("cki"))
            .allow_external_subcommands(true)
            .external_subcommand_value_parser(clap::value_parser!(OsString))
            .disable_help_flag(true);
        let Ok(matches) = level.try_get_matches_from(&words) else { break };
        all.push(matches.get_many::<PathBuf>("inventory").into_iter().flatten().cloned().collect());
        let Some((name, below)) = matches.subcommand() else { break };
        words = vec![name.into()];
        words.extend(below.get_many::<OsString>("").into_iter().flatten().cloned());
    }
    let nearest = all.iter().rev().find(|above| !above.is_empty());
    let has_own = nearest.is_none_or(|nearest| *nearest != own);
    all.into_iter().flatten().chain(own.into_iter().filter(|_| has_own)).collect()
}

/// Commands, in the order in which a newcomer needs them.
#[derive(Debug, Subcommand)]
pub(super) enum CliCommand {
    Demo(commands::demo::DemoArgs),
    Init(commands::init::InitArgs),
    #[command(add = DecidedBy(&["inventory"]))]
    List(commands::list::ListArgs),
    #[command(add = DecidedBy(&["inventory", "workspace"]))]
    Show(commands::show::ShowArgs),
    #[command(add = DecidedBy(&["inventory", "workspace"]))]
    Docs(commands::docs::DocsArgs),
    #[command(add = DecidedBy(&["inventory"]))]
    Graph(commands::graph::GraphArgs),
    #[command(add = DecidedBy(&["inventory"]))]
    Inventory(commands::inventory::InventoryArgs),
    #[command(add = DecidedBy(&["inventory", "workspace"]))]
    Rfc(commands::rfc::RfcArgs),
    #[command(add = DecidedBy(&["inventory", "workspace"]))]
    Clone(commands::clone::CloneArgs),
    #[command(add = DecidedBy(&["inventory", "workspace", "engine"]))]
    Build(commands::build::BuildArgs),
    #[command(add = DecidedBy(&["inventory", "workspace", "engine"]))]
    Env(commands::env::EnvArgs),
    #[command(add = DecidedBy(&["inventory", "workspace", "engine"]))]
    RunLocal(commands::run_local::RunLocalArgs),
    #[command(add = DecidedBy(&["inventory", "engine"]))]
    Ps(commands::ps::PsArgs),
    #[command(add = DecidedBy(&["inventory", "engine"]))]
    Open(commands::open::OpenArgs),
    #[command(add = DecidedBy(&["inventory", "engine"]))]
    Logs(commands::logs::LogsArgs),
    #[command(add = DecidedBy(&["inventory", "engine"]))]
    Exec(commands::exec::ExecArgs),
    #[command(add = DecidedBy(&["inventory", "engine"]))]
    Shell(commands::shell::ShellArgs),
    #[command(add = DecidedBy(&["inventory", "engine"]))]
    Down(commands::down::DownArgs),
    Gc(commands::gc::GcArgs),
    #[command(add = DecidedBy(&["inventory"]))]
    Stage(Box<commands::stage::StageArgs>),
    #[command(add = DecidedBy(&["inventory"]))]
    Status(commands::status::StatusArgs),
    #[command(add = DecidedBy(&["inventory"]))]
    Unstage(commands::unstage::UnstageArgs),
    #[command(add = DecidedBy(&["inventory", "workspace"]))]
    Rollback(Box<commands::rollback::RollbackArgs>),
    Login(commands::login::LoginArgs),
    Logout(commands::logout::LogoutArgs),
    Auth(commands::auth::AuthArgs),
    Doctor(commands::doctor::DoctorArgs),
    Config(commands::config::ConfigArgs),
    #[command(add = DecidedBy(&["inventory"]))]
    Trust(commands::trust::TrustArgs),
    #[command(hide = true)]
    Forward(commands::forward::ForwardArgs),
    #[command(hide = true)]
    MockService(commands::mock_service::MockServiceArgs),
    Completions(commands::completions::CompletionsArgs),
    Man(commands::man::ManArgs),
}

impl CliCommand {
    /// Returns whether the command reports invalid settings, and so has to run with them.
    pub(super) fn looks_at_settings(&self) -> bool {
        match self {
            Self::Doctor(_) | Self::Forward(_) => true,
            Self::Config(args) => args.mends_settings(),
            _ => false,
        }
    }
}

/// Returns the whole tree of commands, for completion, manual pages and the reference.
#[must_use]
pub fn command_tree() -> clap::Command {
    Cli::command()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn command_tree_passes_clap_assertions() {
        super::command_tree().debug_assert();
    }

    /// Collects the short options of a command and its subcommands: each letter with the long names that
    /// use it.
    fn letters(command: &clap::Command, found: &mut BTreeMap<char, BTreeSet<String>>) {
        for arg in command.get_arguments() {
            let long = arg.get_long().unwrap_or_default();
            if let Some(letter) = arg.get_short() {
                found.entry(letter).or_default().insert(long.to_owned());
            }
            assert!(long != "dry-run" || arg.get_short() == Some('n'), "`{}` has no -n", command.get_name());
        }
        command.get_subcommands().for_each(|sub| letters(sub, found));
    }

    #[test]
    fn each_short_option_has_one_meaning() {
        let mut tree = super::command_tree();
        tree.build();
        let mut found = BTreeMap::new();
        letters(&tree, &mut found);
        let several: Vec<_> = found.iter().filter(|(_, names)| names.len() > 1).collect();
        // No command has both meanings, and each is that of `docker`: `logs -n`, `logs -t`, `exec -t` and `exec -w`.
        let names = |one: &str, other: &str| BTreeSet::from([one.to_owned(), other.to_owned()]);
        let (tail, time) = (names("dry-run", "tail"), names("timestamps", "tty"));
        let directory = names("watch", "workdir");
        let known = [(&'n', &tail), (&'t', &time), (&'w', &directory)];
        assert_eq!(several, known, "letters with several meanings");
    }
}
