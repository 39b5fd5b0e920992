//! `cki config`: its arguments, and the call of the report. The settings are in `config`.

use clap::Args;

use crate::base::exit::Exit;
use crate::cli::context::Context;
use crate::report;

/// Show every setting with its value and origin
#[derive(Debug, Args)]
pub(in crate::cli) struct ConfigArgs {}

pub(in crate::cli) fn run(_args: &ConfigArgs, context: &Context) -> anyhow::Result<Exit> {
    report::config::print(&context.ui, &context.config);
    Ok(Exit::Done)
}
