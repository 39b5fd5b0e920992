//! `cki run-local --print`: a plan as a file that runs without `cki`. What the forms have in common is
//! here: what is told of each unit, and how secrets are kept out. What a form cannot say stands as a
//! comment at its top, so that nobody takes it for the same.

mod compose;
mod draft;
mod kube;

use crate::ops::run_local::plan::RunPlan;
use crate::ui::Ui;
use draft::{Draft, Part, asking, shell_word};

/// The form of the equivalent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A Compose file.
    Compose,
    /// Pods for `podman kube play`.
    Kube,
}

/// Prints the equivalent of a plan. Secrets are in it only if they are to be `revealed`.
pub fn print(ui: &Ui, plan: &RunPlan, form: Form, reveal: bool) {
    ui.exact(&text(plan, form, reveal));
}

fn text(plan: &RunPlan, form: Form, reveal: bool) -> String {
    let draft = Draft::new(plan, reveal);
    match form {
        Form::Compose => compose::text(&draft),
        Form::Kube => kube::text(&draft),
    }
}

#[cfg(test)]
mod tests;
