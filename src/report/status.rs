//! Report of `cki status`: environments, workloads, and the way of a merge request to production, as text.

use std::time::Duration;

use jiff::Timestamp;

use super::status_view::{arrival_view, status_view};
use crate::base::text::{Cell, Fit, Table, duration, plural, safe_line};
use crate::model::staging::PipelineStatus;
use crate::model::staging::kubernetes::Rollout;
use crate::ops::status::{
    Arrival, ArrivalState, ClusterStatus, DeployPipeline, EnvironmentDeployment, EnvironmentStatus,
    ProjectStatus, StatusReading, WorkloadStatus,
};
use crate::report::staging::{paint, symbol};
use crate::report::view;
use crate::ui::{Ui, style};

/// Number of characters of a commit, and of a digest with its algorithm, to show.
const SHORT: usize = 7;
const DIGEST: usize = 19;
/// Age from which hours do not matter.
const DAYS: Duration = Duration::from_secs(2 * 86_400);
/// Cell without a value.
const NONE: &str = "–";

/// Prints what runs where.
pub fn print(ui: &Ui, reading: &StatusReading, now: Timestamp) {
    if ui.is_structured() {
        return view::print(ui, &status_view(reading));
    }
    if ui.is_names() {
        let environments = reading.projects.iter().flat_map(|project| {
            project.environments.iter().map(move |one| format!("{}:{}", project.project, one.name))
        });
        let workloads = reading.clusters.iter().flat_map(|cluster| {
            let target = &cluster.target;
            cluster.workloads.iter().map(move |one| {
                let kind = one.workload.kind.to_lowercase();
                format!("{}/{}/{kind}/{}", target.context, target.namespace, one.workload.name)
            })
        });
        return ui.names(environments.chain(workloads));
    }
    let mut sections: Vec<Vec<String>> = Vec::new();
    for project in reading.projects.iter().filter(|one| !one.environments.is_empty()) {
        sections.push(project_lines(ui, project, now));
    }
    for cluster in reading.clusters.iter().filter(|one| !one.workloads.is_empty()) {
        sections.push(cluster_lines(ui, cluster, now));
    }
    ui.pages(sections.join(&String::new()));
    print_unread(ui, reading);
    let environments: usize = reading.projects.iter().map(|one| one.environments.len()).sum();
    let workloads: usize = reading.clusters.iter().map(|one| one.workloads.len()).sum();
    let mut counts = vec![format!(
        "{} of {}",
        plural(environments, "environment"),
        plural(reading.projects.len(), "project")
    )];
    if !reading.clusters.is_empty() {
        counts.push(plural(workloads, "workload"));
    }
    ui.status(&style::dim(&format!("{}.", counts.join(" · "))));
}

/// Says what could not be read, and why.
fn print_unread(ui: &Ui, reading: &StatusReading) {
    let dim = |text: String| ui.status(&style::dim(&safe_line(&text)));
    for project in &reading.projects {
        let path = &project.project;
        for one in &project.unread {
            dim(format!("{path}: {one}"));
        }
        if let Some(error) = &project.failure {
            dim(format!("{path}: not read: {error}."));
        }
        if project.environments.is_empty() && project.failure.is_none() {
            dim(format!("{path}: no environments on GitLab."));
        }
    }
    for cluster in &reading.clusters {
        for one in &cluster.unread {
            dim(format!("{} ({}): {one}", cluster.place.as_str(), cluster.target.context));
        }
        if cluster.workloads.is_empty() && cluster.unread.is_empty() {
            let namespace = &cluster.target.namespace;
            dim(format!(
                "{}: the namespace {namespace} has no workload of these names.",
                cluster.place.as_str()
            ));
        }
    }
    if !reading.without_project.is_empty() {
        dim(format!("No project is known of {}.", reading.without_project.join(", ")));
    }
}

