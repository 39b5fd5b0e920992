//! Report of `cki stage`: the plan of a request, and its result.

use serde::Serialize;

use crate::base::text::{Cell, Table, duration, safe_line};
use crate::model::staging::{PipelineStatus, slash_command};
use crate::ops::stage::{
    AskResult, PipelineOutcome, PipelineVerdict, SentRequest, StageOutcome, StagePlan, StagingResult,
};
use crate::report::stage_environment::{
    PlannedEnvironmentView, environment_view, print_environment_plan, print_environment_requests,
};
use crate::report::{plan_head, view};
use crate::ui::{Ui, style};

#[derive(Serialize)]
struct StageView<'a> {
    merge_request: String,
    url: &'a str,
    head: &'a str,
    combined: Vec<CombinedView<'a>>,
    comment: Option<&'a str>,
    request: Option<RequestView<'a>>,
    environment: Option<PlannedEnvironmentView<'a>>,
    posted: bool,
    found: bool,
    comment_id: Option<u64>,
    comment_url: Option<&'a str>,
    started_pipeline: Option<u64>,
    state: &'static str,
    succeeded: bool,
    unseen: Vec<String>,
    pipelines: Vec<PipelineView<'a>>,
}

#[derive(Serialize)]
struct CombinedView<'a> {
    merge_request: String,
    head: &'a str,
}

#[derive(Serialize)]
struct RequestView<'a> {
    method: &'a str,
    path: &'a str,
    body: &'a serde_json::Value,
}

#[derive(Serialize)]
struct PipelineView<'a> {
    group: &'a str,
    branch: &'a str,
    id: Option<u64>,
    project: Option<&'a str>,
    status: &'a str,
    url: Option<&'a str>,
    seconds: Option<u64>,
    failed_jobs: Vec<JobView<'a>>,
}

#[derive(Serialize)]
struct JobView<'a> {
    name: &'a str,
    stage: &'a str,
    id: u64,
    url: Option<&'a str>,
    log: &'a [String],
}

/// Prints the plan of a request.
pub fn print_plan(ui: &Ui, plan: &StagePlan) {
    plan_head::print(ui, &plan.merge_request);
    plan.combined.iter().for_each(|facts| plan_head::print_combined(ui, facts));
    // Show the whole request, since it is sent in the user's name.
    let (label, text) = match plan.request() {
        SentRequest::Comment(comment) => ("Asks", comment),
        SentRequest::Call(call) => ("Sends", format!("{} {}\n{:#}", call.method, call.path, call.body)),
    };
    for (number, line) in text.lines().enumerate() {
        let label = if number == 0 { format!("{label:6}") } else { "      ".to_owned() };
        let paint = if number == 0 { style::command } else { style::dim };
        ui.status(format!("{label}{}", paint(&safe_line(line))).trim_end());
    }
    if let Some(planned) = plan.environment() {
        print_environment_plan(ui, planned, "Environment ", ", at the end of the pipeline");
    }
}

/// Prints the result. `again` is the command that follows the same request, and `request` the one that makes it.
pub fn print(ui: &Ui, outcome: &StageOutcome, again: &str, request: &str) {
    if ui.is_structured() {
        return view::print(ui, &stage_view(outcome));
    }
    if ui.is_names() {
        ui.names(outcome.pipelines.iter().filter_map(|one| one.id).map(|id| id.to_string()));
        return end(ui, outcome, again, request);
    }
    if let (Some(planned), StagingResult::DryRun) = (&outcome.environment, &outcome.ended) {
        print_environment_requests(ui, planned);
    }
    table(ui, outcome);
    print_failed_jobs(ui, &outcome.pipelines);
    end(ui, outcome, again, request);
}

/// Prints the ends of the logs of failed jobs.
pub(super) fn print_failed_jobs(ui: &Ui, pipelines: &[PipelineOutcome]) {
    for pipeline in pipelines {
        for job in &pipeline.failed {
            // Many projects begin the name of a job with its stage.
            let stage = if job.name.starts_with(&job.stage) { "" } else { &format!("{} ", job.stage) };
            let name = format!("{} {} · {stage}{}", pipeline.group, pipeline.branch, job.name);
            ui.data("");
            ui.data(&format!("{} · last lines of the log", style::name(&safe_line(&name))));
            for line in &job.log {
                ui.data(&format!("  {}", safe_line(line)));
            }
            if let Some(why) = &job.no_log {
                ui.data(&format!("  {}", style::dim(&safe_line(why))));
            }
        }
    }
}

