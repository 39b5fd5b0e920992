//! Report of `cki rollback --to`: the change of production, and its result.

use serde::Serialize;
use serde_json::Value;

use crate::base::text::{command_line, duration, safe_line};
use crate::ops::rollback::{ImagePlan, RollbackRecord};
use crate::ops::stage::kubernetes::{ReleaseEnd, ReleaseOutcome};
use crate::report::release::end_words;
use crate::report::staging::{FailedContainerView, failed_view, print_failed_containers};
use crate::report::status::since;
use crate::report::view;
use crate::ui::{Ui, style};

#[derive(Serialize)]
struct ImageChangeView<'a> {
    component: &'a str,
    context: &'a str,
    namespace: &'a str,
    kind: &'a str,
    name: &'a str,
    container: &'a str,
    image: &'a str,
    digests: &'a [String],
    image_stream: Option<String>,
    new_image: &'a str,
    new_digest: &'a str,
    unchecked: Option<&'a str>,
    patched: String,
    patch_type: &'a str,
    patch: &'a Value,
    recorded_in: String,
    is_changed: bool,
    /// The end of the rollout, if it was followed.
    rollout: Option<RolloutView>,
    failed_containers: Vec<FailedContainerView<'a>>,
}

#[derive(Serialize)]
struct RolloutView {
    state: &'static str,
    message: Option<String>,
}

/// Number of digits of a digest to show.
const SHORT: usize = 12;

/// Prints a fact after its label.
pub(super) fn line(ui: &Ui, label: &str, text: &str) {
    ui.status(format!("{label:<11}{text}").trim_end());
}

/// Returns the name of an image with a short digest, so that it fits into a line. Commands and JSON have the whole one.
pub(super) fn short_image(image: &str) -> String {
    let Some((name, digest)) = image.split_once("sha256:") else { return image.to_owned() };
    let digits = digest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(digest.len());
    format!("{name}sha256:{}{}", &digest[..digits.min(SHORT)], &digest[digits..])
}

/// Returns the command that the program is called with.
fn call(plan: &ImagePlan) -> String {
    let change = &plan.change;
    let words = [
        "kubectl".to_owned(),
        format!("--context={}", plan.target.context),
        format!("--namespace={}", plan.target.namespace),
        "patch".to_owned(),
        change.kind.clone(),
        change.name.clone(),
        format!("--type={}", change.patch_type),
        format!("--patch={}", change.patch),
    ];
    command_line(&words)
}

/// Prints what runs and what it would become.
pub fn print_facts(ui: &Ui, plan: &ImagePlan, now: jiff::Timestamp) {
    let target = &plan.target;
    line(ui, "Cluster", &safe_line(&format!("{}, namespace {}", target.context, target.namespace)));
    line(
        ui,
        "Workload",
        &safe_line(&format!("{} {}, container {}", plan.kind, plan.name, plan.container.name)),
    );
    line(
        ui,
        "Image",
        &safe_line(&format!("{}, since {}", short_image(&plan.current()), since(plan.since, now))),
    );
    line(ui, "Becomes", &style::name(&safe_line(&short_image(&plan.new_image))));
    if let Some(tag) = &plan.stream {
        line(ui, "By", &safe_line(&format!("the tag {} of the ImageStream {}", tag.tag, tag.stream)));
    }
    if let Some(text) = &plan.unchecked {
        ui.warning(&safe_line(text));
    }
}

/// Prints the plan, with everything that is sent.
pub fn print_plan(
    ui: &Ui,
    plan: &ImagePlan,
    record: &RollbackRecord,
    body: &str,
    quiet: Option<&str>,
    now: jiff::Timestamp,
) {
    ui.status(&style::name(&safe_line(&plan.component)));
    print_facts(ui, plan, now);
    line(ui, "Runs", &style::command(&safe_line(&call(plan))));
    for (number, text) in body.lines().filter(|text| !text.is_empty()).enumerate() {
        let label = if number == 0 { format!("On !{}", record.iid) } else { String::new() };
        line(ui, &label, &style::dim(&safe_line(text)));
    }
    if let Some(reason) = quiet {
        ui.warning(&format!("By `production.quiet`, now is no time for changes: {reason}."));
    }
}

/// Prints the result of a dry run.
pub fn print_unchanged(ui: &Ui, plan: &ImagePlan, record: &RollbackRecord) {
    if !print_data(ui, plan, record, false, None) {
        ui.status("Nothing was changed.");
    }
}

