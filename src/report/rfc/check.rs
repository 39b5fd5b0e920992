//! Report of `cki rfc check`: text, JSON, SARIF and GitLab's code-quality report.

use serde::Serialize;

use crate::base::text::{plural, safe_line};
use crate::model::rfc::{RfcFinding, RfcRule};
use crate::ops::rfc::RfcCheckOutcome;
use crate::report::findings::{CheckFormat, ReportedFinding, counts, print_for_programs, print_lines};
use crate::report::view;
use crate::ui::{Ui, style};

#[derive(Serialize)]
struct RfcCheckView<'a> {
    clone: String,
    documents: usize,
    findings: Vec<RfcFindingView<'a>>,
}

#[derive(Serialize)]
struct RfcFindingView<'a> {
    rule: &'static str,
    severity: &'static str,
    id: Option<&'a str>,
    file: &'a str,
    line: usize,
    column: usize,
    message: &'a str,
    fix: &'a str,
}

/// Prints the findings.
pub fn print(ui: &Ui, outcome: &RfcCheckOutcome, format: CheckFormat) {
    let findings: Vec<ReportedFinding<'_>> = outcome.findings.iter().map(reported).collect();
    let rules = RfcRule::ALL.map(|(_, name, severity, meaning)| (name, severity, meaning));
    let is_printed = print_for_programs(ui, format, &findings, &rules, Some(&outcome.clone));
    if ui.is_structured() && !is_printed {
        let view = RfcCheckView {
            clone: outcome.clone.display().to_string(),
            documents: outcome.documents,
            findings: outcome.findings.iter().map(finding_view).collect(),
        };
        return view::print(ui, &view);
    }
    if !is_printed {
        print_lines(ui, &findings);
    }
    let mut parts = counts(&findings);
    parts.push(plural(outcome.documents, "document"));
    parts.push(format!("clone: {}", ui.place(&outcome.clone.display().to_string())));
    ui.status(&style::dim(&safe_line(&parts.join(" · "))));
}

fn reported(finding: &RfcFinding) -> ReportedFinding<'_> {
    ReportedFinding {
        file: &finding.file,
        position: finding.position,
        rule: finding.rule.name(),
        severity: finding.rule.severity(),
        about: finding.id.clone(),
        message: &finding.message,
        fix: &finding.fix,
        related: None,
        reason: None,
    }
}

fn finding_view(finding: &RfcFinding) -> RfcFindingView<'_> {
    RfcFindingView {
        rule: finding.rule.name(),
        severity: finding.rule.severity().name(),
        id: finding.id.as_deref(),
        file: &finding.file,
        line: finding.position.line,
        column: finding.position.column,
        message: &finding.message,
        fix: &finding.fix,
    }
}
