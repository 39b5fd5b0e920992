//! A timeline of pipelines and releases as a picture: a bar for each job, or for each stage of a large pipeline; for each
//! object and pod of a release. Its colours are in the style sheet of the page.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;

use super::words::{rollout_result, state_class};
use crate::base::template::html::TextCleaner;
use crate::base::text::{duration, truncate};
use crate::model::staging::kubernetes::SpanState;
use crate::model::staging::{PipelineCourse, PipelineStatus, WorkSpan};
use crate::ops::stage::kubernetes::ReleaseProgress;

/// Maximum number of bars: above it, stages take the place of jobs.
const MOST_BARS: usize = 80;
/// Maximum number of lines of the picture.
const MOST_LINES: usize = 400;
/// Width of the picture, of the names at its left, and of the times at its right.
const WIDTH: f64 = 960.0;
const NAMES: f64 = 260.0;
const TIMES: f64 = 90.0;
/// Height of a line.
const LINE: f64 = 22.0;
/// Maximum characters of a name.
const LONGEST_NAME: usize = 34;

/// A line of the picture.
struct Bar {
    name: String,
    /// Level of the pipeline, for the heading of one.
    heading: bool,
    level: usize,
    /// Class of its state, and the state in words.
    state: (&'static str, String),
    span: WorkSpan,
}

/// Draws pipelines and releases; `None` if none of them has begun.
pub(super) fn timeline(
    pipelines: &[(String, &PipelineCourse)],
    releases: &[ReleaseProgress],
    now: Timestamp,
    cleaner: &TextCleaner,
) -> Option<String> {
    let mut bars = bars(pipelines);
    releases.iter().for_each(|one| add_release(&mut bars, one));
    let whole = WorkSpan::around(bars.iter().map(|bar| bar.span));
    let from = whole.from?;
    let to = whole.to.unwrap_or(now).max(from);
    let total = Duration::try_from(to.duration_since(from)).ok()?.max(Duration::from_secs(1));
    let shown = bars.len().min(MOST_LINES);
    let height = LINE * (shown as f64 + 1.0) + 6.0;
    let mut svg = format!(
        "<svg class=\"timeline\" viewBox=\"0 0 {WIDTH:.0} {height:.0}\" width=\"{WIDTH:.0}\" height=\"{height:.0}\" \
         role=\"img\" aria-label=\"Timeline of {}\">",
        if releases.is_empty() { "pipelines, stages and jobs" } else { "releases, objects and pods" }
    );
    let x = |at: Timestamp| {
        let since = at.duration_since(from).as_secs_f64().clamp(0.0, total.as_secs_f64());
        NAMES + since / total.as_secs_f64() * (WIDTH - NAMES - TIMES)
    };
    axis(&mut svg, total, height);
    for (line, bar) in bars.iter().take(shown).enumerate() {
        let y = LINE * (line as f64 + 1.0) + 4.0;
        let name = truncate(&bar.name, LONGEST_NAME);
        let class = if bar.heading { "heading" } else { "name" };
        let indent = 10.0 * bar.level as f64 + if bar.heading { 0.0 } else { 12.0 };
        let text_y = y + 13.0;
        let _ = write!(
            svg,
            "<text class=\"{class}\" x=\"{indent:.0}\" y=\"{text_y:.1}\">{}</text>",
            cleaner.escaped(&name)
        );
        let Some(start) = bar.span.from else { continue };
        let end = bar.span.to.unwrap_or(to);
        let (left, right) = (x(start), x(end.max(start)));
        let took = bar.span.lasted(to).map(duration).unwrap_or_default();
        let tip = cleaner.escaped(&format!("{}: {}, {took}", bar.name, bar.state.1));
        let (state, wide) = (bar.state.0, (right - left).max(2.0));
        let (top, thick) = if bar.heading { (y + 6.0, 4.0) } else { (y + 2.0, 14.0) };
        let _ = write!(
            svg,
            "<rect class=\"bar {state}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{wide:.1}\" height=\"{thick}\" rx=\"2\">\
             <title>{tip}</title></rect><text class=\"time\" x=\"{:.1}\" y=\"{text_y:.1}\">{}</text>",
            right.max(left + wide) + 6.0,
            cleaner.escaped(&took),
        );
    }
    svg.push_str("</svg>");
    Some(svg)
}

/// Draws lines at round times.
fn axis(svg: &mut String, total: Duration, height: f64) {
    let step = [1, 2, 5, 15, 30, 60, 300, 900, 1800, 3600, 10_800, 21_600, 86_400, 604_800]
        .into_iter()
        .find(|step| total.as_secs() / step <= 6)
        .unwrap_or(total.as_secs() / 6);
    for at in (0..=total.as_secs()).step_by(usize::try_from(step.max(1)).unwrap_or(usize::MAX)) {
        let x = NAMES + at as f64 / total.as_secs_f64() * (WIDTH - NAMES - TIMES);
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{x:.1}\" y1=\"{LINE}\" x2=\"{x:.1}\" y2=\"{height:.0}\"/>\
             <text class=\"time\" x=\"{x:.1}\" y=\"14\">{}</text>",
            duration(Duration::from_secs(at)),
        );
    }
}

fn bars(pipelines: &[(String, &PipelineCourse)]) -> Vec<Bar> {
    let jobs: usize = pipelines.iter().flat_map(|(_, one)| one.all()).map(|(_, one)| one.jobs.len()).sum();
    let mut bars = Vec::new();
    for (title, root) in pipelines {
        for (level, one) in root.all() {
            let name = match &one.trigger {
                Some(trigger) => format!("{trigger} {}", one.id),
                None => format!("{title} {}", one.id),
            };
            bars.push(Bar { name, heading: true, level, state: state(&one.status), span: one.span });
            if jobs > MOST_BARS {
                bars.extend(one.stages().into_iter().map(|stage| Bar {
                    name: format!("{} ({})", stage.name, stage.jobs.len()),
                    heading: false,
                    level,
                    state: state(&stage.status()),
                    span: stage.span(),
                }));
            } else {
                let own = one.jobs.iter().filter(|job| job.span.from.is_some());
                bars.extend(own.map(|job| Bar {
                    name: job.name.clone(),
                    heading: false,
                    level,
                    state: state(&job.status),
                    span: job.span,
                }));
            }
        }
    }
    bars
}

fn state(status: &PipelineStatus) -> (&'static str, String) {
    (state_class(status), status.to_string())
}

/// Adds the bars of a release: from the request to the end of the rollout, and for each object and pod.
fn add_release(bars: &mut Vec<Bar>, release: &ReleaseProgress) {
    let requested = release.remains.requested_at;
    let spans = || release.spans.iter().map(|one| one.span);
    let last = release.steps.last().map(|step| step.at);
    // A pod that never becomes ready has no end, and neither has a rollout that is under way.
    let end = release.has_ended().then(|| spans().filter_map(|one| one.to).chain(last).max()).flatten();
    let from = spans().filter_map(|one| one.from).chain(requested).min();
    let (name, span) = (release.remains.name.clone(), WorkSpan { from, to: end });
    bars.push(Bar { name, heading: true, level: 0, state: rollout_result(&release.rollout), span });
    bars.extend(release.spans.iter().map(|one| {
        let (class, word) = match one.state {
            SpanState::Busy => ("busy", "under way"),
            SpanState::Good => ("good", "done"),
            SpanState::Bad => ("bad", "failing"),
        };
        let span = WorkSpan { from: one.span.from, to: one.span.to.or(end) };
        Bar { name: one.object.clone(), heading: false, level: 0, state: (class, word.to_owned()), span }
    }));
}
