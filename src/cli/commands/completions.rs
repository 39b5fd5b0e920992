//! `cki completions`.

use anyhow::Context as _;
use clap::{Args, ValueEnum};

use crate::base::exit::Exit;
use crate::cli::complete;
use crate::cli::context::Context;

/// Print the script that completes `cki` in a shell
///
/// Load it when the shell starts, so that it always fits the program:
///   echo 'source <(cki completions bash)' >> ~/.bashrc
///   echo 'source <(cki completions zsh)' >> ~/.zshrc
///   echo 'cki completions fish | source' >> ~/.config/fish/config.fish
///   echo 'eval (cki completions elvish | slurp)' >> ~/.config/elvish/rc.elv
///   cki completions powershell | Out-String | Invoke-Expression
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// For zsh: from a file of its own in `fpath`, the script is first run when the first completion is
/// wanted, and must answer it.
const AS_A_FILE: &str = r#"
if [[ "${funcstack[1]}" == _cki ]]; then
    _clap_dynamic_completer_cki "$@"
fi
"#;

/// A shell that can be completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Shell {
    Bash,
    Zsh,
    Fish,
    Elvish,
    Powershell,
}

impl Shell {
    /// Its name.
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
    context.ui.data(script(args.shell)?.trim_end());
    Ok(Exit::Done)
}

fn script(shell: Shell) -> anyhow::Result<String> {
    let completer = complete::SHELLS.completer(shell.name()).context("clap knows this shell")?;
    let mut script = Vec::new();
    completer.write_registration(complete::VARIABLE, "cki", "cki", "cki", &mut script)?;
    let mut script = String::from_utf8(script)?;
    if shell == Shell::Zsh {
        script.push_str(AS_A_FILE);
    }
    Ok(script)
}
