//! Completion in a shell. Candidates come from files on this machine and from the engine that listens on it, never
//! from a network, and nothing is written. An error gives no candidates: nothing may be printed on the terminal.
//!
//! `words` and `shells` speak with the shell, `typed` is the command line so far; the other files have the
//! candidates, as functions that the arguments of the commands name.

mod candidate;
mod inventory;
mod merge_requests;
mod rfcs;
mod running;
mod servers;
mod shells;
mod typed;
mod values;
mod words;

use std::collections::HashSet;
use std::path::Path;

use super::topics::topics;
use crate::host::Host;
use candidate::{OfferedValue, candidate};
pub(super) use inventory::{
    buildable_words, categories, cloneable_words, component_words, components, entries, entry_words,
    infrastructures, kinds, list_words, new_kinds, owners, repositories, runnable, staged, verbs,
};
pub(super) use merge_requests::{merge_requests, stage_subjects};
pub(super) use rfcs::{rfc_states, rfcs};
pub(super) use running::{alive, running};
pub(super) use servers::{logins, servers};
pub(super) use shells::ShellArg;
use typed::TypedLine;
pub(super) use values::{
    allowed, compared, formats, manual_pages, parameters, setting_values, settings, unset, variables,
};
use words::Words;

/// Answers a request for completion. Returns whether a shell made one.
pub(super) fn answer(host: &Host, command_tree: fn() -> clap::Command) -> bool {
    let Some(program) = host.env.get(shells::VARIABLE).filter(|name| !matches!(*name, "" | "0")) else {
        return false;
    };
    let name = Path::new(program).file_stem().and_then(|name| name.to_str()).unwrap_or(program);
    let Some(shell) = ShellArg::of_program(name) else { return true };
    if !host.args.iter().any(|word| word == "--") {
        host.stdout.write(shell.script().unwrap_or_default().as_bytes());
        return true;
    }
    let words = shell.words(host);
    TypedLine::set_current(command_tree, host, words.clone());
    let offered = offered(command_tree(), &words, &host.cwd);
    host.stdout.write(shell.text(&offered, &words, host).as_bytes());
    true
}

/// Returns the candidates for the current word, each once, and flags only for a word that begins with `-`.
fn offered(mut tree: clap::Command, words: &Words, cwd: &Path) -> Vec<OfferedValue> {
    tree.build();
    let mut typed = words.words.clone();
    if words.current() == "-" {
        // Long names say what they are, and each flag is offered under one name.
        typed[words.index] = "--".into();
    }
    let completed = clap_complete::engine::complete(&mut tree, typed, words.index, Some(cwd));
    let has_flags = words.current().starts_with('-') && !is_of_another_program(&tree);
    let mut seen = HashSet::new();
    let mut offered = completed.unwrap_or_default();
    if words.index == 2 && words.words.get(1).is_some_and(|word| word == "help") {
        let topics = topics().filter(|(name, _)| name.starts_with(words.current()));
        offered.extend(topics.map(|(name, about)| candidate(name, Some(about))));
    }
    let offered = offered.iter().filter_map(OfferedValue::of);
    let offered = offered.filter(|one| has_flags || !one.value.starts_with('-'));
    let excluded = excluded_subcommands(&tree, words);
    let offered = offered.filter(|one| !excluded.contains(&one.value));
    offered.filter(|one| seen.insert(one.value.clone())).collect()
}

/// Returns the subcommands that may not follow the arguments that are typed: `cki stage 213 <TAB>`. clap offers them.
fn excluded_subcommands(tree: &clap::Command, words: &Words) -> HashSet<String> {
    let Some(typed) = TypedLine::current() else { return HashSet::new() };
    let mut command = tree;
    for name in &typed.commands {
        let Some(below) = command.find_subcommand(name) else { return HashSet::new() };
        command = below;
    }
    let before = words.index.checked_sub(1).and_then(|at| words.words.get(at)).and_then(|word| word.to_str());
    let is_first = before.is_some_and(|before| {
        before == command.get_name() || command.get_all_aliases().any(|alias| before == alias)
    });
    if is_first || !command.is_args_conflicts_with_subcommands_set() {
        return HashSet::new();
    }
    let names = command
        .get_subcommands()
        .flat_map(|one| std::iter::once(one.get_name()).chain(one.get_all_aliases()));
    names.map(str::to_owned).collect()
}

/// Returns whether the current word belongs to the command line of another program: `cki exec NAME CMD -<TAB>`.
fn is_of_another_program(tree: &clap::Command) -> bool {
    let Some(typed) = TypedLine::current() else { return false };
    let mut command = tree;
    for name in &typed.commands {
        let Some(below) = command.find_subcommand(name) else { return false };
        command = below;
    }
    let rest = command.get_positionals().find(|arg| arg.is_trailing_var_arg_set());
    rest.is_some_and(|rest| typed.values(rest.get_id().as_str()).next().is_some())
}
