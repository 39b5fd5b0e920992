//! Report of `cki doctor`: the results of the checks, as a table and as JSON. The checks are in
//! `ops::doctor`.

use serde::Serialize;

use crate::base::text::{self, plural};
use crate::ops::doctor::{Check, CheckState, is_healthy};
use crate::report::view;
use crate::ui::{Ui, Verbosity, style};

/// Columns at which states and findings begin.
const STATE: usize = 15;
const FOUND: usize = STATE + 14;

#[derive(Serialize)]
struct DoctorView<'a> {
    healthy: bool,
    checks: Vec<CheckView<'a>>,
}

/// One check, for any result that lists checks.
#[derive(Serialize)]
pub struct CheckView<'a> {
    name: &'a str,
    state: &'static str,
    why: &'a str,
    details: &'a [String],
    fix: Option<&'a str>,
}

/// Prints all checks.
pub fn print(ui: &Ui, checks: &[Check]) {
    if ui.is_structured() {
        let (healthy, checks) = (is_healthy(checks), checks.iter().map(check_view).collect());
        return view::print(ui, &DoctorView { healthy, checks });
    }
    if ui.is_names() {
        return ui.names(checks.iter().map(|check| &check.name));
    }
    rows(ui, checks.iter());
    let count = |state: CheckState| checks.iter().filter(|check| check.found.state == state).count();
    let mut parts = vec![plural(checks.len(), "check")];
    let bad = [(count(CheckState::Failed), "failed"), (count(CheckState::Warning), "with a warning")];
    parts.extend(bad.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")));
    if parts.len() == 1 {
        parts.push("all is well".to_owned());
    }
    ui.status(&style::dim(&parts.join(", ")));
}

/// Prints checks as a table. Details of passed checks are shown with `-v` and `-o wide` only.
pub fn rows<'a>(ui: &Ui, checks: impl Iterator<Item = &'a Check>) {
    let head = format!("{:<STATE$}{:<width$}FOUND", "CHECK", "STATE", width = FOUND - STATE);
    ui.data(&style::dim(&head));
    for check in checks {
        row(ui, check);
    }
}

fn row(ui: &Ui, Check { name, found }: &Check) {
    let (word, paint): (&str, fn(&str) -> String) = match found.state {
        CheckState::Good => ("✔ ok", style::good),
        CheckState::Warning => ("! warning", style::warn),
        CheckState::Failed => ("✘ failed", style::bad),
        CheckState::NotNeeded => ("– not needed", style::dim),
    };
    let room = ui.columns().map_or(usize::MAX, |columns| columns.saturating_sub(FOUND).max(20));
    let state = format!("{word:<width$}", width = FOUND - STATE);
    let mut start = format!("{}{}", style::name(&format!("{name:<STATE$}")), paint(&state));
    let mut line = |text: &str| {
        ui.data(format!("{start}{text}").trim_end());
        start = " ".repeat(FOUND);
    };
    for part in text::wrap(&found.why, room) {
        line(&part);
    }
    let matters = matches!(found.state, CheckState::Warning | CheckState::Failed);
    if matters || ui.is_wide() || ui.verbosity() == Verbosity::Verbose {
        for detail in &found.details {
            for (index, part) in text::wrap(detail, room.saturating_sub(2)).iter().enumerate() {
                line(&style::dim(&format!("{}{part}", if index == 0 { "· " } else { "  " })));
            }
        }
    }
    if let Some(fix) = &found.fix {
        line(&format!("{} {}", style::hint("→"), style::command(fix)));
    }
}

/// Returns a check for JSON.
#[must_use]
pub fn check_view(Check { name, found }: &Check) -> CheckView<'_> {
    CheckView {
        name,
        state: match found.state {
            CheckState::Good => "ok",
            CheckState::Warning => "warning",
            CheckState::Failed => "failed",
            CheckState::NotNeeded => "not needed",
        },
        why: &found.why,
        details: &found.details,
        fix: found.fix.as_deref(),
    }
}