/// Prints the result of a change, with the end of its rollout if that was followed.
pub fn print_changed(ui: &Ui, plan: &ImagePlan, record: &RollbackRecord, rollout: Option<&ReleaseOutcome>) {
    if print_data(ui, plan, record, true, rollout) {
        return;
    }
    let component = &plan.component;
    let (name, image) = (safe_line(&plan.name), safe_line(&short_image(&plan.new_image)).into_owned());
    rollout.iter().for_each(|rollout| print_failed_containers(ui, &rollout.failed));
    let shows = format!("`cki status {component}` shows the rollout.");
    let took = rollout.map(|rollout| duration(rollout.took)).unwrap_or_default();
    match rollout.map(|rollout| &rollout.end) {
        None | Some(ReleaseEnd::DryRun | ReleaseEnd::NotWaited) => {
            ui.status(&format!("{} `{name}` gets {image}.", style::good("✔")));
            ui.status(&style::dim(&shows));
        }
        Some(ReleaseEnd::Done(text)) => {
            let text = safe_line(text);
            ui.status(&format!("{} `{name}` runs {image} after {took}: {text}.", style::good("✔")));
        }
        Some(ReleaseEnd::Failed(text)) => {
            let back = plan.container.digests.first().map(|digest| {
                format!("`cki rollback {component} --to {digest} --reason TEXT` sets the image from before.")
            });
            let hints: Vec<String> = std::iter::once(shows).chain(back).collect();
            ui.error(&format!("`{name}` fails with {image}: {}.", safe_line(text)), &[], &hints);
        }
        Some(ReleaseEnd::TimedOut) => {
            ui.error(&format!("`{name}` has {image}, and is not rolled out after {took}."), &[], &[shows]);
        }
        Some(ReleaseEnd::Stopped(_)) => {
            ui.status(&format!("Not followed further; `{name}` keeps {image}. {shows}"));
        }
        Some(ReleaseEnd::Lost(error)) => {
            ui.error(&format!("{}.", safe_line(&error.to_string())), &[], &[shows]);
        }
    }
    ui.status(&style::dim(&format!(
        "The next deployment undoes it; `cki rollback {component} --revert` is the lasting way."
    )));
}

/// Prints the result as data; returns `false` if it is to be text.
fn print_data(
    ui: &Ui,
    plan: &ImagePlan,
    record: &RollbackRecord,
    is_changed: bool,
    rollout: Option<&ReleaseOutcome>,
) -> bool {
    if ui.is_structured() {
        view::print(ui, &image_view(plan, record, is_changed, rollout));
    } else if ui.is_names() {
        ui.names([format!("{}/{}", plan.kind.to_lowercase(), plan.name)]);
    }
    ui.is_structured() || ui.is_names()
}

fn image_view<'a>(
    plan: &'a ImagePlan,
    record: &RollbackRecord,
    is_changed: bool,
    rollout: Option<&'a ReleaseOutcome>,
) -> ImageChangeView<'a> {
    let ends = rollout.map(|rollout| end_words(&rollout.end));
    ImageChangeView {
        component: &plan.component,
        context: &plan.target.context,
        namespace: &plan.target.namespace,
        kind: &plan.kind,
        name: &plan.name,
        container: &plan.container.name,
        image: &plan.container.image,
        digests: &plan.container.digests,
        image_stream: plan.stream.as_ref().map(|tag| format!("{}:{}", tag.stream, tag.tag)),
        new_image: &plan.new_image,
        new_digest: &plan.new_digest,
        unchecked: plan.unchecked.as_deref(),
        patched: format!("{}/{}", plan.change.kind, plan.change.name),
        patch_type: plan.change.patch_type,
        patch: &plan.change.patch,
        recorded_in: format!("{}!{}", record.project, record.iid),
        is_changed,
        rollout: ends.map(|(state, message)| RolloutView { state, message }),
        failed_containers: rollout.iter().flat_map(|one| &one.failed).map(failed_view).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_image_keeps_what_is_no_long_digest() {
        let digest = "0123456789abcdef".repeat(4);
        assert_eq!(short_image(&format!("q.io/a/b@sha256:{digest}")), "q.io/a/b@sha256:0123456789ab");
        assert_eq!(short_image(&format!("web:1 (sha256:{digest})")), "web:1 (sha256:0123456789ab)");
        for image in ["q.io/a/b:mr-1", "q.io/a/b@sha256:é", "web:production"] {
            assert_eq!(short_image(image), image);
        }
    }
}
