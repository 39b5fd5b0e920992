//! Flags of the user in the commands of messages: `cki --inventory x logs a` prints hints that name `--inventory x`,
//! too, so that they mean the same when they are typed. What a hint says is decided by its caller.

use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::marks::{DecidedBy, Repeated};
use crate::base::text::{command_line, safe_line};

/// Test of a variable's name and value.
type SecretTest = Box<dyn Fn(&str, &str) -> bool + Send + Sync>;

/// The command line of the user.
pub(super) struct RepeatedFlags {
    tree: fn() -> Command,
    args: Vec<OsString>,
    /// Returns whether the value of a variable is not to be shown.
    is_secret: SecretTest,
}

impl RepeatedFlags {
    pub(super) fn new(
        tree: fn() -> Command,
        args: &[OsString],
        is_secret: impl Fn(&str, &str) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self { tree, args: args.to_vec(), is_secret: Box::new(is_secret) }
    }

    /// Returns a command of a message, with the flags of the user that it lacks.
    pub(super) fn complete(&self, command: &str) -> Option<String> {
        // Without an option, there is none to repeat.
        if !self.args.iter().skip(1).any(|word| word.as_encoded_bytes().starts_with(b"-")) {
            return None;
        }
        let words = shell_words::split(command).ok()?;
        // Help is the same whatever the flags are.
        if words.iter().any(|word| word == "--help") {
            return None;
        }
        let mut tree = (self.tree)();
        tree.build();
        let (at, verb) = words
            .iter()
            .enumerate()
            .skip(1)
            .find_map(|(at, word)| tree.find_subcommand(word).map(|verb| (at, verb.clone())))?;
        let typed = tree.try_get_matches_from_mut(&self.args).ok()?;
        let (typed_name, typed) = typed.subcommand()?;
        let typed_verb = &tree.find_subcommand(typed_name)?.clone();
        let is_same = typed_name == verb.get_name();
        let is_about_the_same = is_about_the_same(typed_verb, typed, &words[at + 1..]);
        let decides = verb.get::<DecidedBy>().map_or(&[][..], |globals| globals.0);
        let mut added: Vec<String> = Vec::new();
        for arg in verb.get_arguments() {
            let Some(long) = arg.get_long() else { continue };
            let repeats = match arg.get::<Repeated>() {
                // The `--env` of another command may be about something else.
                Some(_) => is_about_the_same && is_repeated(typed_verb, long),
                None => decides.contains(&long),
            };
            if repeats && !is_given(arg, &words) {
                let flags = self.flags(typed_verb, typed, long);
                if !flags.is_empty() && accepts(&mut tree, &words, &flags) {
                    added.extend(flags);
                }
            }
        }
        let mut rest: Vec<String> = words[at + 1..].to_vec();
        if is_same && is_about_the_same && !rest.iter().any(|word| word == "--") {
            rest.extend(last(typed_verb, typed));
        }
        let takes_command = verb.get_positionals().any(Arg::is_trailing_var_arg_set);
        // Before the arguments of another command; otherwise where people write options.
        let end = match takes_command {
            true => 0,
            false => rest.iter().position(|word| word == "--").unwrap_or(rest.len()),
        };
        if added.is_empty() && rest.len() == words.len() - at - 1 {
            return None;
        }
        let all = [&words[..=at], &rest[..end], &added, &rest[end..]].concat();
        Some(line(&all))
    }

    /// Returns an option as it was typed, once for each value; nothing if it was not.
    fn flags(&self, verb: &Command, typed: &ArgMatches, long: &str) -> Vec<String> {
        let Some(arg) = verb.get_arguments().find(|arg| arg.get_long() == Some(long)) else {
            return Vec::new();
        };
        let id = arg.get_id().as_str();
        if typed.value_source(id) != Some(ValueSource::CommandLine) {
            return Vec::new();
        }
        let name = format!("--{long}");
        if matches!(arg.get_action(), ArgAction::SetTrue) {
            return vec![name];
        }
        let values =
            typed.get_raw(id).into_iter().flatten().map(|value| value.to_string_lossy().into_owned());
        values
            .flat_map(|value| match long {
                "env" => vec!["-e".to_owned(), self.shown(value)],
                _ if arg.is_require_equals_set() => vec![format!("{name}={value}")],
                _ => vec![name.clone(), value],
            })
            .collect()
    }

