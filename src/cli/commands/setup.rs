//! `cki setup`.

use clap::Args;

use crate::base::exit::Exit;
use crate::cli::commands::doctor::look;
use crate::cli::context::Context;
use crate::host::signals::Signal;
use crate::ops::setup::{self, SetupError};
use crate::report;

/// Install what `cki doctor` misses, and set up completion in your shell
///
/// It shows what it will run and write, asks, does it, and then checks everything again.
///
/// Examples:
///   cki setup --dry-run
///   cki setup
///   cki setup --yes --engine podman
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct SetupArgs {
    /// Do it without asking
    #[arg(short, long)]
    yes: bool,
    /// Show what would be done, and change nothing
    #[arg(short = 'n', long, conflicts_with = "yes")]
    dry_run: bool,
}

pub(in crate::cli) fn run(args: &SetupArgs, context: &Context) -> anyhow::Result<Exit> {
    let SetupArgs { yes, dry_run } = *args;
    let (ui, patient) = (&context.ui, context.patient());
    let looked = context.block_on(async |stop| Ok(look(&patient, context, &stop).await))?;
    let checks = match looked {
        Ok(checks) => checks,
        Err(signal) => return Ok(signal.exit()),
    };
    let plan = setup::plan(&patient, &checks)?;
    report::setup::plan(ui, &plan);
    if dry_run {
        return Ok(Exit::Done);
    }
    if plan.steps.is_empty() {
        return Ok(if setup::lacks(&checks).is_empty() {
            report::doctor::exit(&checks)
        } else {
            Exit::Failed
        });
    }
    if !yes && !ui.can_ask() {
        return Err(SetupError::NobodyToAsk.into());
    }
    if !yes && !ui.confirm(&context.host, "Do this?", false) {
        ui.say("Nothing was changed.");
        return Ok(Exit::Done);
    }
    context.block_on(async |stop| {
        let done = async {
            let outcomes = setup::carry_out(&plan, &context.host.env, &context.events(), &stop).await?;
            Ok((outcomes, look(&context.patient(), context, &stop).await?))
        };
        Ok(match done.await {
            Ok((outcomes, checks)) => report::setup::outcome(ui, &plan, &outcomes, &checks),
            Err::<_, Signal>(signal) => signal.exit(),
        })
    })
}
