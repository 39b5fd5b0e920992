//! The environment of GitLab in the plan of a staging, for every method.

use serde::Serialize;
use serde_json::{Value, json};

use crate::base::text::safe_line;
use crate::ops::stage::{EnvironmentChange, EnvironmentPlan};
use crate::ui::{Ui, style};

/// The environment in JSON.
#[derive(Serialize)]
pub(super) struct PlannedEnvironmentView<'a> {
    name: &'a str,
    url: Option<&'a str>,
    change: &'static str,
    requests: Vec<Value>,
}

/// Returns the environment for JSON.
pub(super) fn environment_view(planned: &EnvironmentPlan) -> PlannedEnvironmentView<'_> {
    let request = |call: crate::systems::gitlab::RequestPreview| json!({"method": call.method, "path": call.path, "body": call.body});
    PlannedEnvironmentView {
        name: &planned.environment.name,
        url: planned.environment.url.as_deref(),
        change: words(planned).0,
        requests: planned.previews().into_iter().map(request).collect(),
    }
}

/// Prints the name of the environment after a label, and its change; `when` says when that is sent.
pub(super) fn print_environment_plan(ui: &Ui, planned: &EnvironmentPlan, label: &str, when: &str) {
    let (text, note) = words(planned);
    let when = if planned.previews().is_empty() { "" } else { when };
    let name = safe_line(&planned.environment.name);
    ui.status(&format!("{label}{name}  {}", style::dim(&format!("{text}{when}"))));
    if let Some(note) = note {
        ui.warning(&safe_line(&note));
    }
}

/// Prints the requests about the environment, as they would be sent.
pub(super) fn print_environment_requests(ui: &Ui, planned: &EnvironmentPlan) {
    for call in planned.previews() {
        let body = call.body.to_string();
        ui.data(&format!("# {} {} {}", call.method, safe_line(&call.path), safe_line(&body)));
    }
}

/// Returns the change in a word, and a sentence about a change that is not possible.
fn words(planned: &EnvironmentPlan) -> (&'static str, Option<String>) {
    match &planned.change {
        EnvironmentChange::Create(_) => ("new", None),
        EnvironmentChange::Update(_) => ("change", None),
        EnvironmentChange::None => ("unchanged", None),
        EnvironmentChange::OfJob => ("kept by a job of the pipeline", None),
        EnvironmentChange::Skipped(why) => {
            ("not changed", Some(format!("The environment is not changed: {why}.")))
        }
    }
}
