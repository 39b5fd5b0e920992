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
    #[serde(skip_serializing_if = "Option::is_none")]
    related: Option<RelatedView<'a>>,
}

/// Place in a clone.
#[derive(Serialize)]
struct RelatedView<'a> {
    file: &'a str,
    line: usize,
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
        related: finding.related.as_ref().map(|place| RelatedView { file: &place.file, line: place.line }),
    }
}
