//! Report of `cki inventory check`: text, JSON, SARIF and GitLab's code-quality report.

mod gitlab;
mod place;
mod sarif;

use serde::Serialize;

use crate::base::text::{plural, safe_line, wrap};
use crate::model::inventory::Inventory;
use crate::model::inventory::check::{CheckFinding, Severity, SilencedFinding};
use crate::ops::inventory::check::CheckOutcome;
use crate::report::view;
use crate::ui::{Ui, style};

/// Form of the findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckFormat {
    /// Lines, or JSON or YAML.
    Findings,
    /// SARIF 2.1.0.
    Sarif,
    /// GitLab's code-quality report.
    Gitlab,
}

#[derive(Serialize)]
struct InventoryCheckView<'a> {
    inventory: &'a str,
    origin: &'a str,
    entries: usize,
    findings: Vec<FindingView<'a>>,
    silenced: Vec<SilencedView<'a>>,
}

#[derive(Serialize)]
struct FindingView<'a> {
    rule: &'static str,
    severity: &'static str,
    component: Option<String>,
    file: &'a str,
    line: usize,
    column: usize,
    message: &'a str,
    fix: &'a str,
}

#[derive(Serialize)]
struct SilencedView<'a> {
    #[serde(flatten)]
    finding: FindingView<'a>,
    reason: &'a str,
}

/// Prints the findings.
pub fn print(ui: &Ui, inventory: &Inventory, outcome: &CheckOutcome, format: CheckFormat) {
    let checked = &outcome.checked;
    match format {
        CheckFormat::Sarif => ui.exact(&json(&sarif::log(outcome))),
        CheckFormat::Gitlab => ui.exact(&json(&gitlab::report(outcome))),
        CheckFormat::Findings if ui.is_structured() => {
            let silenced = checked.silenced.iter().map(|SilencedFinding { finding, reason }| SilencedView {
                finding: finding_view(finding),
                reason,
            });
            let view = InventoryCheckView {
                inventory: &inventory.title,
                origin: &inventory.origin,
                entries: outcome.entries,
                findings: checked.findings.iter().map(finding_view).collect(),
                silenced: silenced.collect(),
            };
            return view::print(ui, &view);
        }
        CheckFormat::Findings => ui.lines(checked.findings.iter().flat_map(|one| lines(ui, one))),
    }
    ui.status(&style::dim(&safe_line(&summary(inventory, outcome))));
}

fn json(value: &serde_json::Value) -> String {
    // Keys are strings, which cannot fail.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

fn finding_view(finding: &CheckFinding) -> FindingView<'_> {
    FindingView {
        rule: finding.rule.name(),
        severity: finding.rule.severity().name(),
        component: finding.component.as_ref().map(ToString::to_string),
        file: &finding.file,
        line: finding.position.line,
        column: finding.position.column,
        message: &finding.message,
        fix: &finding.fix,
    }
}

/// Returns the lines of a finding: the first one in the form that editors and other programs know.
fn lines(ui: &Ui, finding: &CheckFinding) -> Vec<String> {
    const INDENT: &str = "    ";
    let place = format!("{}:{}:{}", ui.place(&finding.file), finding.position.line, finding.position.column);
    let rule = match finding.rule.severity() {
        Severity::Error => style::bad(finding.rule.name()),
        Severity::Warning => style::warn(finding.rule.name()),
    };
    let columns = ui.columns().map_or(usize::MAX, |columns| columns - INDENT.len());
    let fix = wrap(&safe_line(&format!("fix: {}", finding.fix)), columns);
    let fix = fix.iter().map(|line| format!("{INDENT}{}", style::dim(line)));
    [format!("{}: {rule}: {}", safe_line(&place), safe_line(&finding.message))]
        .into_iter()
        .chain(fix)
        .collect()
}

fn summary(inventory: &Inventory, outcome: &CheckOutcome) -> String {
    let checked = &outcome.checked;
    let count = |severity| checked.findings.iter().filter(|one| one.rule.severity() == severity).count();
    let counts = [(count(Severity::Error), "error"), (count(Severity::Warning), "warning")];
    let mut parts: Vec<String> =
        counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, noun)| plural(count, noun)).collect();
    if parts.is_empty() {
        parts.push("no findings".to_owned());
    }
    if let silenced @ 1.. = checked.silenced.len() {
        parts.push(format!("{silenced} silenced"));
    }
    let entries = match outcome.entries == 1 {
        true => "1 entry".to_owned(),
        false => format!("{} entries", outcome.entries),
    };
    parts.extend([entries, format!("inventory: {}", inventory.label())]);
    parts.join(" · ")
}
