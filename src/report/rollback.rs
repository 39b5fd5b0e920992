//! Report of `cki rollback`: what runs, what it would become, the requests of a revert, and its result.

use serde::Serialize;
use serde_json::Value;

use crate::base::text::safe_line;
use crate::ops::rollback::{
    DeployedCommit, ImageError, ImagePlan, RevertOutcome, RevertPlan, RevertWork, RollbackError,
};
use crate::report::rollback_image::{line, print_facts};
use crate::report::status::since;
use crate::report::view;
use crate::systems::gitlab::RequestPreview;
use crate::ui::{Ui, style};

/// Number of characters of a commit to show.
const SHORT: usize = 12;

#[derive(Serialize)]
struct RollbackView<'a> {
    component: &'a str,
    project: &'a str,
    environment: Option<&'a str>,
    sha: &'a str,
    reverted_merge_request: Option<u64>,
    target_branch: &'a str,
    branch: &'a str,
    title: &'a str,
    requests: Vec<RevertStepView>,
    merge_request: Option<RevertView<'a>>,
    is_new: bool,
    is_recorded: bool,
}

#[derive(Serialize)]
struct RollbackOverviewView<'a> {
    component: &'a str,
    project: &'a str,
    environment: Option<&'a str>,
    sha: Option<&'a str>,
    since: Option<String>,
    merge_request: Option<u64>,
    workload: Option<String>,
    image: Option<String>,
    previous_image: Option<&'a str>,
}

#[derive(Serialize)]
struct RevertStepView {
    method: &'static str,
    path: String,
    body: Value,
}

#[derive(Serialize)]
struct RevertView<'a> {
    number: u64,
    url: &'a str,
}

/// Prints what production runs.
pub fn print_deployed(ui: &Ui, component: &str, project: &str, found: &DeployedCommit, now: jiff::Timestamp) {
    ui.status(&format!("{}  {}", style::name(&safe_line(component)), style::dim(&safe_line(project))));
    let current = &found.deployment;
    let commit: String = current.sha.chars().take(SHORT).collect();
    let age = since(current.at, now);
    line(ui, "Runs", &safe_line(&format!("{commit} in {}, deployed {age}", found.environment)));
    if let Some(shipped) = &current.merge_request {
        line(ui, "From", &safe_line(&format!("!{}  {}", shipped.iid, shipped.title)));
    }
    if let Some(newest) = &found.newest {
        let commit: String = newest.sha.chars().take(SHORT).collect();
        ui.warning(&format!(
            "A deployment of {} is {}; what runs may change.",
            safe_line(&commit),
            newest.status
        ));
    }
}

/// Prints what production runs, and both ways back.
pub fn print_overview(
    ui: &Ui,
    component: &str,
    project: &str,
    found: Result<&DeployedCommit, &RollbackError>,
    image: Option<&Result<ImagePlan, ImageError>>,
    now: jiff::Timestamp,
) {
    let plan = image.and_then(|image| image.as_ref().ok());
    if ui.is_structured() {
        let current = found.ok().map(|one| &one.deployment);
        return view::print(
            ui,
            &RollbackOverviewView {
                component,
                project,
                environment: found.ok().map(|one| one.environment.as_str()),
                sha: current.map(|one| one.sha.as_str()),
                since: current.and_then(|one| one.at).map(|at| at.to_string()),
                merge_request: current.and_then(|one| one.merge_request.as_ref()).map(|one| one.iid),
                workload: plan.map(|plan| format!("{}/{}", plan.kind.to_lowercase(), plan.name)),
                image: plan.map(ImagePlan::current),
                previous_image: plan.map(|plan| plan.new_image.as_str()),
            },
        );
    }
    match found {
        Ok(found) => print_deployed(ui, component, project, found, now),
        Err(error) => ui.warning(&format!("{}.", safe_line(&error.to_string()))),
    }
    match image {
        Some(Ok(plan)) => print_facts(ui, plan, now),
        Some(Err(error)) => ui.warning(&format!("{}.", safe_line(&error.to_string()))),
        None => ui.status(&style::dim("The settings name no cluster of production.")),
    }
    let merge_request = found.ok().and_then(|one| one.deployment.merge_request.as_ref());
    if let Some(shipped) = merge_request {
        let number = shipped.iid;
        ui.hint(&format!(
            "`cki rollback {component} --revert --reason TEXT` opens a revert of !{number}: the lasting way."
        ));
    }
    if plan.is_some() {
        ui.hint(&format!(
            "`cki rollback {component} --to previous --reason TEXT` sets the image before, until the next deployment."
        ));
    }
}

