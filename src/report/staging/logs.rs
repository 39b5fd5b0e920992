//! The ends of the logs of jobs and containers.

use serde::Serialize;

use super::words::{paint, symbol};
use crate::base::text::safe_line;
use crate::ops::stage::{ContainerLog, JobLog, StagingLogs};
use crate::report::view;
use crate::ui::{Ui, style};

#[derive(Serialize)]
struct LogsView<'a> {
    jobs: Vec<JobLogView<'a>>,
    containers: Vec<ContainerLogView<'a>>,
}

#[derive(Serialize)]
struct ContainerLogView<'a> {
    release: &'a str,
    pod: &'a str,
    container: &'a str,
    trouble: Option<&'a str>,
    is_previous: bool,
    log: &'a [String],
    unread: Option<&'a str>,
}

#[derive(Serialize)]
struct JobLogView<'a> {
    pipeline: &'a str,
    pipeline_id: u64,
    name: &'a str,
    id: u64,
    status: &'a str,
    url: Option<&'a str>,
    log: &'a [String],
    unread: Option<&'a str>,
}

/// Prints the logs.
pub fn print_logs(ui: &Ui, logs: &StagingLogs) {
    let StagingLogs { jobs, containers } = logs;
    if ui.is_structured() {
        let containers = containers.iter().map(container_view).collect();
        return view::print(ui, &LogsView { jobs: jobs.iter().map(log_view).collect(), containers });
    }
    if ui.is_names() {
        let pods = containers.iter().map(|one| one.pod.clone());
        return ui.names(jobs.iter().map(|one| one.id.to_string()).chain(pods));
    }
    for (at, one) in jobs.iter().enumerate() {
        let state =
            paint(&one.status)(&format!("{} {}", symbol(&one.status), safe_line(one.status.as_str())));
        let name = style::name(&safe_line(&format!("{} · {}", one.pipeline, one.name)));
        let url = style::dim(&safe_line(one.url.as_deref().unwrap_or_default()));
        let head = format!("{name}  {state}  {url}");
        print_log(ui, at, head.trim_end(), &one.lines, one.unread.as_deref());
    }
    for (at, one) in containers.iter().enumerate() {
        let name = style::name(&safe_line(&format!("{} · {}", one.pod, one.container)));
        let before = if one.is_previous { style::dim("  of its run before") } else { String::new() };
        let trouble = one.trouble.as_deref().map(|text| style::bad(&safe_line(&format!("  ✘ {text}"))));
        let head = format!("{name}{}{before}", trouble.unwrap_or_default());
        print_log(ui, at, &head, &one.lines, one.unread.as_deref());
    }
    if jobs.is_empty() && containers.is_empty() {
        ui.status(&style::dim("Nothing has failed; `--all` shows all logs."));
    }
}

fn print_log(ui: &Ui, at: usize, head: &str, lines: &[String], unread: Option<&str>) {
    if at > 0 {
        ui.data("");
    }
    ui.data(head);
    for line in lines {
        ui.data(&format!("  {}", safe_line(line)));
    }
    if let Some(why) = unread {
        ui.data(&format!("  {}", style::dim(&safe_line(why))));
    }
}

fn container_view(one: &ContainerLog) -> ContainerLogView<'_> {
    ContainerLogView {
        release: &one.release,
        pod: &one.pod,
        container: &one.container,
        trouble: one.trouble.as_deref(),
        is_previous: one.is_previous,
        log: &one.lines,
        unread: one.unread.as_deref(),
    }
}

fn log_view(one: &JobLog) -> JobLogView<'_> {
    JobLogView {
        pipeline: &one.pipeline,
        pipeline_id: one.pipeline_id,
        name: &one.name,
        id: one.id,
        status: one.status.as_str(),
        url: one.url.as_deref(),
        log: &one.lines,
        unread: one.unread.as_deref(),
    }
}
