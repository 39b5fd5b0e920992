//! Report of `cki inventory check`: text, JSON, SARIF and GitLab's code-quality report.

mod drift;
mod finding_view;
mod fixes;
mod links;

use std::path::Path;

use serde::Serialize;

use drift::DriftView;
use finding_view::{FindingView, finding_view};
pub use fixes::FixReport;
use fixes::FixView;
use links::LinksView;

use crate::base::text::{plural_of, safe_line};
use crate::model::inventory::Inventory;
use crate::model::inventory::check::{CheckFinding, Rule, SilencedFinding};
use crate::ops::inventory::check::CheckOutcome;
use crate::report::findings::{CheckFormat, ReportedFinding, counts, print_for_programs, print_lines};
use crate::report::view;
use crate::ui::{Ui, style};

#[derive(Serialize)]
struct InventoryCheckView<'a> {
    /// Title; `null` if the inventory cannot be read.
    inventory: Option<&'a str>,
    origin: &'a str,
    entries: usize,
    findings: Vec<FindingView<'a>>,
    silenced: Vec<SilencedView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    links: Option<LinksView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    drift: Option<DriftView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fixes: Option<Vec<FixView<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<String>,
}

#[derive(Serialize)]
struct SilencedView<'a> {
    #[serde(flatten)]
    finding: FindingView<'a>,
    reason: &'a str,
}

/// Prints the findings, and the fixes before them. The diff of a dry run takes the place of the findings.
pub fn print(
    ui: &Ui,
    inventory: &Inventory,
    outcome: &CheckOutcome,
    fixes: Option<FixReport<'_>>,
    format: CheckFormat,
) {
    let checked = &outcome.checked;
    if let Some(fixes) = fixes.filter(|_| !ui.is_structured()) {
        fixes.print(ui);
    }
    let mut findings: Vec<ReportedFinding<'_>> =
        checked.findings.iter().map(|one| reported(one, None)).collect();
    let own = findings.len();
    findings.extend(checked.silenced.iter().map(|one| reported(&one.finding, Some(&one.reason))));
    let rules = Rule::ALL.map(|(_, name, severity, meaning)| (name, severity, meaning));
    let is_printed = print_for_programs(ui, format, &findings, &rules, outcome.repository.as_deref());
    if let Some(why) = outcome.links.as_ref().and_then(|links| links.no_network.as_deref()) {
        ui.warning(&safe_line(&format!("No web server answers, so no page was checked: {why}.")));
    }
    if ui.is_structured() && !is_printed {
        let silenced = checked.silenced.iter().map(|SilencedFinding { finding, reason }| SilencedView {
            finding: finding_view(finding),
            reason,
        });
        let view = InventoryCheckView {
            inventory: Some(&inventory.title),
            origin: &inventory.origin,
            entries: outcome.entries,
            findings: checked.findings.iter().map(finding_view).collect(),
            silenced: silenced.collect(),
            links: outcome.links.as_ref().map(LinksView::new),
            drift: outcome.drift.as_ref().map(DriftView::new),
            fixes: fixes.map(FixReport::views),
            diff: fixes.and_then(|fixes| fixes.diff(outcome)),
        };
        return view::print(ui, &view);
    }
    if let Some(diff) = fixes.and_then(|fixes| fixes.diff(outcome)) {
        ui.exact(&diff);
    } else if !is_printed {
        print_lines(ui, &findings[..own]);
    }
    if let Some(links) = &outcome.links {
        ui.status(&style::dim(&links::summary(links)));
    }
    ui.status(&style::dim(&safe_line(&summary(inventory, outcome, &findings[..own], fixes))));
    if let Some(coverage) = &outcome.drift {
        drift::print_hints(ui, coverage);
    }
}

/// Prints the faults of an inventory that cannot be read.
pub fn print_unreadable(
    ui: &Ui,
    origin: &str,
    findings: &[CheckFinding],
    repository: Option<&Path>,
    format: CheckFormat,
) {
    let reported: Vec<ReportedFinding<'_>> = findings.iter().map(|one| reported(one, None)).collect();
    let rules = Rule::ALL.map(|(_, name, severity, meaning)| (name, severity, meaning));
    if print_for_programs(ui, format, &reported, &rules, repository) {
        return;
    }
    if !ui.is_structured() {
        return print_lines(ui, &reported);
    }
    let view = InventoryCheckView {
        inventory: None,
        origin,
        entries: 0,
        findings: findings.iter().map(finding_view).collect(),
        silenced: Vec::new(),
        links: None,
        drift: None,
        fixes: None,
        diff: None,
    };
    view::print(ui, &view);
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
        related: finding.related.as_ref().map(|place| (place.file.as_str(), place.line)),
        reason,
    }
}

fn summary(
    inventory: &Inventory,
    outcome: &CheckOutcome,
    findings: &[ReportedFinding<'_>],
    fixes: Option<FixReport<'_>>,
) -> String {
    let mut parts = counts(findings);
    if let silenced @ 1.. = outcome.checked.silenced.len() {
        parts.push(format!("{silenced} silenced"));
    }
    parts.extend(fixes.map(FixReport::summary));
    parts.push(plural_of(outcome.entries, "entry", "entries"));
    parts.extend(outcome.drift.iter().flat_map(drift::summary));
    parts.push(format!("inventory: {}", inventory.label()));
    parts.join(" · ")
}