    /// Returns `NAME=VALUE`, without a value that is secret.
    fn shown(&self, pair: String) -> String {
        match pair.split_once('=') {
            Some((name, value)) if (self.is_secret)(name, value) => format!("{name}=…"),
            _ => pair,
        }
    }
}

/// Returns whether a command has an option that its hints repeat.
fn is_repeated(verb: &Command, long: &str) -> bool {
    let arg = verb.get_arguments().find(|arg| arg.get_long() == Some(long));
    arg.is_some_and(|arg| arg.get::<Repeated>().is_some())
}

/// Returns whether a command names the same things as the one that was typed: neither may name another one.
fn is_about_the_same(verb: &Command, typed: &ArgMatches, words: &[String]) -> bool {
    let typed = named(verb, typed);
    // A message may name a command without meaning a call of it.
    if words.is_empty() {
        return false;
    }
    let first = words.first().filter(|word| !word.starts_with('-'));
    // A part of a name may be typed for all of it.
    let is_named = |word: &String| typed.iter().any(|one| word.contains(one) || one.contains(word));
    typed.is_empty() || first.is_none_or(is_named)
}

/// Returns whether a command has an option already, or a word that stands for one.
fn is_given(arg: &Arg, words: &[String]) -> bool {
    words.iter().take_while(|word| *word != "--").any(|word| {
        let name = word.split('=').next().unwrap_or_default();
        arg.get_long().is_some_and(|long| name.strip_prefix("--") == Some(long))
            || arg
                .get_short()
                .is_some_and(|short| word.strip_prefix('-').is_some_and(|rest| rest.starts_with(short)))
    })
}

/// Returns whether a command can be typed with more options; one that cannot be typed without them is a form.
fn accepts(tree: &mut Command, words: &[String], flags: &[String]) -> bool {
    let mut is_understood = |words: &[String]| tree.try_get_matches_from_mut(words).is_ok();
    let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
    !is_understood(words) || is_understood(&[&words[..end], flags, &words[end..]].concat())
}

/// Returns the arguments after `--`, with it.
fn last(verb: &Command, typed: &ArgMatches) -> Vec<String> {
    let Some(arg) = verb.get_positionals().find(|arg| arg.is_last_set()) else { return Vec::new() };
    let values = typed.get_raw(arg.get_id().as_str()).into_iter().flatten();
    let values: Vec<String> = values.map(|value| value.to_string_lossy().into_owned()).collect();
    if values.is_empty() { values } else { [vec!["--".to_owned()], values].concat() }
}

/// Returns the command line of the user with another word instead of a name. `None` if the name was not typed as one.
pub(super) fn with_name(tree: fn() -> Command, args: &[OsString], name: &str, other: &str) -> Option<String> {
    let mut tree = tree();
    tree.build();
    let words: Vec<String> = args.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let replaced = |at: usize| {
        let mut words = words.clone();
        other.clone_into(&mut words[at]);
        words
    };
    // The name may also be the value of an option, or an argument of another command.
    let is_named = |words: &[String]| {
        let Ok(matches) = tree.clone().try_get_matches_from(words) else { return false };
        let Some((verb, typed)) = matches.subcommand() else { return false };
        let verb = tree.find_subcommand(verb);
        verb.is_some_and(|verb| named(verb, typed).iter().any(|value| value == other))
    };
    let at = (1..words.len()).find(|at| words[*at] == name && is_named(&replaced(*at)))?;
    let mut words = replaced(at);
    "cki".clone_into(&mut words[0]);
    Some(line(&words))
}

