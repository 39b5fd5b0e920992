//! `cki completions`: the script for each shell, and its installation. Candidates are in `cli::complete`.

use anyhow::Context as _;
use clap::{Args, ValueEnum};

use crate::base::exit::Exit;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::report;
use crate::systems::shell::{self, ShellError, name_of_user};

/// Print the completion script for a shell, or install it
///
/// `--install` writes the script to your own files, and prints the line that loads it where a shell needs
/// one. To load it when the shell starts, without a file:
///   echo 'source <(cki completions bash)' >> ~/.bashrc
///   echo 'source <(cki completions zsh)' >> ~/.zshrc
///   echo 'cki completions fish | source' >> ~/.config/fish/config.fish
///   echo 'eval (cki completions elvish | slurp)' >> ~/.config/elvish/rc.elv
///   cki completions powershell | Out-String | Invoke-Expression
///
/// Examples:
///   cki completions --install
///   cki completions zsh --install
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct CompletionsArgs {
    /// Shell (default: from `SHELL`)
    shell: Option<ShellArg>,
    /// Write the script to the directory from which the shell loads it
    #[arg(long)]
    install: bool,
}

/// Tail of the script for zsh: zsh first runs an autoloaded file of `fpath` at the first
/// completion, which the script then has to answer.
const AS_A_FILE: &str = r#"
if [[ "${funcstack[1]}" == _cki ]]; then
    _clap_dynamic_completer_cki "$@"
fi
"#;

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
}

pub(in crate::cli) fn run(args: &CompletionsArgs, context: &Context) -> anyhow::Result<Exit> {
    let env = &context.host.env;
    let named = name_of_user(env);
    let unknown = || ShellError::Unknown { named: env.get("SHELL").map(str::to_owned) };
    let shell = match args.shell {
        Some(shell) => shell,
        None => named.and_then(|name| ShellArg::from_str(&name, false).ok()).ok_or_else(unknown)?,
    };
    let script = script(shell)?;
    if !args.install {
        context.ui.data(script.trim_end());
        return Ok(Exit::Done);
    }
    let assets = context.patient().trusted_assets();
    let target = shell::Shell::named(shell.name(), env, &assets)?.ok_or_else(unknown)?;
    target.install(&script)?;
    report::completions::print(&context.ui, &target, &target.standing()?);
    Ok(Exit::Done)
}

fn script(shell: ShellArg) -> anyhow::Result<String> {
    let completer = complete::SHELLS.completer(shell.name()).context("clap knows this shell")?;
    let mut script = Vec::new();
    completer.write_registration(complete::VARIABLE, "cki", "cki", "cki", &mut script)?;
    let mut script = String::from_utf8(script)?;
    if shell == ShellArg::Zsh {
        script.push_str(AS_A_FILE);
    }
    Ok(script)
}