fn project_lines(ui: &Ui, project: &ProjectStatus, now: Timestamp) -> Vec<String> {
    let heading = heading(&project.project, &project.components.join(", "), ui.columns());
    let fits = [Fit::Cut, Fit::Whole, Fit::Whole, Fit::Whole, Fit::Whole, Fit::Optional, Fit::Optional];
    let mut table = Table::new(2, &fits);
    let head = ["ENVIRONMENT", "STATE", "COMMIT", "MR", "SINCE", "JOB", "TITLE"];
    table.row(head.map(|text| Cell::styled(text, style::dim)));
    for one in &project.environments {
        if let Some(current) = &one.current {
            table.row(deployment_row(&one.name, current, now));
        }
        if let Some(newest) = &one.newest {
            let name = if one.current.is_some() { "" } else { one.name.as_str() };
            table.row(deployment_row(name, newest, now));
        }
        if one.current.is_none() && one.newest.is_none() {
            table.row([Cell::styled(one.name.as_str(), style::name), "nothing deployed".into()]);
        }
    }
    [heading, table.lines(ui.columns())].concat()
}

fn deployment_row(name: &str, one: &EnvironmentDeployment, now: Timestamp) -> [Cell; 7] {
    let merge_request = one.merge_request.as_ref();
    [
        Cell::styled(name, style::name),
        Cell::styled(format!("{} {}", symbol(&one.status), one.status), paint(&one.status)),
        short(&one.sha).into(),
        merge_request.map_or_else(|| NONE.to_owned(), |found| format!("!{}", found.iid)).into(),
        since(one.at, now).into(),
        Cell::styled(one.job.as_ref().map(|job| job.name.clone()).unwrap_or_default(), style::dim),
        Cell::styled(merge_request.map(|found| found.title.clone()).unwrap_or_default(), style::dim),
    ]
}

fn cluster_lines(ui: &Ui, cluster: &ClusterStatus, now: Timestamp) -> Vec<String> {
    let target = &cluster.target;
    let about = format!("context {}, namespace {}", target.context, target.namespace);
    let heading = heading(cluster.place.as_str(), &about, ui.columns());
    let mut table = Table::new(2, &[Fit::Whole, Fit::Whole, Fit::Cut, Fit::Whole, Fit::Whole]);
    let head = ["WORKLOAD", "STATE", "IMAGE", "DIGEST", "SINCE"];
    table.row(head.map(|text| Cell::styled(text, style::dim)));
    for one in &cluster.workloads {
        workload_rows(&mut table, one, now);
    }
    [heading, table.lines(ui.columns())].concat()
}

fn workload_rows(table: &mut Table, one: &WorkloadStatus, now: Timestamp) {
    let workload = &one.workload;
    let (mark, state, paint): (_, _, fn(&str) -> String) = match &workload.health {
        Rollout::Done(text) => ("✔", text, style::good),
        Rollout::Failed(text) => ("✘", text, style::bad),
        Rollout::Progressing(text) => ("●", text, style::warn),
    };
    let state = state.replace(" pods ", " ");
    for (number, container) in workload.containers.iter().enumerate() {
        let is_first = number == 0;
        let name = if is_first { workload.name.clone() } else { format!("  {}", container.name) };
        // A digest has a column of its own.
        let image = container.image.split('@').next().unwrap_or_default();
        let digest: String =
            container.digests.first().map_or(NONE, String::as_str).chars().take(DIGEST).collect();
        let more = if container.digests.len() > 1 {
            format!(" +{}", container.digests.len() - 1)
        } else {
            String::new()
        };
        table.row([
            Cell::styled(name, style::name),
            if is_first { Cell::styled(format!("{mark} {state}"), paint) } else { "".into() },
            image.into(),
            format!("{}{more}", digest.trim_start_matches("sha256:")).into(),
            if is_first { since(workload.since, now).into() } else { "".into() },
        ]);
    }
}

