//! Errors of the command line, from clap's kinds and facts, in the words of `cki`. Invalid combinations that clap
//! does not know are [`super::UsageError`].

use std::ffi::OsString;
use std::num::{IntErrorKind, ParseIntError};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};

use super::diagnosis::did_you_mean;
use super::typed::TypedSecrets;
use crate::base::exit::Exit;
use crate::base::text::{self, safe_line};
use crate::cli::topics::topics;
use crate::ui::Ui;

/// Commands of other tools, and the command here that does the same.
const OTHER_TOOLS: [(&str, &str); 22] = [
    ("attach", "logs"),
    ("cat", "show"),
    ("clean", "gc"),
    ("create", "run-local"),
    ("delete", "down"),
    ("deploy", "stage"),
    ("describe", "show"),
    ("get", "list"),
    ("info", "show"),
    ("inspect", "show"),
    ("kill", "down"),
    ("log", "logs"),
    ("prune", "gc"),
    ("restart", "run-local"),
    ("rm", "down"),
    ("search", "list"),
    ("start", "run-local"),
    ("stop", "down"),
    ("tail", "logs"),
    ("test", "stage"),
    ("top", "ps"),
    ("up", "run-local"),
];

/// Commands of other tools, and the command lines here that do the same.
const OTHER_LINES: [(&str, &str); 4] = [
    ("images", "`cki ps -o wide` shows the images of what runs, `cki build COMPONENT` builds one"),
    ("port", "`cki ps` shows the published ports, `cki open COMPONENT --no-browser` the address"),
    (
        "pull",
        "`cki clone COMPONENT` updates the sources, `cki run-local COMPONENT` pulls the images that it needs",
    ),
    ("version", "`cki --version` prints it"),
];

/// Options of other tools: the command here, the option there, and what does the same here.
const OTHER_OPTIONS: [(&str, &str, &str); 6] = [
    (
        "run-local",
        "--port",
        "`-p [HOST_PORT:]CONTAINER_PORT` publishes a port; the ports of the entry are published anyway",
    ),
    (
        "run-local",
        "--build",
        "images are built from the sources in each run; `cki build COMPONENT` only builds one",
    ),
    ("run-local", "--force-recreate", "`--force` replaces a run that is in the background"),
    ("run-local", "--rm", "a run removes everything at its end, unless `--keep` or `--detach` is given"),
    ("run-local", "--volume", "`--mount` mounts the sources, and `run.mount` of the entry says which"),
    (
        "exec",
        "--detach",
        "`cki exec` waits for its command; a shell starts one in the background: `sh -c 'COMMAND &'`",
    ),
];

/// Prints an error of the command line, and returns its exit code.
pub(in crate::cli) fn report(ui: &Ui, error: &clap::Error, args: &[OsString], tree: &Command) -> Exit {
    let complaint = Complaint::new(error, args, tree);
    let secrets = TypedSecrets::of(args);
    let safe = |text: &str| safe_line(&secrets.mask(text)).into_owned();
    let hints: Vec<String> = complaint.hints.iter().map(|hint| safe(hint)).collect();
    ui.error(&format!("{}.", safe(complaint.message.trim_end_matches('.'))), &[], &hints);
    Exit::Usage
}

/// Message and hints.
struct Complaint {
    message: String,
    hints: Vec<String>,
}

