//! The report on a staging as one self-contained page, for people outside of the team: no script, no request to another
//! host. The template and the style sheet are in `templates/staging/`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::release::facts;
use super::timeline::timeline;
use super::words::{
    SHORT, combined_line, job_counts, pipeline_name, result, rollout_result, state_class, stops, symbol,
    symbol_of_class, time_of_day,
};
use crate::base::assets::Assets;
use crate::base::files::FileError;
use crate::base::template::TemplateError;
use crate::base::template::html::{HtmlTemplates, Markup, TextCleaner};
use crate::base::text::duration;
use crate::model::staging::PipelineCourse;
use crate::ops::stage::kubernetes::ReleaseProgress;
use crate::ops::stage::{PipelineOutcome, StagingProgress};

const PAGE: &str = "staging/report.html";
const STYLE: &str = "staging/report.css";

/// A page that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The template cannot be evaluated.
    #[error("the template `{PAGE}` is invalid: {0}")]
    Template(TemplateError),
    /// The template cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The template of the page, and its style sheet.
#[derive(Debug)]
pub struct ReportTemplates {
    page: String,
    style: String,
}

impl ReportTemplates {
    /// Reads the templates: those of the user, else the built-in ones.
    ///
    /// # Errors
    /// Fails if a template of the user cannot be read.
    pub fn read(assets: &Assets) -> Result<Self, FileError> {
        let text = |name: &str| {
            let asset = assets.text(name)?;
            Ok::<_, FileError>(asset.map(|asset| asset.text.into_owned()).unwrap_or_default())
        };
        Ok(Self { page: text(PAGE)?, style: text(STYLE)? })
    }
}

#[derive(Serialize)]
struct ReportPage<'a> {
    reference: String,
    title: &'a str,
    url: &'a str,
    state: &'a str,
    head: String,
    server: &'a str,
    read_at: String,
    style: Markup,
    style_hash: String,
    result: ResultView,
    request: Option<RequestLine<'a>>,
    notes: Vec<String>,
    pipelines: Vec<PipelineLine<'a>>,
    releases: Vec<ReleaseLines<'a>>,
    timeline: Option<Markup>,
    failures: Vec<FailureView<'a>>,
    environments: Vec<EnvironmentLine<'a>>,
}

#[derive(Serialize)]
struct ResultView {
    class: &'static str,
    symbol: &'static str,
    text: String,
}

#[derive(Serialize)]
struct RequestLine<'a> {
    author: String,
    at: String,
    url: &'a str,
    sha: Option<&'a str>,
    text: &'a str,
}

#[derive(Serialize)]
struct PipelineLine<'a> {
    level: usize,
    name: String,
    id: String,
    url: Option<&'a str>,
    project: &'a str,
    class: &'static str,
    symbol: &'static str,
    status: &'a str,
    jobs: String,
    took: String,
}

#[derive(Serialize)]
struct FailureView<'a> {
    name: &'a str,
    stage: &'a str,
    pipeline: u64,
    reason: Option<&'a str>,
    url: Option<&'a str>,
    log: String,
    no_log: &'a str,
}

#[derive(Serialize)]
struct ReleaseLines<'a> {
    name: &'a str,
    class: &'static str,
    symbol: &'static str,
    state: String,
    is_outdated: bool,
    facts: Vec<FactLine>,
    steps: Vec<StepLine<'a>>,
    failures: Vec<ContainerFailure<'a>>,
}

#[derive(Serialize)]
struct FactLine {
    label: &'static str,
    text: String,
    is_link: bool,
}

#[derive(Serialize)]
struct StepLine<'a> {
    at: String,
    object: &'a str,
    text: &'a str,
    class: &'static str,
}

#[derive(Serialize)]
struct ContainerFailure<'a> {
    pod: &'a str,
    container: &'a str,
    reason: &'a str,
    events: &'a [String],
    log: String,
}

#[derive(Serialize)]
struct EnvironmentLine<'a> {
    name: &'a str,
    state: &'a str,
    stops: String,
    url: Option<&'a str>,
}

/// Renders the page. `cleaner` hides secrets.
///
/// # Errors
/// Fails if the template is invalid.
pub fn page(
    progress: &StagingProgress,
    templates: &ReportTemplates,
    cleaner: &TextCleaner,
) -> Result<String, PageError> {
    let sources = BTreeMap::from([("report.html", templates.page.as_str())]);
    let pipelines = progress.pipelines.iter().map(|one| 1 + one.failed.len());
    let releases = progress.releases.iter().map(|one| 20 + one.steps.len() + 10 * one.failed.len());
    let items = pipelines.chain(releases).sum::<usize>();
    let evaluator =
        HtmlTemplates::new(sources, cleaner, 100 + items).map_err(|(_, error)| PageError::Template(error))?;
    evaluator.render("report.html", &view(progress, templates, cleaner)).map_err(PageError::Template)
}

