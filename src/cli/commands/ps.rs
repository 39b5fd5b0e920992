//! `cki ps`.

use clap::Args;

use crate::base::exit::Exit;
use crate::cli::context::Context;
use crate::ops::running;
use crate::report;

/// Show what runs
#[derive(Debug, Args)]
pub(in crate::cli) struct PsArgs {}

pub(in crate::cli) fn run(_args: &PsArgs, context: &Context) -> anyhow::Result<Exit> {
    let instances = context.block_on(async |_| {
        let engine = context.engine().await?;
        Ok(running::list(&engine, &context.native()).await?)
    })?;
    report::ps::print(&context.ui, &instances, (context.host.now)().as_second());
    Ok(Exit::Done)
}
