//! Report of `cki run-local --print`: a plan as a file that runs without `cki`. This file chooses the form
//! and adds warnings; the shared parts are in `exporter`. Features that a form lacks are listed in a comment
//! at its top.

mod compose;
mod exporter;
mod kube;

use crate::ops::run_local::plan::RunPlan;
use crate::ui::Ui;
use exporter::{Exporter, Fragment, asking, shell_word};

/// Form of the equivalent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// A Compose file.
    Compose,
    /// Pods for `podman kube play`.
    Kube,
}

/// Prints the equivalent of a plan, with secrets only if `reveal` is set.
pub fn print(ui: &Ui, plan: &RunPlan, form: ExportFormat, reveal: bool) {
    ui.exact(&text(plan, form, reveal));
}

fn text(plan: &RunPlan, form: ExportFormat, reveal: bool) -> String {
    let draft = Exporter::new(plan, reveal);
    match form {
        ExportFormat::Compose => compose::text(&draft),
        ExportFormat::Kube => kube::text(&draft),
    }
}

#[cfg(test)]
mod tests;
