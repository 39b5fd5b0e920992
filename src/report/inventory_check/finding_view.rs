//! A finding in JSON.

use serde::Serialize;

use crate::model::inventory::check::CheckFinding;

#[derive(Serialize)]
pub(super) struct FindingView<'a> {
    rule: &'static str,
    severity: &'static str,
    component: Option<String>,
    file: &'a str,
    line: usize,
    column: usize,
    message: &'a str,
    fix: &'a str,
}

pub(super) fn finding_view(finding: &CheckFinding) -> FindingView<'_> {
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
