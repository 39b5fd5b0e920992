//! The command line as far as it is typed: the command, the values of its arguments, the settings, and the inventory
//! that they select. Unknown words and missing values are no error.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::OnceLock;

use clap::builder::ValueParser;
use clap::{ArgMatches, Command};

use super::words::Words;
use crate::base::assets::Assets;
use crate::config::{Config, Settings};
use crate::host::Host;
use crate::model::inventory::{Component, ComponentName, Inventory};
use crate::model::reference::is_name;
use crate::ops;

/// Stands for the word that is being typed.
const CURRENT: &str = "\u{1}";

/// The line for which a shell asks this process: clap hands nothing to the functions with candidates.
static CURRENT_LINE: OnceLock<TypedLine> = OnceLock::new();

/// The command line so far.
pub(super) struct TypedLine {
    /// The whole tree of commands.
    pub(super) tree: fn() -> Command,
    pub(super) host: Host,
    /// Names of the command and its subcommands.
    pub(super) commands: Vec<String>,
    /// The word that is being typed.
    pub(super) current: String,
    matches: ArgMatches,
}

/// Names of entries.
pub(super) struct EntryNames {
    /// Components.
    pub(super) components: Vec<ComponentName>,
    /// Backing services.
    pub(super) services: Vec<String>,
}

impl TypedLine {
    /// Returns the line for which a shell asks.
    pub(super) fn current() -> Option<&'static Self> {
        CURRENT_LINE.get()
    }

    /// Reads a line, for which this process then answers.
    pub(super) fn set_current(tree: fn() -> Command, host: &Host, words: Words) {
        if let Some(line) = Self::of(tree, host.clone(), words) {
            // A process answers once.
            let _ = CURRENT_LINE.set(line);
        }
    }

    fn of(tree: fn() -> Command, host: Host, mut words: Words) -> Option<Self> {
        let current = words.current().to_owned();
        match words.current().starts_with('-') {
            true => drop(words.words.remove(words.index)),
            false => words.words[words.index] = CURRENT.into(),
        }
        let mut matches = lenient(tree()).try_get_matches_from(words.words).ok()?;
        let mut commands = Vec::new();
        while let Some((name, below)) = matches.remove_subcommand() {
            commands.push(name);
            matches = below;
        }
        Some(Self { tree, host, commands, current, matches })
    }

    /// Returns the typed values of an argument, without the one that is being typed.
    pub(super) fn values(&self, argument: &str) -> impl Iterator<Item = &OsStr> {
        let raw = self.matches.try_get_raw(argument).ok().flatten();
        raw.into_iter().flatten().filter(|value| *value != CURRENT)
    }

    /// Returns the typed values of an argument as text.
    pub(super) fn texts(&self, argument: &str) -> impl Iterator<Item = &str> {
        self.values(argument).filter_map(OsStr::to_str)
    }

    /// Returns whether a name may complete the word that is being typed. Of a word that may be more than a name, every
    /// name might.
    pub(super) fn may_become(&self, name: &str) -> bool {
        !self.current.split('/').all(is_name) || name.starts_with(&self.current)
    }

    /// Returns whether the word that is being typed is a part of a reference, `category/name`.
    pub(super) fn is_reference(&self) -> bool {
        self.current.contains('/')
    }

    /// Returns the names of the typed components.
    pub(super) fn names(&self) -> HashSet<&str> {
        self.texts("component").chain(self.texts("components")).collect()
    }

    /// Returns the typed components.
    pub(super) fn components<'a>(&self, inventory: &'a Inventory) -> Vec<&'a Component> {
        let names = ["component", "components", "subject"].into_iter().flat_map(|one| self.texts(one));
        names.filter_map(|name| inventory.find(name).ok()).collect()
    }

    /// Returns the settings, with those that the typed flags give.
    pub(super) fn settings(&self) -> Option<Settings> {
        let flag = |name: &'static str, value: &OsStr| (name, self.without_tilde(value), format!("--{name}"));
        let given = |name: &'static str| Some(flag(name, self.values(name).last()?));
        let sources = self.values("inventory").map(|source| flag("inventory", source));
        let flags = sources.chain(["workspace", "engine"].into_iter().filter_map(given));
        let config = Config::load(&self.host.env, &self.host.cwd, flags).ok()?;
        Settings::resolve(&config, &self.host.env).ok()
    }

    /// Returns the inventory. It is leaked: the program ends after one answer.
    pub(super) fn inventory(&self) -> Option<&'static Inventory> {
        let settings = self.settings()?;
        let mut inventory = ops::shared::inventory::load(&settings.inventory).ok()?;
        inventory.backing_services = services(&settings);
        Some(Box::leak(Box::new(inventory)))
    }

    /// Returns the components whose names may complete the word that is being typed, and those with the name of a backing
    /// service, with the names of all backing services.
    pub(super) fn entry_names(&self) -> Option<EntryNames> {
        let settings = self.settings()?;
        let services = services(&settings);
        let is_wanted = |one: &ComponentName| {
            let of_category = |(category, name)| one.category == category && one.name.starts_with(name);
            self.may_become(one.name) || self.current.split_once('/').is_some_and(of_category)
        };
        let names = ops::shared::inventory::component_names(&settings.inventory, &services, is_wanted);
        Some(EntryNames { components: names.ok()?, services })
    }

    /// Expands `~`: a shell hands over a word before it does so.
    fn without_tilde(&self, value: &OsStr) -> OsString {
        let below = value.to_str().and_then(|value| value.strip_prefix("~/"));
        match (below, self.host.env.home()) {
            (Some(below), Some(home)) => home.join(PathBuf::from(below)).into_os_string(),
            _ => value.to_owned(),
        }
    }
}

