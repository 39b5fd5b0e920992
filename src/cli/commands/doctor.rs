//! `cki doctor`: its arguments, and the calls of the operation and the report.

use clap::Args;

use crate::base::exit::Exit;
use crate::cli::context::Context;
use crate::cli::exit;
use crate::host::signals::{Shutdown, Signal};
use crate::ops::doctor::{Check, DoctorContext, doctor};
use crate::report;

/// Check the requirements of the other commands
///
/// Prints the result of each check and, for a problem, the command that fixes it. Changes
/// nothing. The exit code is 1 if a check failed.
///
/// Examples:
///   cki doctor
///   cki doctor -v --engine podman
///   cki doctor -o json
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct DoctorArgs {}

pub(in crate::cli) fn run(_args: &DoctorArgs, context: &Context) -> anyhow::Result<Exit> {
    context.block_on(async |stop| {
        Ok(match look(&context.patient(), context, &stop).await {
            Ok(checks) => {
                report::doctor::print(&context.ui, &checks);
                exit::of_checks(&checks)
            }
            Err(signal) => signal.exit(),
        })
    })
}

/// Runs the checks until they end or a signal arrives.
pub(super) async fn look(
    patient: &DoctorContext,
    context: &Context,
    stop: &Shutdown,
) -> Result<Vec<Check>, Signal> {
    let events = context.events();
    tokio::select! {
        checks = doctor(patient, &events) => Ok(checks),
        signal = stop.requested() => Err(signal),
    }
}