/// Returns the values that name what a command is about.
fn named(verb: &Command, typed: &ArgMatches) -> Vec<String> {
    let positionals =
        verb.get_positionals().filter(|arg| !arg.is_last_set() && !arg.is_trailing_var_arg_set());
    positionals
        .filter_map(|arg| typed.get_raw(arg.get_id().as_str()))
        .flatten()
        .map(|value| value.to_string_lossy().into_owned())
        .collect()
}

/// Returns a command as a message shows it, in backticks.
fn line(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| word.replace('`', "'")).collect();
    safe_line(&command_line(&words)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command_tree;

    fn args(line: &str) -> Vec<OsString> {
        shell_words::split(line).expect("is a line").into_iter().map(OsString::from).collect()
    }

    fn completed(typed: &str, hint: &str) -> String {
        let flags = RepeatedFlags::new(command_tree, &args(typed), |name, _| name.contains("TOKEN"));
        flags.complete(hint).unwrap_or_else(|| hint.to_owned())
    }

    #[test]
    fn commands_of_hints_repeat_the_flags_of_the_user() {
        for (typed, hint, expected) in [
            ("cki logs a", "cki run-local a --detach", "cki run-local a --detach"),
            (
                "cki --inventory i.yaml logs a",
                "cki run-local a --detach",
                "cki run-local a --detach --inventory i.yaml",
            ),
            ("cki logs a --engine native", "cki ps --all", "cki ps --all --engine native"),
            ("cki logs a --engine=native", "cki doctor", "cki doctor"),
            ("cki run x --engine native", "cki doctor --engine auto", "cki doctor --engine auto"),
            (
                "cki open a --inventory 'my i.yaml'",
                "cki exec a COMMAND",
                "cki exec --inventory 'my i.yaml' a COMMAND",
            ),
            (
                "cki run-local a -e A=b -e TOKEN=x",
                "cki run-local a --keep on-failure",
                "cki run-local a --keep on-failure -e A=b -e 'TOKEN=…'",
            ),
            ("cki run-local a -e A=b -q", "cki env a --scan", "cki env a --scan -e A=b"),
            ("cki run-local a -e A=b", "cki run-local redis", "cki run-local redis"),
            (
                "cki run-local a --mr 3 --once -- -x y",
                "cki run-local a --keep on-failure",
                "cki run-local a --keep on-failure --mr 3 -- -x y",
            ),
            (
                "cki run-local a --image i -p 1:2",
                "cki run-local a --detach",
                "cki run-local a --detach --image i --publish 1:2",
            ),
            ("cki build a --mr 3", "cki run-local a", "cki run-local a --mr 3"),
            ("cki build a --mr 3", "cki run-local a --image IMAGE", "cki run-local a --image IMAGE"),
            (
                "cki stage --mr 3 --component c --set a=b --yes",
                "cki stage --mr 3 --rerun g/1",
                "cki stage --mr 3 --rerun g/1 --component c --set a=b",
            ),
            ("cki exec a --workdir /x -- env", "cki logs a", "cki logs a"),
            ("cki exec -e A=b a env", "cki run-local a --detach", "cki run-local a --detach"),
            ("cki nonsense --x", "cki list", "cki list"),
        ] {
            assert_eq!(completed(typed, hint), expected, "{typed}");
        }
    }

    #[test]
    fn with_name_keeps_the_rest_of_the_command_line() {
        for (typed, expected) in [
            ("cki logs -f web", "cki logs -f RUN"),
            ("/bin/cki exec web echo web", "cki exec RUN echo web"),
            ("cki --inventory web exec -it web sh -c 'a b'", "cki --inventory web exec -it RUN sh -c 'a b'"),
            ("cki logs --tail 3 web --timestamps", "cki logs --tail 3 RUN --timestamps"),
            ("cki down web", "cki down RUN"),
        ] {
            assert_eq!(with_name(command_tree, &args(typed), "web", "RUN").as_deref(), Some(expected));
        }
        assert_eq!(with_name(command_tree, &args("cki logs"), "web", "RUN"), None);
    }
}