fn table(ui: &Ui, outcome: &StageOutcome) {
    if outcome.pipelines.is_empty() {
        return;
    }
    let mut table = Table::new(2, &[]);
    let mut add = |cells: [Cell; 6], wide: [Cell; 2]| {
        table.row(cells.into_iter().chain(wide.into_iter().filter(|_| ui.is_wide())));
    };
    let head = |text: &str| Cell::styled(text, style::dim);
    add(["GROUP", "BRANCH", "PIPELINE", "STATE", "TIME", ""].map(head), ["PROJECT", "FAILED JOBS"].map(head));
    for one in &outcome.pipelines {
        let (symbol, paint) = symbol(&one.status);
        let state =
            if one.gone { "✘ deleted".to_owned() } else { format!("{symbol} {}", one.status.as_str()) };
        let failed: Vec<&str> = one.failed.iter().map(|job| job.name.as_str()).collect();
        let wide = [one.project.as_deref().unwrap_or("–"), &failed.join(", ")];
        let cells = [
            safe_line(&one.group).into_owned().into(),
            safe_line(&one.branch).into_owned().into(),
            one.id.map_or("–".to_owned(), |id| id.to_string()).into(),
            Cell::styled(safe_line(&state), paint),
            one.duration.map(duration).unwrap_or_default().into(),
            Cell::styled(safe_line(one.url.as_deref().unwrap_or_default()), style::dim),
        ];
        add(cells, wide.map(|text| safe_line(text).into_owned().into()));
        // The pipelines that it has triggered.
        for (level, below) in one.course.iter().flat_map(|course| course.all().into_iter().skip(1)) {
            let (symbol, paint) = self::symbol(&below.status);
            let trigger = below.trigger.as_deref().unwrap_or("–");
            let cells = [
                safe_line(&format!("{}› {trigger}", "  ".repeat(level - 1))).into_owned().into(),
                safe_line(below.branch.as_deref().unwrap_or_default()).into_owned().into(),
                below.id.to_string().into(),
                Cell::styled(safe_line(&format!("{symbol} {}", below.status)), paint),
                below.span.to.and_then(|to| below.span.lasted(to)).map(duration).unwrap_or_default().into(),
                Cell::styled(safe_line(below.url.as_deref().unwrap_or_default()), style::dim),
            ];
            add(cells, [below.project.as_str(), ""].map(|text| safe_line(text).into_owned().into()));
        }
    }
    ui.lines(table.lines(ui.columns()));
}

fn end(ui: &Ui, outcome: &StageOutcome, again: &str, request: &str) {
    let (failed, all) = (failed(&outcome.pipelines), outcome.pipelines.len());
    let took = duration(outcome.took);
    match &outcome.ended {
        StagingResult::DryRun => ui.status(nothing(&outcome.request)),
        StagingResult::NotWaited => ui.status(&style::dim(&format!("`{again}` follows it."))),
        StagingResult::Finished if outcome.succeeded() => {
            let who = if all == 1 { "The pipeline".to_owned() } else { format!("All {all}") };
            ui.status(&format!("{} {who} succeeded after {took}.", style::good("✔")));
        }
        StagingResult::Finished if all == 0 => {
            ui.error("the bot answered without a pipeline.", &[], &["its comment says why.".to_owned()]);
        }
        StagingResult::Finished if outcome.is_unknown() => print_unknown(ui, &outcome.pipelines),
        StagingResult::Finished => {
            let rerun = outcome.pipelines.iter().find(|one| one.verdict() == PipelineVerdict::Failed);
            let rerun = rerun.and_then(|one| Some(format!("{}/{}", one.group, one.id?)));
            let hint = match &outcome.request {
                SentRequest::Comment(text) if slash_command(text).is_some() => {
                    Some(format!("ask again with `{request} --force`."))
                }
                SentRequest::Comment(_) => rerun.map(|rerun| {
                    format!("ask again with `{request} --rerun {}`.", shell_words::quote(&rerun))
                }),
                SentRequest::Call(_) => Some(format!("start another one with `{request} --force`.")),
            };
            let text = match all {
                1 => "the pipeline failed.".to_owned(),
                _ => format!("{failed} of {all} pipelines failed."),
            };
            ui.error(&text, &[], &Vec::from_iter(hint));
        }
        StagingResult::NoAnswer(last) => {
            let causes: Vec<String> =
                last.iter().map(|said| format!("it said: {}", safe_line(said))).collect();
            ui.error("the bot did not answer in time.", &causes, &[format!("`{again}` looks again.")]);
        }
        StagingResult::TimedOut => {
            ui.error(
                &format!("not finished after {took}."),
                &[],
                &[format!("`{again}` continues to follow them.")],
            );
        }
        StagingResult::Stopped(_) => {
            ui.status(&format!("Not followed further; the request stays. `{again}` continues."));
        }
        StagingResult::Lost(error) => {
            ui.error(
                &format!("{}.", safe_line(&error.to_string())),
                &[],
                &[format!("`{again}` continues to follow them.")],
            );
        }
    }
}

