//! The reference of the commands, from the tree that clap parses with.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use clap::{Arg, Command};

use super::{golden, head};

#[test]
fn command_reference_is_up_to_date() {
    let mut tree = cki::cli::command_tree();
    tree.build();
    let mut text = head("Commands");
    let about = tree.get_about().map(ToString::to_string).unwrap_or_default();
    let _ = writeln!(text, "\n{about}.\n");
    for command in tree.get_subcommands().filter(shown) {
        let name = command.get_name();
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(text, "- [`cki {name}`](#cki-{name}): {about}");
    }
    text.push_str("\n## Global options\n\nEvery command has these.\n");
    table(&mut text, "option", tree.get_arguments().filter(|arg| arg.is_global_set()));
    short_options(&mut text, &tree);
    for command in tree.get_subcommands().filter(shown) {
        describe(&mut text, command, 2);
    }
    golden("docs/reference/commands.md", &text);
}

/// The letters, each with the options it stands for and the commands that have them.
fn short_options(text: &mut String, tree: &Command) {
    fn collect(command: &Command, found: &mut BTreeMap<(char, String), BTreeSet<String>>) {
        for arg in command.get_arguments() {
            if let (Some(short), Some(long)) = (arg.get_short(), arg.get_long()) {
                let all = arg.is_global_set() || long == "help";
                let name = if all { "all" } else { command.get_bin_name().unwrap_or(command.get_name()) };
                found.entry((short, long.to_owned())).or_default().insert(format!("`{name}`"));
            }
        }
        command.get_subcommands().filter(shown).for_each(|sub| collect(sub, found));
    }
    let mut found = BTreeMap::new();
    collect(tree, &mut found);
    text.push_str(
        "\n## Short options\n\nA letter means the same in every command. The one exception is `-n`: `cki logs` \
         has no `--dry-run`,\nand takes it for `--tail`, as `docker logs` does.\n\n\
         | letter | option | commands |\n|---|---|---|\n",
    );
    for ((short, long), commands) in found {
        let commands: Vec<String> = commands.into_iter().collect();
        let _ =
            writeln!(text, "| `-{short}` | `--{long}` | {} |", commands.join(", ").replace("`all`", "all"));
    }
}

fn shown(command: &&Command) -> bool {
    !command.is_hide_set() && command.get_name() != "help"
}

fn describe(text: &mut String, command: &Command, level: usize) {
    let name = command.get_bin_name().unwrap_or(command.get_name());
    let _ = writeln!(text, "\n{} `{name}`", "#".repeat(level));
    let aliases: Vec<String> = command.get_visible_aliases().map(|alias| format!("`{alias}`")).collect();
    if !aliases.is_empty() {
        let _ = writeln!(text, "\nAlso {}.", aliases.join(", "));
    }
    let about = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
    prose(text, &about);
    let mut usage = command.clone();
    let usage = usage.render_usage().to_string();
    let _ = writeln!(text, "\n```text\n{}\n```", usage.trim());
    let own = |arg: &&Arg| !arg.is_global_set() && !arg.is_hide_set() && arg.get_id() != "help";
    table(text, "argument", command.get_arguments().filter(own).filter(|arg| arg.is_positional()));
    table(text, "option", command.get_arguments().filter(own).filter(|arg| !arg.is_positional()));
    for sub in command.get_subcommands().filter(shown) {
        describe(text, sub, level + 1);
    }
}

/// Prose, with what is indented as a block of code.
fn prose(text: &mut String, about: &str) {
    let mut in_code = false;
    text.push('\n');
    for line in about.lines() {
        if line.starts_with("  ") != in_code {
            in_code = !in_code;
            text.push_str(if in_code { "\n```sh\n" } else { "```\n" });
        }
        text.push_str(if in_code { &line[2..] } else { line });
        text.push('\n');
    }
    if in_code {
        text.push_str("```\n");
    }
}

fn table<'a>(text: &mut String, what: &str, args: impl Iterator<Item = &'a Arg>) {
    let rows: Vec<String> = args.map(row).collect();
    if !rows.is_empty() {
        let _ = write!(text, "\n| {what} | meaning |\n|---|---|\n{}", rows.concat());
    }
}

fn row(arg: &Arg) -> String {
    let values = || {
        let names = arg.get_value_names().unwrap_or_default();
        match names {
            [name] if arg.is_require_equals_set() => format!("[={name}]"),
            names => names.iter().map(|name| format!(" {name}")).collect(),
        }
    };
    let takes = arg.get_action().takes_values();
    let name = if arg.is_positional() {
        values().trim().to_owned()
    } else {
        let short = arg.get_short().map(|short| format!("-{short}"));
        let long = arg.get_long().map(|long| format!("--{long}"));
        let names: Vec<String> = short.into_iter().chain(long).collect();
        format!("{}{}", names.join(", "), if takes { values() } else { String::new() })
    };
    let mut help = arg.get_help().map(ToString::to_string).unwrap_or_default().replace('|', r"\|");
    let choices: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|_| takes)
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    if !choices.is_empty() {
        let _ = write!(help, ": {}", choices.join(", "));
    }
    format!("| `{name}` | {help} |\n")
}
