//! Candidates for completion in a shell. They come from files on this machine, never from a network, and an
//! error gives no candidates: nothing may be printed on the terminal. Joining the words of bash is in
//! `bash`.

use std::path::{Path, PathBuf};

use clap_complete::CompletionCandidate;
use clap_complete::env::{Elvish, Fish, Powershell, Shells, Zsh};

use super::bash::{self, Bash};
use crate::base::text::safe_line;
use crate::config::{Config, KEYS, Settings};
use crate::host::Host;
use crate::model::inventory::Inventory;
use crate::model::reference::is_name;

/// Environment variable by which a shell asks for completion.
pub(super) const VARIABLE: &str = "COMPLETE";

/// Supported shells.
pub(super) const SHELLS: Shells<'static> = Shells(&[&Bash, &Elvish, &Fish, &Powershell, &Zsh]);

/// Answers a request for completion. Returns whether a shell made one.
pub(super) fn answer(host: &Host, command_tree: fn() -> clap::Command) -> bool {
    // Same as clap's own `CompleteEnv`, except for the stream to which the answer is written.
    let Some(shell) = host.env.get(VARIABLE).filter(|name| !matches!(*name, "" | "0")) else { return false };
    let name = Path::new(shell).file_stem().and_then(|name| name.to_str()).unwrap_or(shell);
    let mut text = Vec::new();
    if let Some(shell) = SHELLS.completer(name) {
        let words: Vec<_> = host.args.iter().skip_while(|word| *word != "--").skip(1).cloned().collect();
        let written = if words.is_empty() {
            shell.write_registration(VARIABLE, "cki", "cki", "cki", &mut text)
        } else {
            let mut tree = command_tree();
            tree.build();
            shell.write_complete(&mut tree, words, Some(&host.cwd), &mut text)
        };
        if written.is_err() {
            text.clear();
        }
    }
    if !text.is_empty() {
        host.stdout.write(&text);
    }
    true
}

/// Returns the components with their descriptions.
pub(super) fn components() -> Vec<CompletionCandidate> {
    candidates(|inventory| {
        inventory
            .components
            .iter()
            .map(|component| {
                let help = component.description.as_deref().or(component.kind.as_deref());
                CompletionCandidate::new(component.name())
                    .help(help.map(|help| safe_line(help).into_owned().into()))
                    .tag(Some(component.reference.category.clone().into()))
            })
            .collect()
    })
}

/// Returns the kinds of components.
pub(super) fn kinds() -> Vec<CompletionCandidate> {
    distinct(|inventory| inventory.components.iter().filter_map(|c| c.kind.clone()).collect())
}

/// Returns the owners of components.
pub(super) fn owners() -> Vec<CompletionCandidate> {
    distinct(|inventory| inventory.components.iter().flat_map(|c| c.people.clone()).collect())
}

/// Returns the categories of components.
pub(super) fn categories() -> Vec<CompletionCandidate> {
    distinct(|inventory| inventory.components.iter().map(|c| c.reference.category.clone()).collect())
}

/// Returns the infrastructures of components.
pub(super) fn infrastructures() -> Vec<CompletionCandidate> {
    distinct(|inventory| inventory.components.iter().filter_map(|c| c.infrastructure.clone()).collect())
}

/// Returns the settings with their descriptions.
pub(super) fn settings() -> Vec<CompletionCandidate> {
    KEYS.iter().map(|key| CompletionCandidate::new(key.name).help(Some(key.help.into()))).collect()
}

fn distinct(values: impl FnOnce(&Inventory) -> Vec<String>) -> Vec<CompletionCandidate> {
    candidates(|inventory| {
        // A shell inserts candidates into the command line unchanged: leave out any with a character that
        // the shell would interpret or hide.
        let mut values: Vec<String> = values(inventory).into_iter().filter(|value| is_name(value)).collect();
        values.sort();
        values.dedup();
        values.into_iter().map(CompletionCandidate::new).collect()
    })
}

fn candidates(from: impl FnOnce(&Inventory) -> Vec<CompletionCandidate>) -> Vec<CompletionCandidate> {
    inventory().map(from).unwrap_or_default()
}

/// Loads the inventory, and leaks it: the program ends after one answer.
fn inventory() -> Option<&'static Inventory> {
    let host = Host::real();
    let typed = typed_inventory(&host);
    let flags = typed.map(|path| ("inventory", path.into_os_string(), "--inventory".to_owned()));
    let config = Config::load(&host.env, &host.cwd, flags).ok()?;
    let settings = Settings::resolve(&config, &host.env).ok()?;
    crate::ops::shared::inventory::load(settings.inventory.as_deref())
        .ok()
        .map(|one| &*Box::leak(Box::new(one)))
}

/// Returns the value of `--inventory` among the words typed so far.
fn typed_inventory(host: &Host) -> Option<PathBuf> {
    let typed = host.args.iter().skip_while(|word| *word != "--").skip(1).cloned().collect();
    let words = bash::join(typed, 0).words;
    let mut words = words.iter().filter_map(|word| word.to_str());
    while let Some(word) = words.next() {
        let value = if word == "--inventory" { words.next() } else { word.strip_prefix("--inventory=") };
        if let Some(value) = value {
            return Some(unquoted(value, host.env.home()));
        }
    }
    None
}

/// Returns a typed path without quotes and with `~` expanded: shells hand over both unchanged.
fn unquoted(typed: &str, home: Option<PathBuf>) -> PathBuf {
    if let (Some(below), Some(home)) = (typed.strip_prefix("~/"), home) {
        return home.join(unquoted(below, None));
    }
    match shell_words::split(typed).as_deref() {
        Ok([word]) => PathBuf::from(word),
        _ => PathBuf::from(typed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Env;
    use std::ffi::OsString;

    #[test]
    fn typed_inventory_reads_partial_command_line() {
        let typed = |line: &str| {
            let args = ["cki", "--"].into_iter().chain(line.split(' ')).map(OsString::from).collect();
            let env = Env::new([("HOME", "/home/me")]);
            typed_inventory(&Host { args, env, ..Host::real() })
        };
        for (line, path) in [
            ("cki --inventory /x show p", "/x"),
            ("cki --inventory=x show p", "x"),
            ("cki --inventory = /x show p", "/x"),
            ("cki --inventory ~/x show p", "/home/me/x"),
            ("cki --inventory '/x' show p", "/x"),
            (r"cki --inventory ~/a\' show p", "/home/me/a'"),
        ] {
            assert_eq!(typed(line), Some(PathBuf::from(path)), "{line}");
        }
        assert_eq!(typed("cki show p"), None);
        assert_eq!(typed("cki --inventory"), None);
    }
}
