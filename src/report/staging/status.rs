//! The progress of a staging on a terminal: a line for each pipeline and each stage.

use super::release::{print_releases, rollout_words};
use super::view::progress_view;
use super::words::{SHORT, ago, combined_line, job_counts, paint, pipeline_name, result, stops, symbol};
use crate::base::text::{Cell, Table, duration, safe_line};
use crate::model::staging::{PipelineCourse, PipelineStatus};
use crate::ops::stage::{PipelineOutcome, ProgressState, StagingProgress};
use crate::report::stage::{failed, print_failed_jobs, print_unknown};
use crate::report::view;
use crate::ui::{Ui, style};

/// Prints the progress. `command` makes the command of a verb on the same merge request.
pub fn print_status(ui: &Ui, progress: &StagingProgress, command: &dyn Fn(&[&str]) -> String) {
    if ui.is_structured() {
        return view::print(ui, &progress_view(progress));
    }
    if ui.is_names() {
        let pipelines = progress.pipelines.iter().filter_map(|one| one.id).map(|id| id.to_string());
        return ui.names(pipelines.chain(progress.releases.iter().map(|one| one.remains.name.clone())));
    }
    print_head(ui, progress);
    if !progress.pipelines.is_empty() {
        ui.data("");
        print_pipelines(ui, progress);
    }
    print_releases(ui, progress);
    print_environments(ui, progress);
    print_failed_jobs(ui, &progress.pipelines);
    for one in &progress.unread {
        ui.status(&style::dim(one));
    }
    print_end(ui, progress, command);
}

fn print_head(ui: &Ui, progress: &StagingProgress) {
    let facts = &progress.merge_request;
    let head: String = facts.head.chars().take(SHORT).collect();
    let draft = if facts.draft { " · draft" } else { "" };
    ui.data(&format!(
        "{}  {}",
        style::name(&format!("{} !{}", safe_line(&facts.project), facts.iid)),
        safe_line(&facts.title),
    ));
    ui.data(&style::dim(&format!("Head {head} · {}{draft}", safe_line(&facts.state))));
    if let Some(request) = &progress.request {
        let at = ago(&request.comment.created_at, progress.read_at);
        ui.data(&format!(
            "Requested by @{} {}: {}",
            safe_line(&request.author),
            safe_line(&at),
            style::command(&safe_line(&request.text))
        ));
    }
    progress.combined.iter().for_each(|one| ui.data(&safe_line(&combined_line(one))));
}

fn print_pipelines(ui: &Ui, progress: &StagingProgress) {
    let mut table = Table::new(2, &[]);
    let head = |text: &str| Cell::styled(text, style::dim);
    table.row(["PIPELINE", "ID", "STATE", "TIME", "JOBS", ""].map(head));
    for outcome in &progress.pipelines {
        match &outcome.course {
            Some(course) => {
                for (level, one) in course.all() {
                    pipeline_rows(&mut table, outcome, level, one, progress);
                }
            }
            None => table.row(unread_row(outcome)),
        }
    }
    ui.lines(table.lines(ui.columns()));
}

fn state(status: &PipelineStatus) -> Cell {
    Cell::styled(format!("{} {}", symbol(status), safe_line(status.as_str())), paint(status))
}

fn unread_row(outcome: &PipelineOutcome) -> [Cell; 6] {
    [
        safe_line(&format!("{} {}", outcome.group, outcome.branch)).into_owned().into(),
        outcome.id.map_or("–".to_owned(), |id| id.to_string()).into(),
        state(&outcome.status),
        String::new().into(),
        String::new().into(),
        Cell::styled(safe_line(outcome.url.as_deref().unwrap_or_default()), style::dim),
    ]
}