impl Complaint {
    fn new(error: &clap::Error, args: &[OsString], tree: &Command) -> Self {
        let (name, command) = command_of(args, tree);
        let facts = ClapContext(error);
        let help = format!("`{name} --help` shows its usage.");
        let one = |message: String, hint: String| Self { message, hints: vec![hint] };
        let (argument, value) =
            (facts.first(ContextKind::InvalidArg), facts.first(ContextKind::InvalidValue));
        match error.kind() {
            ErrorKind::UnknownArgument => unknown_argument(&name, command, &argument, help),
            ErrorKind::InvalidSubcommand => {
                let wrong = facts.first(ContextKind::InvalidSubcommand);
                if args.get(1).is_some_and(|word| word == "help") && command.get_name() == tree.get_name() {
                    let list = "`cki --help` lists the commands and the topics.";
                    let topics = topics().map(|(topic, _)| topic);
                    let hint = nearest_word(command, &wrong, topics, list);
                    return one(format!("there is no command or topic `{wrong}`"), hint);
                }
                let list = format!("`{name} --help` lists the commands.");
                one(format!("`{name}` has no command `{wrong}`"), nearest_word(command, &wrong, [], &list))
            }
            ErrorKind::MissingRequiredArgument => {
                let missing = facts.all(ContextKind::InvalidArg);
                let usage = facts.first(ContextKind::Usage);
                let usage = usage.trim_start_matches("Usage:").trim();
                let hint = if usage.is_empty() { help } else { format!("usage: `{usage}`.") };
                one(format!("`{name}` needs {}", quoted(&missing, "and")), hint)
            }
            ErrorKind::InvalidValue => {
                let valid = facts.all(ContextKind::ValidValue);
                let near: Vec<String> = text::nearest(&value, valid.iter().map(String::as_str))
                    .into_iter()
                    .map(str::to_owned)
                    .collect();
                let hint = if near.is_empty() { help } else { did_you_mean(&near, "") };
                let takes =
                    if valid.is_empty() { String::new() } else { format!(": {}", quoted(&valid, "or")) };
                match value.is_empty() {
                    true => one(format!("`{argument}` needs a value{takes}"), hint),
                    false => one(format!("`{value}` is not a value of `{argument}`{takes}"), hint),
                }
            }
            ErrorKind::ValueValidation => {
                one(format!("`{value}` is not a value of `{argument}`{}", fault(error)), help)
            }
            ErrorKind::ArgumentConflict => {
                let others = facts.all(ContextKind::PriorArg);
                match others.is_empty() || others.contains(&argument) {
                    true => one(format!("`{argument}` can be given only once"), help),
                    false => {
                        one(format!("`{argument}` cannot be combined with {}", quoted(&others, "or")), help)
                    }
                }
            }
            ErrorKind::NoEquals => {
                let flag = argument.split(['=', '[', ' ']).next().unwrap_or_default();
                one(format!("`{flag}` takes its value after `=`, as in `{flag}=VALUE`"), help)
            }
            ErrorKind::TooManyValues => one(format!("`{argument}` takes no value `{value}`"), help),
            ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
                one(format!("`{argument}` needs another number of values"), help)
            }
            ErrorKind::InvalidUtf8 => one("an argument is not valid UTF-8".to_owned(), help),
            ErrorKind::MissingSubcommand => {
                one(format!("`{name}` needs a command"), format!("`{name} --help` lists the commands."))
            }
            _ => {
                let text = error.to_string();
                let first = text.lines().next().unwrap_or_default();
                one(first.trim_start_matches("error: ").to_owned(), help)
            }
        }
    }
}

/// ClapContext of an error of clap.
struct ClapContext<'a>(&'a clap::Error);

impl ClapContext<'_> {
    fn all(&self, kind: ContextKind) -> Vec<String> {
        match self.0.get(kind) {
            Some(ContextValue::String(text)) => vec![text.clone()],
            Some(ContextValue::Strings(texts)) => texts.clone(),
            Some(ContextValue::StyledStr(text)) => vec![text.to_string()],
            _ => Vec::new(),
        }
    }

    fn first(&self, kind: ContextKind) -> String {
        self.all(kind).into_iter().next().unwrap_or_default()
    }
}

