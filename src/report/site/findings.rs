//! The page of findings of the check, and those of a component.

use serde::Serialize;

use super::frame::{PageLink, Titled};
use super::pages::Site;
use crate::base::text::plural;
use crate::model::inventory::check::CheckFinding;
use crate::model::rule::Severity;

#[derive(Serialize)]
pub(super) struct FindingsView<'a> {
    title: &'static str,
    root: &'a str,
    count: String,
    findings: Vec<FindingItem<'a>>,
    silenced: Vec<FindingItem<'a>>,
}

#[derive(Serialize)]
pub(super) struct FindingItem<'a> {
    rule: &'static str,
    severity: &'static str,
    is_error: bool,
    message: &'a str,
    fix: &'a str,
    place: String,
    entry: Option<PageLink>,
    reason: Option<&'a str>,
}

impl Titled for FindingsView<'_> {
    fn title(&self) -> &str {
        self.title
    }
}

impl Site<'_> {
    pub(super) fn findings<'v>(&'v self, root: &'v str) -> FindingsView<'v> {
        let checked = &self.content.checked;
        let findings = checked.findings.iter().map(|one| self.finding(one, root));
        let silenced = checked
            .silenced
            .iter()
            .map(|one| FindingItem { reason: Some(&one.reason), ..self.finding(&one.finding, root) });
        FindingsView {
            title: "Findings",
            root,
            count: plural(checked.findings.len(), "finding"),
            findings: findings.collect(),
            silenced: silenced.collect(),
        }
    }

    pub(super) fn finding<'v>(&self, finding: &'v CheckFinding, root: &str) -> FindingItem<'v> {
        FindingItem {
            rule: finding.rule.name(),
            severity: finding.rule.severity().name(),
            is_error: finding.rule.severity() == Severity::Error,
            message: &finding.message,
            fix: &finding.fix,
            place: format!(
                "{}:{}:{}",
                self.shown_file(&finding.file),
                finding.position.line,
                finding.position.column
            ),
            entry: finding.component.as_ref().map(|reference| self.entry_link(reference, root)),
            reason: None,
        }
    }
}