/// Returns the number of pipelines that did not succeed; those with an unknown result do not count.
pub(super) fn failed(pipelines: &[PipelineOutcome]) -> usize {
    pipelines.iter().filter(|one| one.verdict() == PipelineVerdict::Failed).count()
}

/// Returns a sentence about each part of the result that could not be seen.
fn unseen(pipelines: &[PipelineOutcome]) -> Vec<String> {
    pipelines.iter().filter(|one| one.has_ended()).flat_map(PipelineOutcome::unseen).collect()
}

/// Prints that nothing has failed, as far as it could be seen.
pub(super) fn print_unknown(ui: &Ui, pipelines: &[PipelineOutcome]) {
    let causes: Vec<String> = unseen(pipelines).iter().map(|one| safe_line(one).into_owned()).collect();
    let hint = "use a token of somebody who may read them: `cki auth status` shows yours.".to_owned();
    ui.error("nothing failed, but not all of the result can be seen.", &causes, &[hint]);
}

/// Returns the sentence on a request that was not sent.
#[must_use]
pub fn nothing(request: &SentRequest) -> &'static str {
    match request {
        SentRequest::Comment(_) => "Nothing was posted.",
        SentRequest::Call(_) => "Nothing was started.",
    }
}

fn symbol(status: &PipelineStatus) -> (&'static str, fn(&str) -> String) {
    if status.is_success() {
        ("✔", style::good)
    } else if status.is_finished() {
        ("✘", style::bad)
    } else {
        ("●", style::warn)
    }
}

fn stage_view(outcome: &StageOutcome) -> StageView<'_> {
    let comment = match &outcome.asked {
        AskResult::Posted(comment) | AskResult::Found(comment) => Some(comment),
        AskResult::No | AskResult::Started(_) | AskResult::Resumed(_) => None,
    };
    let started = match &outcome.asked {
        AskResult::Started(pipeline) | AskResult::Resumed(pipeline) => Some(pipeline.id),
        AskResult::No | AskResult::Posted(_) | AskResult::Found(_) => None,
    };
    StageView {
        merge_request: outcome.merge_request.reference(),
        url: &outcome.merge_request.url,
        head: &outcome.merge_request.head,
        combined: outcome
            .combined
            .iter()
            .map(|head| CombinedView { merge_request: head.reference(), head: &head.sha })
            .collect(),
        comment: match &outcome.request {
            SentRequest::Comment(comment) => Some(comment.as_str()),
            SentRequest::Call(_) => None,
        },
        request: match &outcome.request {
            SentRequest::Comment(_) => None,
            SentRequest::Call(call) => {
                Some(RequestView { method: call.method, path: &call.path, body: &call.body })
            }
        },
        environment: outcome.environment.as_ref().map(environment_view),
        posted: matches!(outcome.asked, AskResult::Posted(_) | AskResult::Started(_)),
        found: matches!(outcome.asked, AskResult::Found(_) | AskResult::Resumed(_)),
        comment_id: comment.map(|comment| comment.id),
        comment_url: comment.map(|comment| comment.url.as_str()),
        started_pipeline: started,
        state: match &outcome.ended {
            StagingResult::DryRun => "dry-run",
            StagingResult::NotWaited => "asked",
            StagingResult::Finished => "finished",
            StagingResult::NoAnswer(_) => "no-answer",
            StagingResult::TimedOut => "timed-out",
            StagingResult::Stopped(_) => "stopped",
            StagingResult::Lost(_) => "lost",
        },
        succeeded: outcome.succeeded(),
        unseen: unseen(&outcome.pipelines),
        pipelines: outcome
            .pipelines
            .iter()
            .map(|one| PipelineView {
                group: &one.group,
                branch: &one.branch,
                id: one.id,
                project: one.project.as_deref(),
                status: one.status.as_str(),
                url: one.url.as_deref(),
                seconds: one.duration.map(|took| took.as_secs()),
                failed_jobs: one
                    .failed
                    .iter()
                    .map(|job| JobView {
                        name: &job.name,
                        stage: &job.stage,
                        id: job.id,
                        url: job.url.as_deref(),
                        log: &job.log,
                    })
                    .collect(),
            })
            .collect(),
    }
}