fn unknown_argument(name: &str, command: &Command, argument: &str, help: String) -> Complaint {
    if !argument.starts_with('-') {
        return Complaint { message: format!("`{name}` takes no argument `{argument}`"), hints: vec![help] };
    }
    let other =
        OTHER_OPTIONS.iter().find(|(ours, option, _)| *ours == command.get_name() && *option == argument);
    if let Some((.., does)) = other {
        return Complaint {
            message: format!("`{name}` has no option `{argument}`"),
            hints: vec![format!("{does}.")],
        };
    }
    let options: Vec<String> = command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set())
        .filter_map(|arg| arg.get_long().map(|long| format!("--{long}")))
        .collect();
    // The dashes are alike in all options, and would make any two of them similar.
    let bare = argument.trim_start_matches('-');
    let near: Vec<String> = text::nearest(bare, options.iter().map(|long| long.trim_start_matches('-')))
        .into_iter()
        .map(|long| format!("--{long}"))
        .collect();
    let mut hints = vec![if near.is_empty() { help } else { did_you_mean(&near, "") }];
    let takes_words = |arg: &Arg| arg.is_last_set() || arg.is_trailing_var_arg_set();
    if command.get_positionals().any(takes_words) {
        hints.push(format!("to pass `{argument}` on to the program, write it after `--`."));
    }
    Complaint { message: format!("`{name}` has no option `{argument}`"), hints }
}

/// Returns the hint for a word that is no command: the command of this program that does the same, or the nearest
/// commands and other words.
fn nearest_word<'a>(
    command: &'a Command,
    wrong: &str,
    others: impl IntoIterator<Item = &'a str>,
    list: &str,
) -> String {
    let line = OTHER_LINES.iter().find(|(other, _)| *other == wrong && command.get_name() == "cki");
    if let Some((_, line)) = line {
        return format!("{line}.");
    }
    let known =
        OTHER_TOOLS.iter().find(|(other, ours)| *other == wrong && command.find_subcommand(ours).is_some());
    if let Some((_, ours)) = known {
        return did_you_mean(&[(*ours).to_owned()], list);
    }
    let names = command.get_subcommands().filter(|sub| !sub.is_hide_set()).map(Command::get_name);
    let near = text::nearest(wrong, names.chain(others)).into_iter();
    did_you_mean(&near.map(str::to_owned).collect::<Vec<_>>(), list)
}

/// Returns the reason why a value is invalid, after a colon.
fn fault(error: &clap::Error) -> String {
    let Some(source) = std::error::Error::source(error) else { return String::new() };
    if let Some(number) = source.downcast_ref::<ParseIntError>() {
        return match number.kind() {
            IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => ": the number is too large".to_owned(),
            _ => ": a whole number is needed".to_owned(),
        };
    }
    format!(": {}", range(&source.to_string()))
}

/// Converts clap's text about a range, `0 is not in 1..=64`.
fn range(text: &str) -> String {
    let words = || {
        let (from, to) = text.split_once(" is not in ")?.1.split_once("..")?;
        match to.strip_prefix('=') {
            Some(to) => Some(format!("it must be from {from} to {to}")),
            None => Some(format!("it must be at least {from}")),
        }
    };
    words().unwrap_or_else(|| text.to_owned())
}

/// Returns the command that the arguments name, as it is typed, and its definition.
pub(in crate::cli) fn command_of<'a>(args: &[OsString], tree: &'a Command) -> (String, &'a Command) {
    let (mut name, mut command) = (tree.get_name().to_owned(), tree);
    // `cki help x` is about a command of `cki`.
    let mut rest = args.iter().skip(1).map(|word| word.to_string_lossy());
    while let Some(word) = rest.next() {
        if word == "--" {
            break;
        }
        if word.starts_with('-') {
            let option = tree.get_arguments().find(|arg| is_called(arg, &word));
            if option.is_some_and(|arg| arg.get_action().takes_values()) && !word.contains('=') {
                rest.next();
            }
        } else if word == "help" && command.get_name() == tree.get_name() {
            continue;
        } else if let Some(sub) = command.find_subcommand(&*word).filter(|sub| sub.get_name() != "help") {
            name = format!("{name} {}", sub.get_name());
            command = sub;
        } else {
            break;
        }
    }
    (name, command)
}

