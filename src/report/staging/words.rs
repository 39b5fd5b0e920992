//! Words, symbols and classes of states that the reports on a staging share.

use std::time::Duration;

use jiff::Timestamp;

use crate::base::text::{duration, plural};
use crate::model::staging::kubernetes::Rollout;
use crate::model::staging::{PipelineCourse, PipelineStatus};
use crate::ops::stage::{
    CombinedProgress, PipelineOutcome, PipelineVerdict, ProgressState, StagingEnvironment, StagingProgress,
};
use crate::ui::style;

/// Number of characters of a commit to show.
pub(super) const SHORT: usize = 7;

/// Returns the class of a status in a page.
pub(super) fn state_class(status: &PipelineStatus) -> &'static str {
    match status {
        PipelineStatus::Success => "good",
        PipelineStatus::Failed | PipelineStatus::Canceled | PipelineStatus::Canceling => "bad",
        PipelineStatus::Running | PipelineStatus::Preparing => "busy",
        _ => "idle",
    }
}

/// Returns a symbol of a status.
pub(in crate::report) fn symbol(status: &PipelineStatus) -> &'static str {
    symbol_of_class(state_class(status))
}

pub(super) fn symbol_of_class(class: &str) -> &'static str {
    match class {
        "good" => "✔",
        "bad" => "✘",
        "busy" => "●",
        _ => "○",
    }
}

/// Returns the colour of a status on a terminal.
pub(in crate::report) fn paint(status: &PipelineStatus) -> fn(&str) -> String {
    paint_of_class(state_class(status))
}

fn paint_of_class(class: &str) -> fn(&str) -> String {
    match class {
        "good" => style::good,
        "bad" => style::bad,
        "busy" => style::warn,
        _ => style::dim,
    }
}

/// Returns the class of a rollout's state in a page, and the state in words.
pub(super) fn rollout_result(rollout: &Rollout) -> (&'static str, String) {
    match rollout {
        Rollout::Progressing(text) => ("busy", format!("Rolling out: {text}")),
        Rollout::Done(text) => ("good", format!("Rolled out: {text}")),
        Rollout::Failed(text) => ("bad", format!("Failed: {text}")),
    }
}

/// Returns the symbol, the colour and the words of a rollout's state on a terminal.
pub(super) fn rollout_state(rollout: &Rollout) -> (&'static str, fn(&str) -> String, String) {
    let (class, text) = rollout_result(rollout);
    (symbol_of_class(class), paint_of_class(class), text)
}

/// Returns the state of a staging in words, with its class and symbol.
pub(super) fn result(progress: &StagingProgress) -> (&'static str, &'static str, String) {
    let mut current = progress.current_releases();
    if let (Some(one), None, []) = (current.next(), current.next(), &progress.pipelines[..]) {
        // Without the words of the cluster, since a heading is no place for text from outside.
        let (class, _) = rollout_result(&one.rollout);
        let text = match &one.rollout {
            Rollout::Progressing(_) => "Rolling out",
            Rollout::Done(_) => "Rolled out",
            Rollout::Failed(_) => "Failed",
        };
        return (class, symbol_of_class(class), text.to_owned());
    }
    let parts = progress.parts();
    let all = parts.len();
    let is_bad = |part: &&(bool, PipelineVerdict)| part.0 && part.1 == PipelineVerdict::Failed;
    let bad = parts.iter().filter(is_bad).count();
    let ended = parts.iter().filter(|(has_ended, _)| *has_ended).count();
    let kind = if progress.pipelines.is_empty() { "release" } else { "pipeline" };
    let (class, text) = match progress.state() {
        ProgressState::NotRequested => ("idle", "Not requested".to_owned()),
        ProgressState::NotFound => {
            let count = progress.searched.unwrap_or_default();
            ("idle", format!("No request among the newest {count} comments"))
        }
        ProgressState::Waiting => ("idle", "Requested, no pipeline yet".to_owned()),
        ProgressState::Running if bad > 0 => ("bad", format!("Running, {bad} of {all} failed")),
        ProgressState::Running => ("busy", format!("Running, {ended} of {all} done")),
        ProgressState::Succeeded => ("good", "Succeeded".to_owned()),
        ProgressState::Failed => ("bad", format!("Failed: {bad} of {}", plural(all, kind))),
        ProgressState::Unknown => ("idle", "Not known: not all of the result can be seen".to_owned()),
    };
    (class, symbol_of_class(class), text)
}

/// Returns the word of a state in JSON.
pub(super) fn state_word(state: ProgressState) -> &'static str {
    match state {
        ProgressState::NotRequested => "not-requested",
        ProgressState::NotFound => "not-found",
        ProgressState::Waiting => "waiting",
        ProgressState::Running => "running",
        ProgressState::Succeeded => "succeeded",
        ProgressState::Failed => "failed",
        ProgressState::Unknown => "unknown",
    }
}

/// Returns a timestamp of the server for people; the text itself if it is none.
pub(super) fn time_of_day(timestamp: &str) -> String {
    let at = timestamp.parse::<Timestamp>();
    at.map_or_else(|_| timestamp.to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// Returns how long ago a timestamp was, for people; the text itself if it is none.
pub(super) fn ago(timestamp: &str, now: Timestamp) -> String {
    let since =
        timestamp.parse::<Timestamp>().ok().and_then(|at| Duration::try_from(now.duration_since(at)).ok());
    match since {
        Some(since) if since < Duration::from_secs(1) => "just now".to_owned(),
        Some(since) => format!("{} ago", duration(since)),
        None => timestamp.to_owned(),
    }
}

/// Returns when an environment stops.
pub(super) fn stops(one: &StagingEnvironment, now: Timestamp) -> Option<String> {
    let left = Duration::try_from(one.stops_at?.duration_since(now)).ok().filter(|left| !left.is_zero());
    Some(left.map_or_else(|| "now".to_owned(), |left| format!("in {}", duration(left))))
}

/// Returns a sentence about a merge request that is staged together with this one.
pub(super) fn combined_line(one: &CombinedProgress) -> String {
    let short = |sha: &str| sha.chars().take(SHORT).collect::<String>();
    let (reference, staged) = (one.staged.reference(), short(&one.staged.sha));
    match &one.moved_to {
        Some(now) => format!("With {reference} at {staged}, whose head is {} now.", short(now)),
        None => format!("With {reference} at {staged}."),
    }
}

/// Returns the number of ended jobs, and of all.
pub(super) fn job_counts(one: &PipelineCourse) -> Option<String> {
    let ended = one.jobs.iter().filter(|job| job.status.is_finished()).count();
    (!one.jobs.is_empty()).then(|| format!("{ended} of {}", one.jobs.len()))
}

/// Returns the name of a pipeline: that of its trigger, or its group and branch.
pub(super) fn pipeline_name(outcome: &PipelineOutcome, one: &PipelineCourse) -> String {
    one.trigger.clone().unwrap_or_else(|| format!("{} {}", outcome.group, outcome.branch))
}
