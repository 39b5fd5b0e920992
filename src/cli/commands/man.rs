//! `cki man`: manual pages, made from the command tree. Their text is in the arguments of each command.

use std::path::PathBuf;

use clap::Args;
use clap_complete::ArgValueCandidates;

use crate::base::exit::Exit;
use crate::base::files;
use crate::base::text::plural;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::systems::man;

/// Show a manual page, or write the pages of all commands into a directory
///
/// On a terminal, `man` shows the page; otherwise its source is printed.
///
/// Examples:
///   cki man
///   cki man run-local
///   cki man --dir ~/.local/share/man/man1
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct ManArgs {
    /// Command (default: `cki` itself)
    #[arg(add = ArgValueCandidates::new(complete::manual_pages))]
    command: Vec<String>,
    /// Write the pages of all commands into this directory
    #[arg(long, value_name = "DIR", conflicts_with = "command", value_hint = clap::ValueHint::DirPath)]
    dir: Option<PathBuf>,
}

pub(in crate::cli) fn run(args: &ManArgs, tree: clap::Command, context: &Context) -> anyhow::Result<Exit> {
    let mut tree = without_help(tree);
    tree.build();
    if let Some(dir) = &args.dir {
        let dir = context.host.cwd.join(dir);
        files::make_directory(&dir)?;
        let mut written = 0;
        write_pages(&tree, "cki", &dir, &mut written)?;
        context.ui.status(&format!("Wrote {} into `{}`.", plural(written, "page"), dir.display()));
        return Ok(Exit::Done);
    }
    let mut command = &tree;
    let mut name = "cki".to_owned();
    for part in &args.command {
        command = command
            .find_subcommand(part)
            .ok_or_else(|| crate::cli::error::UsageError(format!("there is no command `{name} {part}`")))?;
        name = format!("{name}-{}", command.get_name());
    }
    let page = page(command, &name)?;
    if context.host.terminal.stdout && man::show(&context.host.env, &page)? {
        return Ok(Exit::Done);
    }
    context.ui.data(page.trim_end());
    Ok(Exit::Done)
}

/// Returns a command without the commands `help`, which would have a page for each command once more.
fn without_help(command: clap::Command) -> clap::Command {
    command.disable_help_subcommand(true).mut_subcommands(without_help)
}

fn write_pages(
    command: &clap::Command,
    name: &str,
    dir: &std::path::Path,
    written: &mut usize,
) -> anyhow::Result<()> {
    files::write_output(&dir.join(format!("{name}.1")), page(command, name)?.as_bytes(), 0o644)?;
    *written += 1;
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        write_pages(sub, &format!("{name}-{}", sub.get_name()), dir, written)?;
    }
    Ok(())
}

fn page(command: &clap::Command, name: &str) -> anyhow::Result<String> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone()).title(name.to_uppercase()).render(&mut text)?;
    Ok(String::from_utf8(text)?)
}
