//! The ends of the logs of jobs.

use serde::Serialize;

use super::words::{paint, symbol};
use crate::base::text::safe_line;
use crate::ops::stage::JobLog;
use crate::report::view;
use crate::ui::{Ui, style};

#[derive(Serialize)]
struct LogsView<'a> {
    jobs: Vec<JobLogView<'a>>,
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
pub fn print_logs(ui: &Ui, logs: &[JobLog]) {
    if ui.is_structured() {
        return view::print(ui, &LogsView { jobs: logs.iter().map(log_view).collect() });
    }
    if ui.is_names() {
        return ui.names(logs.iter().map(|one| one.id.to_string()));
    }
    for (at, one) in logs.iter().enumerate() {
        if at > 0 {
            ui.data("");
        }
        let state =
            paint(&one.status)(&format!("{} {}", symbol(&one.status), safe_line(one.status.as_str())));
        let name = style::name(&safe_line(&format!("{} · {}", one.pipeline, one.name)));
        let url = style::dim(&safe_line(one.url.as_deref().unwrap_or_default()));
        ui.data(format!("{name}  {state}  {url}").trim_end());
        for line in &one.lines {
            ui.data(&format!("  {}", safe_line(line)));
        }
        if let Some(why) = &one.unread {
            ui.data(&format!("  {}", style::dim(&safe_line(why))));
        }
    }
    if logs.is_empty() {
        ui.status(&style::dim("No job has failed; `--all` shows the logs of all jobs."));
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