/// Prints the plan of a revert, with everything that is sent in the user's name.
pub fn print_plan(ui: &Ui, component: &str, plan: &RevertPlan, now: jiff::Timestamp) {
    match &plan.deployed {
        Some(found) => print_deployed(ui, component, &plan.project, found, now),
        None => {
            let project = style::dim(&safe_line(&plan.project));
            ui.status(&format!("{}  {project}", style::name(&safe_line(component))));
        }
    }
    let from = plan.merge_request.as_ref().map(|one| format!(" of !{}", one.iid)).unwrap_or_default();
    line(ui, "Reverts", &safe_line(&format!("{}{from}", plan.sha)));
    line(ui, "Into", &safe_line(&plan.target_branch));
    if let RevertWork::Found(found) = &plan.work {
        line(ui, "Open", &safe_line(&format!("!{}  {}", found.iid, found.url)));
    }
    for (number, step) in plan.work.steps().into_iter().enumerate() {
        let call = step.preview();
        let text = format!("{} {}\n{:#}", call.method, call.path, call.body);
        for (row, text) in text.lines().enumerate() {
            let label = if number == 0 && row == 0 { "Sends" } else { "" };
            let paint = if row == 0 { style::command } else { style::dim };
            line(ui, label, &paint(&safe_line(text)));
        }
    }
}

/// Prints the result; without one, that of a dry run.
pub fn print(ui: &Ui, component: &str, plan: &RevertPlan, outcome: Option<&RevertOutcome>) {
    if ui.is_structured() {
        return view::print(ui, &rollback_view(component, plan, outcome));
    }
    let Some(outcome) = outcome else { return ui.status("Nothing was sent.") };
    let made = &outcome.merge_request;
    let name = format!("{}!{}", plan.project, made.iid);
    if ui.is_names() {
        return ui.names([name]);
    }
    let done = if outcome.is_new { "Opened" } else { "Already open:" };
    ui.status(&format!("{} {done} {}: {}", style::good("✔"), safe_line(&name), safe_line(&made.url)));
    if let Some(why) = &outcome.unrecorded {
        let reverted = plan.merge_request.as_ref().map(|one| one.iid).unwrap_or_default();
        ui.warning(&format!("No comment on !{reverted} records it: {}.", safe_line(why)));
    }
    ui.status(&style::dim(&format!(
        "Production changes when it is merged and deployed: `cki status {} --mr {name}` follows that.",
        safe_line(component)
    )));
}

fn rollback_view<'a>(
    component: &'a str,
    plan: &'a RevertPlan,
    outcome: Option<&'a RevertOutcome>,
) -> RollbackView<'a> {
    let request =
        |call: RequestPreview| RevertStepView { method: call.method, path: call.path, body: call.body };
    let made = outcome.map(|one| &one.merge_request).or(match &plan.work {
        RevertWork::Found(found) => Some(found),
        RevertWork::Steps(_) => None,
    });
    RollbackView {
        component,
        project: &plan.project,
        environment: plan.deployed.as_ref().map(|one| one.environment.as_str()),
        sha: &plan.sha,
        reverted_merge_request: plan.merge_request.as_ref().map(|one| one.iid),
        target_branch: &plan.target_branch,
        branch: &plan.branch,
        title: &plan.title,
        requests: plan.work.steps().into_iter().map(|step| request(step.preview())).collect(),
        merge_request: made.map(|one| RevertView { number: one.iid, url: &one.url }),
        is_new: outcome.is_some_and(|one| one.is_new),
        is_recorded: outcome.is_some_and(|one| one.is_recorded),
    }
}
