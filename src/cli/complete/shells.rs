//! The shells: the script of each, the form in which it hands over words, and the form of the answer. The scripts
//! of bash and zsh are files of `completions/`; clap writes the others.

use std::io;

use clap::ValueEnum;
use clap_complete::env::{Elvish, EnvCompleter, Fish, Powershell};

use super::candidate::OfferedValue;
use super::words::{Place, Words, quoted};
use crate::host::Host;

/// Environment variable by which a shell asks for completion.
pub(super) const VARIABLE: &str = "COMPLETE";
/// Maximum characters of a description in a list of bash.
const WIDEST_HELP: usize = 70;

/// Shell with a completion script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ShellArg {
    Bash,
    Zsh,
    Fish,
    Elvish,
    Powershell,
}

impl ShellArg {
    /// Returns the name of the shell.
    pub(in crate::cli) fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
            Self::Elvish => "elvish",
            Self::Powershell => "powershell",
        }
    }

    /// Returns the shell of a program's name.
    pub(super) fn of_program(name: &str) -> Option<Self> {
        match name {
            "pwsh" | "powershell_ise" => Some(Self::Powershell),
            name => Self::from_str(name, false).ok(),
        }
    }

    /// Returns the completion script.
    pub(in crate::cli) fn script(self) -> io::Result<String> {
        let written = |shell: &dyn EnvCompleter| {
            let mut script = Vec::new();
            shell.write_registration(VARIABLE, "cki", "cki", "cki", &mut script)?;
            String::from_utf8(script).map_err(io::Error::other)
        };
        match self {
            Self::Bash => Ok(include_str!("../../../completions/cki.bash").to_owned()),
            Self::Zsh => Ok(include_str!("../../../completions/_cki").to_owned()),
            Self::Fish => written(&Fish),
            Self::Elvish => written(&Elvish),
            Self::Powershell => written(&Powershell),
        }
    }

    /// Reads the words that the shell hands over.
    pub(super) fn words(self, host: &Host) -> Words {
        let pieces = host.args.iter().skip_while(|word| *word != "--").skip(1).cloned();
        let index = || host.env.get("_CLAP_COMPLETE_INDEX")?.parse().ok();
        match self {
            Self::Bash => {
                let line = host.env.get("_CKI_LINE").unwrap_or_default();
                Words::of_line(line, host.env.get("_CKI_WORD").unwrap_or_default())
            }
            Self::Zsh | Self::Elvish => Words::of_pieces(pieces, index()),
            Self::Fish | Self::Powershell => Words::of_pieces(pieces, None),
        }
    }

    /// Returns the answer as the shell reads it: a candidate per line.
    pub(super) fn text(self, answers: &[OfferedValue], words: &Words, host: &Host) -> String {
        let lines: Vec<String> = match self {
            Self::Bash => bash(answers, &words.place, host),
            Self::Zsh => answers.iter().map(zsh).collect(),
            Self::Elvish => answers.iter().map(|answer| answer.value.clone()).collect(),
            Self::Fish => answers.iter().map(|answer| with_help(&answer.value, answer, "\t")).collect(),
            Self::Powershell => {
                answers.iter().map(|answer| with_help(&powershell(&answer.value), answer, "\t")).collect()
            }
        };
        lines.join("\n")
    }
}

fn with_help(value: &str, answer: &OfferedValue, between: &str) -> String {
    match &answer.help {
        Some(help) => format!("{value}{between}{help}"),
        None => value.to_owned(),
    }
}

/// Returns the lines for bash, which inserts a candidate as it is in place of a part of the word. Bash knows no
/// descriptions: in a list of several candidates that say nothing without one, it stands behind the value.
fn bash(answers: &[OfferedValue], place: &Place, host: &Host) -> Vec<String> {
    // `COMP_TYPE`: `?`, `!` and `@` ask for a list.
    let is_list = matches!(host.env.get("_CKI_TYPE"), Some("63" | "33" | "64")) && answers.len() > 1;
    let line = |answer: &OfferedValue| {
        let value = quoted(answer.value.strip_prefix(place.before.as_str())?, place.quote);
        let help = answer.help.as_deref().filter(|_| is_list && answer.needs_help);
        Some(match help {
            Some(help) => format!("{value}  ({})", help.chars().take(WIDEST_HELP).collect::<String>()),
            None => value,
        })
    };
    answers.iter().filter_map(line).collect()
}

fn zsh(answer: &OfferedValue) -> String {
    let value = answer.value.replace('\\', "\\\\").replace(':', "\\:");
    match &answer.help {
        Some(help) => format!("{value}:{}", help.replace('\\', "\\\\")),
        None => value,
    }
}

fn powershell(value: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:=+".contains(c);
    if value.chars().all(is_plain) { value.to_owned() } else { format!("'{}'", value.replace('\'', "''")) }
}
