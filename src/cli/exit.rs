//! The one mapping from outcomes to exit codes. That of errors is in `error`.

use super::error;
use crate::base::exit::Exit;
use crate::ops::auth_status::{AuthRow, TokenState};
use crate::ops::doctor::{Check, is_healthy};
use crate::ops::exec::CommandExit;
use crate::ops::gc::CollectedLeftovers;
use crate::ops::inventory::check::CheckOutcome;
use crate::ops::run_local::RunExit;
use crate::ops::stage::kubernetes::{ReleaseEnd, ReleaseOutcome};
use crate::ops::stage::{ProgressState, StageOutcome, StagingProgress, StagingResult};
use crate::ops::status::{Arrival, ArrivalState};

/// Returns the exit code for a run.
pub(super) fn of_run(end: &RunExit) -> Exit {
    match end {
        RunExit::Exited(code) => component(*code),
        RunExit::Stopped(signal) => signal.exit(),
        RunExit::Detached(_) => Exit::Done,
    }
}

/// Returns the exit code for a command in a component.
pub(super) fn of_command(end: CommandExit) -> Exit {
    match end {
        CommandExit::Ended(code) => component(code),
        CommandExit::Stopped(signal) => signal.exit(),
    }
}

/// Returns the exit code that passes on the one of a component.
fn component(code: i64) -> Exit {
    Exit::Component(u8::try_from(code & 0xff).unwrap_or(1))
}

/// Returns the exit code for a staging request. A result that the user may not see completely is no success.
pub(super) fn of_stage(outcome: &StageOutcome) -> Exit {
    match &outcome.ended {
        StagingResult::DryRun | StagingResult::NotWaited => Exit::Done,
        StagingResult::Finished if outcome.succeeded() => Exit::Done,
        StagingResult::Finished if outcome.is_unknown() => Exit::Unauthorised,
        StagingResult::Finished => Exit::Failed,
        StagingResult::NoAnswer(_) | StagingResult::TimedOut => Exit::TimedOut,
        StagingResult::Stopped(signal) => signal.exit(),
        StagingResult::Lost(_) => Exit::Unreachable,
    }
}

/// Returns the exit code for a look at a staging. One that has not ended is like a watch whose time is over at once.
pub(super) fn of_progress(progress: &StagingProgress) -> Exit {
    match progress.state() {
        ProgressState::NotRequested | ProgressState::NotFound => Exit::NotFound,
        ProgressState::Waiting | ProgressState::Running => Exit::TimedOut,
        ProgressState::Succeeded => Exit::Done,
        ProgressState::Failed => Exit::Failed,
        ProgressState::Unknown => Exit::Unauthorised,
    }
}

/// Returns the exit code for the way of a merge request to production.
pub(super) fn of_arrival(arrival: &Arrival) -> Exit {
    match arrival.state() {
        ArrivalState::Arrived => Exit::Done,
        ArrivalState::Failed => Exit::Failed,
        ArrivalState::NotMerged | ArrivalState::Unknown => Exit::NotFound,
        ArrivalState::UnderWay | ArrivalState::Waiting => Exit::TimedOut,
    }
}

/// Returns the exit code for releases: that of the first one that is not done.
pub(super) fn of_releases<'a>(outcomes: impl IntoIterator<Item = &'a ReleaseOutcome>) -> Exit {
    let mut exits = outcomes.into_iter().map(of_release);
    exits.find(|exit| *exit != Exit::Done).unwrap_or(Exit::Done)
}

fn of_release(outcome: &ReleaseOutcome) -> Exit {
    match &outcome.end {
        ReleaseEnd::DryRun | ReleaseEnd::NotWaited | ReleaseEnd::Done(_) => Exit::Done,
        ReleaseEnd::Failed(_) => Exit::Failed,
        ReleaseEnd::TimedOut => Exit::TimedOut,
        ReleaseEnd::Stopped(signal) => signal.exit(),
        ReleaseEnd::Lost(error) => error::of_lost(error),
    }
}

/// Returns the exit code for checks of this machine.
pub(super) fn of_checks(checks: &[Check]) -> Exit {
    if is_healthy(checks) { Exit::Done } else { Exit::Failed }
}

/// Returns the exit code for a look at the tokens.
pub(super) fn of_auth(rows: &[AuthRow]) -> Exit {
    let is_rejected = |row: &AuthRow| matches!(row.state, TokenState::Rejected(_));
    let has_none = rows.iter().all(|row| row.from.is_none());
    if has_none || rows.iter().any(is_rejected) { Exit::Failed } else { Exit::Done }
}

/// Returns the exit code for a check of the inventory.
pub(super) fn of_check(outcome: &CheckOutcome) -> Exit {
    if !outcome.checked.findings.is_empty() {
        return Exit::Failed;
    }
    match &outcome.links {
        Some(links) if links.no_network.is_some() => Exit::Unreachable,
        Some(links) if links.is_out_of_time() => Exit::TimedOut,
        _ => Exit::Done,
    }
}

/// Returns the exit code for a collection of leftovers.
pub(super) fn of_leftovers(collected: &CollectedLeftovers) -> Exit {
    if collected.remaining.is_empty() { Exit::Done } else { Exit::Failed }
}
