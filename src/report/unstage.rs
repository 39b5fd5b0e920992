//! Report of `cki unstage`: the objects that it removes, and the result.

use serde::Serialize;

use crate::base::text::{plural, safe_line};
use crate::model::staging::kubernetes::{ReleaseRemains, RemainingObject};
use crate::ops::unstage::UnstageOutcome;
use crate::report::view;
use crate::systems::kubectl::ClusterTarget;
use crate::ui::{Ui, style};

#[derive(Serialize)]
struct UnstageView<'a> {
    context: Option<&'a str>,
    namespace: Option<&'a str>,
    dry_run: bool,
    releases: Vec<RemovedReleaseView<'a>>,
    remaining: Vec<String>,
    environments: Vec<String>,
    failures: &'a [String],
}

#[derive(Serialize)]
struct RemovedReleaseView<'a> {
    name: &'a str,
    project: Option<&'a str>,
    component: Option<&'a str>,
    merge_request: Option<u64>,
    head: &'a str,
    image: Option<&'a str>,
    expires_at: Option<String>,
    objects: Vec<String>,
    left_alone: Vec<String>,
}

fn names(objects: &[RemainingObject]) -> Vec<String> {
    objects.iter().map(|one| format!("{}/{}", one.kind.to_lowercase(), one.name)).collect()
}

/// Prints the objects that will be removed, and the environments that will be stopped.
pub fn print_plan(ui: &Ui, outcome: &UnstageOutcome, target: Option<&ClusterTarget>) {
    if let Some(target) = target {
        let place = format!("{}, namespace {}", safe_line(&target.context), safe_line(&target.namespace));
        ui.status(&format!("{:<11}{place}", "Cluster"));
    }
    for release in &outcome.releases {
        let project = release.project_path.as_deref().unwrap_or("unknown project");
        let number = release.merge_request.map_or_else(String::new, |number| format!(" !{number}"));
        let head = style::dim(&safe_line(&format!("{project}{number}")));
        ui.status(&format!("{}  {head}", style::name(&safe_line(&release.name))));
        for object in &release.objects {
            ui.status(&format!("  {} {}", object.kind, safe_line(&object.name)));
        }
        for object in &release.foreign {
            let text = format!("  {} {} has another owner and stays", object.kind, safe_line(&object.name));
            ui.status(&style::dim(&text));
        }
    }
    for one in &outcome.environments {
        let project = style::dim(&safe_line(&one.project));
        ui.status(&format!("Environment {}  {project}", style::name(&safe_line(&one.name))));
    }
}

/// Prints the result.
pub fn print(ui: &Ui, outcome: &UnstageOutcome, target: Option<&ClusterTarget>) {
    if ui.is_structured() {
        return view::print(ui, &unstage_view(outcome, target));
    }
    if ui.is_names() {
        return ui.names(outcome.releases.iter().flat_map(|one| names(&one.objects)));
    }
    let count: usize = outcome.releases.iter().map(|one| one.objects.len()).sum();
    if count == 0 && outcome.environments.is_empty() {
        return ui.status(&match target {
            Some(target) => {
                format!("Nothing to remove in the namespace {}.", safe_line(&target.namespace))
            }
            None => "Nothing to remove.".to_owned(),
        });
    }
    if outcome.is_dry_run {
        print_plan(ui, outcome, target);
        return ui.status("Nothing was removed.");
    }
    if !outcome.remaining.is_empty() {
        let left = names(&outcome.remaining).join(", ");
        if outcome.signal.is_some() {
            ui.status(&format!(
                "Stopped; not removed yet: {}. The same command removes it.",
                safe_line(&left)
            ));
        } else {
            let text = format!("the cluster has not removed everything yet: {}.", safe_line(&left));
            ui.error(&text, &[], &["the same command looks again.".to_owned()]);
        }
    } else if let Some(target) = target.filter(|_| count > 0) {
        let namespace = safe_line(&target.namespace);
        let objects = plural(count, "object");
        ui.status(&format!("{} Removed {objects} from the namespace {namespace}.", style::good("✔")));
    }
    for failure in &outcome.failures {
        ui.warning(&safe_line(failure));
    }
    let stopped = outcome.environments.len() - outcome.failures.len();
    if stopped > 0 {
        ui.status(&format!("{} Stopped {}.", style::good("✔"), plural(stopped, "environment")));
    }
}

fn unstage_view<'a>(outcome: &'a UnstageOutcome, target: Option<&'a ClusterTarget>) -> UnstageView<'a> {
    let release = |one: &'a ReleaseRemains| RemovedReleaseView {
        name: &one.name,
        project: one.project_path.as_deref(),
        component: one.component.as_deref(),
        merge_request: one.merge_request,
        head: &one.head,
        image: one.image.as_deref(),
        expires_at: one.expires_at.map(|at| at.to_string()),
        objects: names(&one.objects),
        left_alone: names(&one.foreign),
    };
    UnstageView {
        context: target.map(|target| target.context.as_str()),
        namespace: target.map(|target| target.namespace.as_str()),
        dry_run: outcome.is_dry_run,
        releases: outcome.releases.iter().map(release).collect(),
        remaining: names(&outcome.remaining),
        environments: outcome.environments.iter().map(|one| one.name.clone()).collect(),
        failures: &outcome.failures,
    }
}
