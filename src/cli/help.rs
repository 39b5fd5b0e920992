//! Help: the overview with its commands in groups, and the help of a command with the options of all commands in one
//! line. The text of each option is beside the option, and pages about topics are in `topics`.

use std::ffi::OsString;
use std::fmt::Write as _;

use clap::builder::StyledStr;
use clap::{Arg, Command};

use super::error::usage::command_of;
use super::topics::topics;
use crate::base::text::wrap;
use crate::ui::style;

/// Groups of commands, in the order in which a newcomer needs them.
const GROUPS: [(&str, &[&str]); 4] = [
    ("Find", &["list", "show", "docs", "graph", "inventory", "rfc", "env", "init"]),
    ("Work", &["clone", "build", "run-local", "ps", "logs", "open", "exec", "shell", "down"]),
    ("Stage", &["stage", "status", "unstage", "rollback", "login", "logout", "auth"]),
    ("Machine", &["demo", "doctor", "gc", "config", "trust", "completions", "man"]),
];

/// Maximum columns of a paragraph.
pub(super) const WIDEST: usize = 100;

/// Returns the help that the arguments ask for, its paragraphs in lines of `columns`.
pub(super) fn render(args: &[OsString], mut tree: Command, columns: usize) -> StyledStr {
    tree.build();
    // Without a command, what fits a screen says more than everything.
    let is_long = args.len() > 1 && !args.iter().take_while(|word| *word != "--").any(|word| word == "-h");
    let name = command_of(args, &tree).0;
    let path: Vec<&str> = name.split(' ').skip(1).collect();
    if path.is_empty() {
        return overview(&tree, is_long);
    }
    let global: Vec<Arg> = tree.get_arguments().filter(|arg| arg.is_global_set()).cloned().collect();
    let mut command =
        path.iter().fold(tree, |command, name| command.find_subcommand(name).cloned().unwrap_or(command));
    for arg in &global {
        command = command.mut_arg(arg.get_id(), |arg| arg.hide(true));
    }
    if let Some(about) = command.get_long_about().map(ToString::to_string) {
        command = command.long_about(filled(&about, columns));
    }
    let mut after = String::new();
    if !is_long && let Some(examples) = examples(&command) {
        let _ = write!(after, "{}\n{examples}\n\n", style::heading("Examples:"));
    }
    let flags: Vec<String> = global.iter().filter_map(flag).collect();
    let _ = write!(after, "{} {} (`cki --help`)", style::heading("Global options:"), flags.join(" "));
    command = command.after_help(after);
    if is_long { command.render_long_help() } else { command.render_help() }
}

/// Returns an option as it is typed.
fn flag(arg: &Arg) -> Option<String> {
    match (arg.get_short(), arg.get_long()) {
        (Some(short), _) => Some(format!("-{short}")),
        (None, Some(long)) => Some(format!("--{long}")),
        (None, None) => None,
    }
}

/// Returns a description with its paragraphs filled: their lines were cut for the width of the sources. Indented lines
/// and headings of a list stay.
fn filled(text: &str, columns: usize) -> String {
    let paragraph = |paragraph: &str| {
        let lines: Vec<&str> = paragraph.lines().collect();
        match lines.iter().any(|line| line.starts_with(' ')) {
            true => paragraph.to_owned(),
            false => wrap(&lines.join(" "), columns.min(WIDEST)).join("\n"),
        }
    };
    text.split("\n\n").map(paragraph).collect::<Vec<_>>().join("\n\n")
}

/// Returns the examples of a command, which end its long description.
fn examples(command: &Command) -> Option<String> {
    let about = command.get_long_about()?.to_string();
    Some(about.split_once("Examples:\n")?.1.trim_end().to_owned())
}

/// Returns the help of `cki` itself.
fn overview(tree: &Command, is_long: bool) -> StyledStr {
    let mut commands = String::new();
    let width = tree.get_subcommands().map(|sub| sub.get_name().len()).max().unwrap_or(0);
    for (title, names) in GROUPS {
        let _ = writeln!(commands, "{}", style::heading(&format!("{title}:")));
        for name in names {
            let Some(sub) = tree.find_subcommand(name) else { continue };
            let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
            let alias =
                sub.get_visible_aliases().next().map(|alias| format!(" [{alias}]")).unwrap_or_default();
            let name = style::name(&format!("{name:width$}"));
            let _ = writeln!(commands, "  {name}  {about}{}", style::dim(&alias));
        }
        commands.push('\n');
    }
    let topics: Vec<&str> = topics().map(|(name, _)| name).collect();
    let _ = write!(
        commands,
        "`cki COMMAND -h` shows the usage of a command, `cki help TOPIC` a page about: {}. Long ones go through \
         `$PAGER`, unless you add `--no-pager`.",
        topics.join(", ")
    );
    let template =
        format!("{{about}}\n\n{{usage-heading}} {{usage}}\n\n{commands}\n\n{{options}}\n{{after-help}}");
    let command = tree.clone().disable_help_subcommand(true).help_template(StyledStr::from(template));
    let mut command = command;
    if is_long { command.render_long_help() } else { command.render_help() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help(line: &str) -> String {
        let args: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        render(&args, crate::cli::command_tree(), WIDEST).to_string()
    }

    #[test]
    fn overview_shows_every_command_once() {
        let tree = crate::cli::command_tree();
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let mut all: Vec<&str> =
            tree.get_subcommands().filter(|sub| !sub.is_hide_set()).map(Command::get_name).collect();
        grouped.sort_unstable();
        all.sort_unstable();
        assert_eq!(grouped, all);
        let overview = help("cki --help");
        assert!(overview.contains("Work:\n  clone"), "{overview}");
    }

    #[test]
    fn help_of_a_command_names_global_options_in_one_line() {
        let short = help("cki logs -h");
        assert!(short.contains("Examples:\n  cki logs pipeline-herder\n"), "{short}");
        assert!(short.contains(
            "Global options: --inventory --workspace --engine -o --color -q -v --no-pager --offline"
        ));
        assert!(!short.contains("Keep clones in this directory"), "{short}");
        assert!(help("cki help logs").contains("Merges the lines"));
    }

    #[test]
    fn help_fills_paragraphs_and_keeps_examples() {
        let text = "Show it\n\nOne two\nthree four.\n\nExamples:\n  cki a b c d e f\n  cki b\n";
        let expected = "Show it\n\nOne two\nthree\nfour.\n\nExamples:\n  cki a b c d e f\n  cki b\n";
        assert_eq!(filled(text, 8), expected);
        assert!(filled(text, 80).contains("One two three four.\n"));
    }
}