fn pipeline_rows(
    table: &mut Table,
    outcome: &PipelineOutcome,
    level: usize,
    one: &PipelineCourse,
    progress: &StagingProgress,
) {
    let indent = "  ".repeat(level);
    let mark = if level == 0 { "" } else { "› " };
    let gone = outcome.gone && level == 0;
    let took = one.span.lasted(progress.read_at);
    let took = if level == 0 { outcome.duration.or(took) } else { took };
    table.row([
        Cell::styled(safe_line(&format!("{indent}{mark}{}", pipeline_name(outcome, one))), style::name),
        one.id.to_string().into(),
        if gone { Cell::styled("✘ deleted", style::bad) } else { state(&one.status) },
        took.map(duration).unwrap_or_default().into(),
        job_counts(one).unwrap_or_default().into(),
        Cell::styled(safe_line(one.url.as_deref().unwrap_or_default()), style::dim),
    ]);
    for stage in one.stages() {
        let status = stage.status();
        table.row([
            safe_line(&format!("{indent}  {}", stage.name)).into_owned().into(),
            String::new().into(),
            state(&status),
            stage.span().lasted(progress.read_at).map(duration).unwrap_or_default().into(),
            format!("{} of {}", stage.ended(), stage.jobs.len()).into(),
            String::new().into(),
        ]);
    }
}

fn print_environments(ui: &Ui, progress: &StagingProgress) {
    if progress.environments.is_empty() {
        return;
    }
    ui.data("");
    let mut table = Table::new(2, &[]);
    let head = |text: &str| Cell::styled(text, style::dim);
    table.row(["ENVIRONMENT", "STATE", "STOPS", ""].map(head));
    for one in &progress.environments {
        table.row([
            Cell::styled(safe_line(&one.name), style::name),
            safe_line(one.state.as_deref().unwrap_or("–")).into_owned().into(),
            stops(one, progress.read_at).unwrap_or_else(|| "–".to_owned()).into(),
            Cell::styled(safe_line(one.url.as_deref().unwrap_or_default()), style::dim),
        ]);
    }
    ui.lines(table.lines(ui.columns()));
}

fn print_end(ui: &Ui, progress: &StagingProgress, command: &dyn Fn(&[&str]) -> String) {
    let (_, symbol, text) = result(progress);
    let facts = &progress.merge_request;
    match progress.state() {
        ProgressState::NotRequested => {
            let old_release = progress.releases.first().map(|one| &one.remains.head);
            let hint = match &progress.outdated {
                None if old_release.is_some() => {
                    let sha: String =
                        old_release.into_iter().flat_map(|sha| sha.chars().take(SHORT)).collect();
                    format!("the release is of {sha}; ")
                }
                Some(old) => {
                    let sha: String =
                        old.sha.as_deref().unwrap_or("an older commit").chars().take(15).collect();
                    format!("@{} requested it for {sha}; ", old.author)
                }
                None => String::new(),
            };
            ui.error(
                &format!("staging of `{}` was not requested for its head commit.", facts.reference()),
                &[],
                &[format!("{hint}`{}` requests it.", command(&["cki", "stage"]))],
            );
        }
        ProgressState::NotFound => {
            let count = progress.searched.unwrap_or_default();
            let reference = facts.reference();
            ui.error(
                &format!("no request is among the newest {count} comments of `{reference}`."),
                &["the older comments were not searched.".to_owned()],
                &[format!("`{}` requests it.", command(&["cki", "stage"]))],
            );
        }
        ProgressState::Waiting | ProgressState::Running => {
            let watch = command(&["cki", "stage", "watch"]);
            ui.status(&format!("{} {text}. `{watch}` follows it.", style::warn(symbol)));
        }
        ProgressState::Succeeded => ui.status(&format!("{} {text}.", style::good(symbol))),
        // What could not be seen is said above.
        ProgressState::Unknown => print_unknown(ui, &[]),
        ProgressState::Failed => {
            let logs = command(&["cki", "stage", "logs"]);
            let failed = failed(&progress.pipelines);
            let release = progress.current_releases().find(|one| !one.succeeded());
            let text = match progress.pipelines.len() {
                0 => release.map_or_else(String::new, |one| {
                    let (_, why) = rollout_words(&one.rollout);
                    safe_line(&format!("`{}` failed: {why}.", one.remains.name)).into_owned()
                }),
                1 => "the pipeline failed.".to_owned(),
                all => format!("{failed} of {all} pipelines failed."),
            };
            ui.error(&text, &[], &[format!("`{logs}` shows more of the logs.")]);
        }
    }
}