/// Prints the way of a merge request to production. `again` shows it again.
pub fn print_arrival(ui: &Ui, arrival: &Arrival, now: Timestamp, again: &str) {
    if ui.is_structured() {
        return view::print(ui, &arrival_view(arrival));
    }
    if ui.is_names() {
        let there = arrival.environments.iter().filter(|(_, has)| *has == Some(true));
        return ui.names(there.map(|(one, _)| format!("{}:{}", arrival.project, one.name)));
    }
    let found = &arrival.merge_request;
    let name = format!("{} !{}", arrival.project, found.iid);
    ui.lines(heading(&name, &found.title, ui.columns()));
    let mut facts = vec![found.state.clone()];
    if let Some(commit) = &arrival.commit {
        facts.push(format!("{} into {}", short(commit), found.target_branch));
        facts.push(since(arrival.merged_at, now));
    }
    ui.data(&style::dim(&safe_line(&facts.join(" · "))));
    if !arrival.environments.is_empty() {
        ui.data("");
        ui.lines(environment_table(arrival, now).lines(ui.columns()));
    }
    for pipeline in &arrival.pipelines {
        ui.data("");
        ui.lines(pipeline_lines(ui, pipeline));
    }
    for one in &arrival.unread {
        ui.status(&style::dim(&safe_line(one)));
    }
    let hints = [format!("`{again}` looks again.")];
    match arrival.state() {
        ArrivalState::Arrived => ui.status(&format!("{} Production runs it.", style::good("✔"))),
        ArrivalState::NotMerged => ui.status("It is not merged, so nothing deploys it."),
        ArrivalState::UnderWay => ui.status(&format!("Under way; {}", hints[0])),
        ArrivalState::Failed => {
            ui.error("production does not run it: a job on the way has failed.", &[], &hints);
        }
        ArrivalState::Waiting => ui.status("Production does not run it, and nothing is under way."),
        ArrivalState::Unknown => ui.status("GitLab shows no environment of production."),
    }
}

fn environment_table(arrival: &Arrival, now: Timestamp) -> Table {
    let mut table = Table::new(2, &[Fit::Cut, Fit::Whole, Fit::Whole, Fit::Whole, Fit::Optional]);
    let head = ["ENVIRONMENT", "HAS IT", "RUNS", "SINCE", "UNDER WAY"];
    table.row(head.map(|text| Cell::styled(text, style::dim)));
    for (one, has) in &arrival.environments {
        let has = match has {
            Some(true) => Cell::styled("✔ yes", style::good),
            Some(false) => Cell::styled("○ no", style::dim),
            None => "unknown".into(),
        };
        let current = one.current.as_ref();
        table.row([
            Cell::styled(one.name.as_str(), style::name),
            has,
            current.map_or_else(|| NONE.to_owned(), |current| short(&current.sha)).into(),
            since(current.and_then(|current| current.at), now).into(),
            under_way(one),
        ]);
    }
    table
}

fn under_way(one: &EnvironmentStatus) -> Cell {
    let Some(newest) = &one.newest else { return "".into() };
    let job = newest.job.as_ref().map(|job| format!(" {}", job.name)).unwrap_or_default();
    Cell::styled(format!("{} {}{job}", symbol(&newest.status), newest.status), paint(&newest.status))
}

fn pipeline_lines(ui: &Ui, pipeline: &DeployPipeline) -> Vec<String> {
    let (all, ended) = pipeline.jobs;
    let state = format!("{} {}", symbol(&pipeline.status), pipeline.status);
    let counts = style::dim(&format!("{ended} of {} ended", plural(all, "job")));
    let head = format!("Pipeline {}  {}  {counts}", pipeline.id, paint(&pipeline.status)(&safe_line(&state)));
    let mut table = Table::new(2, &[Fit::Cut, Fit::Whole, Fit::Optional]);
    for one in &pipeline.open {
        let is_manual = one.status == PipelineStatus::Manual;
        let state = if is_manual {
            "○ waits for a person".to_owned()
        } else {
            format!("{} {}", symbol(&one.status), one.status)
        };
        let url = one.job.url.clone().unwrap_or_default();
        table.row([
            one.job.name.as_str().into(),
            Cell::styled(state, paint(&one.status)),
            Cell::styled(url, style::dim),
        ]);
    }
    [vec![head], table.lines(ui.columns())].concat()
}

fn heading(name: &str, about: &str, columns: Option<usize>) -> Vec<String> {
    let line = format!("{}  {}", style::name(&safe_line(name)), style::dim(&safe_line(about)));
    crate::base::text::wrap_styled(line.trim_end(), columns.unwrap_or(usize::MAX))
}

fn short(sha: &str) -> String {
    if sha.is_empty() { NONE.to_owned() } else { sha.chars().take(SHORT).collect() }
}

/// Returns how long ago something was, for people.
pub(super) fn since(at: Option<Timestamp>, now: Timestamp) -> String {
    let Some(at) = at else { return NONE.to_owned() };
    match Duration::try_from(now.duration_since(at)) {
        Ok(span) if span >= DAYS => format!("{} d ago", span.as_secs() / 86_400),
        Ok(span) if span >= Duration::from_secs(1) => format!("{} ago", duration(span)),
        _ => "just now".to_owned(),
    }
}