fn is_called(arg: &Arg, word: &str) -> bool {
    let word = word.split('=').next().unwrap_or_default();
    arg.get_long().is_some_and(|long| word.strip_prefix("--") == Some(long))
        || arg.get_short().is_some_and(|short| word.strip_prefix('-') == Some(short.encode_utf8(&mut [0; 4])))
}

/// Joins quoted words: `a`, `b` or `c`.
fn quoted(words: &[String], joint: &str) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.as_slice() {
        [] => "a value".to_owned(),
        [one] => one.clone(),
        [all @ .., last] => format!("{} {joint} {last}", all.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(line: &str) -> (String, Vec<String>) {
        let mut tree = crate::cli::command_tree();
        tree.build();
        let args: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let error = tree.clone().try_get_matches_from(&args).expect_err("is wrong");
        let Complaint { message, hints } = Complaint::new(&error, &args, &tree);
        (message, hints)
    }

    #[test]
    fn complaints_name_the_command_the_argument_and_the_remedy() {
        for (line, message, hint) in [
            ("cki lst", "`cki` has no command `lst`", "did you mean `list`?"),
            ("cki up", "`cki` has no command `up`", "did you mean `run-local`?"),
            (
                "cki help xyzzy",
                "there is no command or topic `xyzzy`",
                "`cki --help` lists the commands and the topics.",
            ),
            ("cki help inventroy", "there is no command or topic `inventroy`", "did you mean `inventory`?"),
            ("cki list --kid x", "`cki list` has no option `--kid`", "did you mean `--kind`?"),
            ("cki show", "`cki show` needs `<COMPONENT>...`", "usage: `cki show <COMPONENT>...`."),
            ("cki env", "`cki env` needs `<COMPONENT>`", "usage: `cki env <COMPONENT>`."),
            ("cki env a b", "`cki env` takes no argument `b`", "`cki env --help` shows its usage."),
            (
                "cki --engine podmn list",
                "`podmn` is not a value of `--engine <ENGINE>`: `auto`, `docker`, `podman` or `native`",
                "did you mean `podman`?",
            ),
            (
                "cki clone x --jobs 0",
                "`0` is not a value of `--jobs <N>`: it must be from 1 to 64",
                "`cki clone --help` shows its usage.",
            ),
            (
                "cki --color never stage --mr x",
                "`x` is not a value of `--mr <MR>`: a merge request is needed, as `213`, `COMPONENT!213`, `GROUP/PROJECT!213` or the address of its page",
                "`cki stage --help` shows its usage.",
            ),
            (
                "cki run-local a --detach --once",
                "`--detach` cannot be combined with `--once`",
                "`cki run-local --help` shows its usage.",
            ),
        ] {
            assert_eq!(complaint(line), (message.to_owned(), vec![hint.to_owned()]), "{line}");
        }
        assert_eq!(complaint("cki run-local a --foo").1.len(), 2);
        assert!(
            complaint("cki run-local a --port 80").1[0]
                .starts_with("`-p [HOST_PORT:]CONTAINER_PORT` publishes")
        );
    }

    #[test]
    fn every_command_for_a_word_of_another_tool_exists() {
        let tree = crate::cli::command_tree();
        for (other, ours) in OTHER_TOOLS {
            assert!(tree.find_subcommand(ours).is_some(), "{ours}");
            assert!(tree.find_subcommand(other).is_none(), "{other}");
        }
        for (ours, option, _) in OTHER_OPTIONS {
            let command = tree.find_subcommand(ours).expect("is a command");
            assert!(
                command
                    .get_arguments()
                    .all(|arg| Some(arg.get_long().unwrap_or("")) != option.strip_prefix("--"))
            );
        }
    }
}
