//! `cki shell`: its arguments, and the calls of the operation and the report.

use clap::Args;
use clap_complete::ArgValueCandidates;

use super::inside::{instances, named, person};
use crate::base::exit::Exit;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::exit;
use crate::model::container::ExecSettings;
use crate::ops::exec::{ExecOptions, standard_input};
use crate::ops::shared::run_policy::guard;
use crate::ops::shell::{check_copy, shell, shell_with_input};

/// Open a shell in a running component, or in a copy of one that has ended
///
/// Runs `bash` if the image has it, else `sh`, with the environment and the network of the
/// component. Every key goes to the shell, including Ctrl-C. Exits with the exit code of the
/// shell. For a component that has ended and was retained, the shell runs in a new container of the
/// same image, with the same environment, volumes and network; files that the component wrote
/// elsewhere are missing. A process of the native engine cannot be copied. If standard input is not
/// a terminal, the shell reads its commands from there.
///
/// Examples:
///   cki shell pipeline-herder
///   echo 'ls -l; env' | cki shell pipeline-herder
///   cki shell rabbitmq
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct ShellArgs {
    /// Component, backing service of a component, or run ID
    #[arg(add = ArgValueCandidates::new(complete::running))]
    component: String,
    /// Start in this directory of the container (default: that of the component)
    #[arg(short, long, value_name = "DIR")]
    workdir: Option<String>,
}

pub(in crate::cli) fn run(args: ShellArgs, context: &Context) -> anyhow::Result<Exit> {
    let ShellArgs { component, workdir } = args;
    let inventory = context.inventory()?;
    context.block_on(async |stop| {
        let listing = instances(context).await?;
        let instance = named(context, &listing, &component).await?;
        if !instance.is_alive() {
            check_copy(instance)?;
            let name = &instance.identity.name;
            context.ui.status(&format!(
                "`{name}` has ended: this is a new container like it, with the files of its image."
            ));
        }
        let owner = context.host.owner();
        let guard = guard(&context.assets, inventory)?;
        let rules = (&guard, inventory);
        let ended = if context.host.terminal.stdin {
            shell(instance, workdir, person(context), owner, rules, &stop).await
        } else {
            let settings = ExecSettings { workdir, ..ExecSettings::default() };
            let options = ExecOptions { stdin: Some(standard_input()), settings, ..ExecOptions::default() };
            shell_with_input(instance, options, owner, rules, &context.events(), &stop).await
        };
        Ok(exit::of_command(ended?))
    })
}
