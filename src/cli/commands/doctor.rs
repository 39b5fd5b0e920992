//! `cki doctor`.

use clap::Args;

use crate::base::exit::Exit;
use crate::cli::context::Context;
use crate::ops::doctor::doctor;
use crate::report;

/// Look at everything that the other commands need
///
/// Each check says what it found and, if something is wrong, the command that mends it. Nothing is
/// changed. The exit code is 1 if a check failed.
///
/// Examples:
///   cki doctor
///   cki doctor -v --engine podman
///   cki doctor -o json
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct DoctorArgs {}

pub(in crate::cli) fn run(_args: &DoctorArgs, context: &Context) -> anyhow::Result<Exit> {
    let (patient, events) = (context.patient(), context.events());
    context.block_on(async |stop| {
        tokio::select! {
            checks = doctor(&patient, &events) => Ok(report::doctor::print(&context.ui, &checks)),
            signal = stop.requested() => Ok(signal.exit()),
        }
    })
}