fn services(settings: &Settings) -> Vec<String> {
    let assets = Assets::new(settings.templates.iter().cloned().collect());
    ops::shared::services::names(&assets).unwrap_or_default()
}

/// Makes a tree accept any value: one that is wrong or missing must not hide the others.
fn lenient(command: Command) -> Command {
    let any = |arg: clap::Arg| match arg.get_action().takes_values() {
        true => arg.value_parser(ValueParser::os_string()),
        false => arg,
    };
    command.ignore_errors(true).mut_args(any).mut_subcommands(lenient)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Env;
    use crate::model::inventory::InventorySource;

    fn typed(line: &str) -> TypedLine {
        let host = Host { env: Env::new([("HOME", "/home/me")]), ..Host::real() };
        let piece = line.rsplit(' ').next().unwrap_or_default();
        TypedLine::of(crate::cli::command_tree, host, Words::of_line(line, piece)).expect("is read")
    }

    #[test]
    fn typed_line_has_the_values_of_an_unfinished_command() {
        for (line, argument, values) in [
            ("cki env pip -e A=1 -e ", "component", &["pip"][..]),
            ("cki env pip -e A=1 -e ", "set", &["A=1"]),
            ("cki run-local a b --mr nonsense -e X=1 --unset ", "components", &["a", "b"]),
            ("cki run-local a --detach --watch b c", "components", &["a", "b"]),
            ("cki stage --component x --set ", "component", &["x"]),
            ("cki down a ", "components", &["a"]),
            ("cki exec redis ls -", "command", &["ls"]),
            ("cki --inventory /x show ", "inventory", &["/x"]),
            ("cki show --inventory=/x ", "inventory", &["/x"]),
            ("cki down a -", "components", &["a"]),
        ] {
            assert_eq!(typed(line).texts(argument).collect::<Vec<_>>(), values, "{line}");
        }
        assert_eq!(typed("cki run pip -e ").commands, ["run-local"]);
        assert!(typed("cki ").commands.is_empty());
    }

    #[test]
    fn typed_inventory_is_a_path() {
        for (line, path) in [
            ("cki --inventory /x show p", "/x"),
            ("cki --inventory ~/x show p", "/home/me/x"),
            ("cki show --inventory='/x' p", "/x"),
            (r"cki --inventory ~/a\' show p", "/home/me/a'"),
        ] {
            let found = typed(line).settings().map(|one| one.inventory.list);
            assert_eq!(found, Some(vec![InventorySource::Path(path.into())]), "{line}");
        }
    }
}