fn view<'a>(
    progress: &'a StagingProgress,
    templates: &ReportTemplates,
    cleaner: &TextCleaner,
) -> ReportPage<'a> {
    let facts = &progress.merge_request;
    let (class, symbol, text) = result(progress);
    let titled = progress
        .pipelines
        .iter()
        .filter_map(|one| Some((format!("{} {}", one.group, one.branch), one.course.as_ref()?)));
    ReportPage {
        reference: facts.reference(),
        title: &facts.title,
        url: &facts.url,
        state: &facts.state,
        head: facts.head.chars().take(SHORT).collect(),
        server: &progress.server,
        read_at: time_of_day(&progress.read_at.to_string()),
        style: Markup(templates.style.clone()),
        style_hash: STANDARD.encode(Sha256::digest(templates.style.as_bytes())),
        result: ResultView { class, symbol, text },
        request: progress.request.as_ref().map(|one| RequestLine {
            author: format!("@{}", one.author),
            at: time_of_day(&one.comment.created_at),
            url: &one.comment.url,
            sha: one.sha.as_deref(),
            text: &one.text,
        }),
        notes: notes(progress),
        pipelines: progress.pipelines.iter().flat_map(|one| lines(one, progress)).collect(),
        releases: progress.releases.iter().map(|one| release_lines(one, progress)).collect(),
        timeline: timeline(&titled.collect::<Vec<_>>(), &progress.releases, progress.read_at, cleaner)
            .map(Markup),
        failures: progress.pipelines.iter().flat_map(failures).collect(),
        environments: progress
            .environments
            .iter()
            .map(|one| EnvironmentLine {
                name: &one.name,
                state: one.state.as_deref().unwrap_or("–"),
                stops: stops(one, progress.read_at).unwrap_or_else(|| "–".to_owned()),
                url: one.url.as_deref(),
            })
            .collect(),
    }
}

/// Returns what the reader must know beside the facts.
pub(super) fn notes(progress: &StagingProgress) -> Vec<String> {
    let outdated = progress.outdated.as_ref().map(|one| {
        let sha = one.sha.as_deref().map_or("an older commit", |sha| sha.get(..SHORT).unwrap_or(sha));
        format!(
            "@{} requested staging at {} for {sha}, and the head has changed since.",
            one.author,
            time_of_day(&one.comment.created_at)
        )
    });
    let combined = progress.combined.iter().map(combined_line);
    combined.chain(outdated).chain(progress.unread.iter().cloned()).collect()
}

fn lines<'a>(outcome: &'a PipelineOutcome, progress: &StagingProgress) -> Vec<PipelineLine<'a>> {
    let Some(course) = &outcome.course else {
        return vec![PipelineLine {
            level: 0,
            name: format!("{} {}", outcome.group, outcome.branch),
            id: outcome.id.map_or_else(|| "–".to_owned(), |id| id.to_string()),
            url: outcome.url.as_deref(),
            project: outcome.project.as_deref().unwrap_or("–"),
            class: state_class(&outcome.status),
            symbol: symbol(&outcome.status),
            status: outcome.status.as_str(),
            jobs: "–".to_owned(),
            took: "–".to_owned(),
        }];
    };
    let line = |(level, one): (usize, &'a PipelineCourse)| PipelineLine {
        level,
        name: pipeline_name(outcome, one),
        id: one.id.to_string(),
        url: one.url.as_deref(),
        project: &one.project,
        class: state_class(&one.status),
        symbol: symbol(&one.status),
        status: one.status.as_str(),
        jobs: job_counts(one).unwrap_or_else(|| "–".to_owned()),
        took: one.span.lasted(progress.read_at).map_or_else(|| "–".to_owned(), duration),
    };
    course.all().into_iter().map(line).collect()
}

fn failures(outcome: &PipelineOutcome) -> impl Iterator<Item = FailureView<'_>> {
    outcome.failed.iter().map(|job| FailureView {
        name: &job.name,
        stage: &job.stage,
        pipeline: job.pipeline,
        reason: job.reason.as_deref(),
        url: job.url.as_deref(),
        log: job.log.join("\n"),
        no_log: job.no_log.as_deref().unwrap_or("The log is empty."),
    })
}

fn release_lines<'a>(one: &'a ReleaseProgress, progress: &StagingProgress) -> ReleaseLines<'a> {
    let (class, state) = rollout_result(&one.rollout);
    let fact = |(label, text): (&'static str, String)| FactLine { label, is_link: label == "Address", text };
    ReleaseLines {
        name: &one.remains.name,
        class,
        symbol: symbol_of_class(class),
        state,
        is_outdated: !one.is_of(&progress.merge_request.head),
        facts: facts(one, Some(progress.read_at)).into_iter().map(fact).collect(),
        steps: one
            .steps
            .iter()
            .map(|step| StepLine {
                at: time_of_day(&step.at.to_string()),
                object: &step.object,
                text: &step.text,
                class: if step.is_warning { "bad" } else { "idle" },
            })
            .collect(),
        failures: one
            .failed
            .iter()
            .map(|failed| ContainerFailure {
                pod: &failed.pod,
                container: &failed.container,
                reason: &failed.reason,
                events: &failed.events,
                log: failed.log.join("\n"),
            })
            .collect(),
    }
}
