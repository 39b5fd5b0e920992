//! `cki ps`: its arguments, and the calls of the operation and the report.

use clap::Args;

use crate::base::exit::Exit;
use crate::cli::context::Context;
use crate::ops::ps;
use crate::ops::runtime::list;
use crate::report;

/// List running components
///
/// Runs the readiness probes now; nothing is cached.
#[derive(Debug, Args)]
pub(in crate::cli) struct PsArgs {}

pub(in crate::cli) fn run(_args: &PsArgs, context: &Context) -> anyhow::Result<Exit> {
    let now = (context.host.now)().as_second();
    let (instances, health) = context.block_on(async |_| {
        let engine = context.engine().await?;
        let instances = list::list(&engine, &context.native()).await?;
        let health = ps::health(&engine, &instances, now, context.settings.ready_timeout).await;
        Ok((instances, health))
    })?;
    report::ps::print(&context.ui, &instances, &health, now);
    Ok(Exit::Done)
}
