//! The coverage of `cki inventory check --drift`: which entries were compared with clones, and how to compare the others.

use serde::Serialize;

use crate::base::text::{plural, safe_line};
use crate::model::reference::Reference;
use crate::ops::inventory::drift::DriftCoverage;
use crate::ui::Ui;

/// Maximum number of components in the command line of a hint.
const NAMED: usize = 6;

/// Coverage in JSON.
#[derive(Serialize)]
pub(super) struct DriftView<'a> {
    compared: Vec<String>,
    not_cloned: Vec<String>,
    unusable: Vec<UnusableView<'a>>,
}

/// An entry with a clone that cannot be used.
#[derive(Serialize)]
struct UnusableView<'a> {
    component: String,
    reason: &'a str,
}

impl<'a> DriftView<'a> {
    pub(super) fn new(coverage: &'a DriftCoverage) -> Self {
        let names = |all: &[Reference]| all.iter().map(ToString::to_string).collect();
        let unusable = coverage.unusable.iter();
        Self {
            compared: names(&coverage.compared),
            not_cloned: names(&coverage.not_cloned),
            unusable: unusable
                .map(|(one, reason)| UnusableView { component: one.to_string(), reason })
                .collect(),
        }
    }
}

/// Returns the parts of the summary.
pub(super) fn summary(coverage: &DriftCoverage) -> Vec<String> {
    let mut parts = vec![format!("{} compared with clones", coverage.compared.len())];
    if let count @ 1.. = coverage.not_cloned.len() {
        parts.push(format!("{count} not cloned"));
    }
    parts
}

/// Prints what was not compared, and what to type.
pub(super) fn print_hints(ui: &Ui, coverage: &DriftCoverage) {
    for (component, why) in &coverage.unusable {
        ui.warning(&safe_line(&format!("`{component}` is not compared: {why}.")));
    }
    let names: Vec<String> = coverage.to_clone.iter().take(NAMED).map(ToString::to_string).collect();
    if names.is_empty() {
        return;
    }
    let rest = coverage.to_clone.len() - names.len();
    let more = match rest {
        0 => "clones all that is missing".to_owned(),
        _ => format!("clones some of what is missing; {} would remain", plural(rest, "other component")),
    };
    ui.hint(&safe_line(&format!("`cki clone {}` {more}.", names.join(" "))));
}
