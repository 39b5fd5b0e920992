//! `cki completions`: the script for each shell, and its installation. Candidates are in `cli::complete`.

use clap::{Args, ValueEnum as _};

use crate::base::exit::Exit;
use crate::cli::complete::ShellArg;
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

pub(in crate::cli) fn run(args: &CompletionsArgs, context: &Context) -> anyhow::Result<Exit> {
    let env = &context.host.env;
    let named = name_of_user(env);
    let unknown = || ShellError::Unknown { named: env.get("SHELL").map(str::to_owned) };
    let shell = match args.shell {
        Some(shell) => shell,
        None => named.and_then(|name| ShellArg::from_str(&name, false).ok()).ok_or_else(unknown)?,
    };
    let script = shell.script()?;
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
