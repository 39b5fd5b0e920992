//! Report of `cki inventory check`: text, JSON, SARIF and GitLab's code-quality report.

use serde::Serialize;

use crate::base::text::safe_line;
use crate::model::inventory::Inventory;
use crate::model::inventory::check::{CheckFinding, Rule, SilencedFinding};
use crate::ops::inventory::check::CheckOutcome;
use crate::report::findings::{CheckFormat, ReportedFinding, counts, lines, print_for_programs};
use crate::report::view;
use crate::ui::{Ui, style};

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
    let mut findings: Vec<ReportedFinding<'_>> =
        checked.findings.iter().map(|one| reported(one, None)).collect();
    let own = findings.len();
    findings.extend(checked.silenced.iter().map(|one| reported(&one.finding, Some(&one.reason))));
    let rules = Rule::ALL.map(|(_, name, severity, meaning)| (name, severity, meaning));
    let is_printed = print_for_programs(ui, format, &findings, &rules, outcome.repository.as_deref());
    if ui.is_structured() && !is_printed {
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
    if !is_printed {
        ui.lines(findings[..own].iter().flat_map(|one| lines(ui, one)));
    }
    ui.status(&style::dim(&safe_line(&summary(inventory, outcome, &findings[..own]))));
}

fn reported<'a>(finding: &'a CheckFinding, reason: Option<&'a str>) -> ReportedFinding<'a> {
    ReportedFinding {
        file: &finding.file,
        position: finding.position,
        rule: finding.rule.name(),
        severity: finding.rule.severity(),
        about: finding.component.as_ref().map(ToString::to_string),
        message: &finding.message,
        fix: &finding.fix,
        reason,
    }
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

fn summary(inventory: &Inventory, outcome: &CheckOutcome, findings: &[ReportedFinding<'_>]) -> String {
    let mut parts = counts(findings);
    if let silenced @ 1.. = outcome.checked.silenced.len() {
        parts.push(format!("{silenced} silenced"));
    }
    parts.push(match outcome.entries == 1 {
        true => "1 entry".to_owned(),
        false => format!("{} entries", outcome.entries),
    });
    parts.push(format!("inventory: {}", inventory.label()));
    parts.join(" · ")
}
