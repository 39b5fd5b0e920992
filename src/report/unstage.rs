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
    context: &'a str,
    namespace: &'a str,
    dry_run: bool,
    releases: Vec<RemovedReleaseView<'a>>,
    remaining: Vec<String>,
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

/// Prints the objects that will be removed.
pub fn print_plan(ui: &Ui, releases: &[ReleaseRemains], target: &ClusterTarget) {
    let place = format!("{}, namespace {}", safe_line(&target.context), safe_line(&target.namespace));
    ui.status(&format!("{:<11}{place}", "Cluster"));
    for release in releases {
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
}

/// Prints the result.
pub fn print(ui: &Ui, outcome: &UnstageOutcome, target: &ClusterTarget) {
    if ui.is_structured() {
        return view::print(ui, &unstage_view(outcome, target));
    }
    if ui.is_names() {
        return ui.names(outcome.releases.iter().flat_map(|one| names(&one.objects)));
    }
    let count: usize = outcome.releases.iter().map(|one| one.objects.len()).sum();
    let namespace = safe_line(&target.namespace);
    match (count, outcome.is_dry_run) {
        (0, _) => ui.status(&format!("Nothing to remove in the namespace {namespace}.")),
        (_, true) => {
            print_plan(ui, &outcome.releases, target);
            ui.status("Nothing was removed.");
        }
        (count, false) if outcome.remaining.is_empty() => {
            ui.status(&format!(
                "{} Removed {} from the namespace {namespace}.",
                style::good("✔"),
                plural(count, "object")
            ));
        }
        _ => {
            let left = names(&outcome.remaining).join(", ");
            let text = format!("the cluster has not removed everything yet: {}.", safe_line(&left));
            ui.error(&text, &[], &["the same command looks again.".to_owned()]);
        }
    }
}

fn unstage_view<'a>(outcome: &'a UnstageOutcome, target: &'a ClusterTarget) -> UnstageView<'a> {
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
        context: &target.context,
        namespace: &target.namespace,
        dry_run: outcome.is_dry_run,
        releases: outcome.releases.iter().map(release).collect(),
        remaining: names(&outcome.remaining),
    }
}
