//! Findings of any check as text, and for other programs: SARIF and GitLab's code-quality report. JSON and YAML belong
//! to the report of each check, which has its own facts.

mod finding;
mod gitlab;
mod place;
mod sarif;

use std::path::Path;

use crate::base::text::{Cell, Fit, Table, plural, safe_line, wrap, wrap_styled};
use crate::model::rule::Severity;
use crate::ui::{Ui, style};
pub(super) use finding::{ReportedFinding, RuleSummary};
pub(super) use place::path;

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

/// Prints findings for other programs; returns whether the format is one of theirs.
pub(super) fn print_for_programs(
    ui: &Ui,
    format: CheckFormat,
    findings: &[ReportedFinding<'_>],
    rules: &[RuleSummary],
    repository: Option<&Path>,
) -> bool {
    let value = match format {
        CheckFormat::Sarif => sarif::log(findings, rules, repository),
        CheckFormat::Gitlab => gitlab::report(findings, repository),
        CheckFormat::Findings => return false,
    };
    // Keys are strings, which cannot fail.
    ui.exact(&(serde_json::to_string_pretty(&value).unwrap_or_default() + "\n"));
    true
}

/// Prints findings as lines, as names (the place of each), or as a table with all columns.
pub(super) fn print_lines(ui: &Ui, findings: &[ReportedFinding<'_>]) {
    if ui.is_names() {
        return ui.names(findings.iter().map(|one| place_of(ui, one)));
    }
    if !ui.is_wide() {
        return ui.lines(findings.iter().flat_map(|one| lines(ui, one)));
    }
    let mut table = Table::new(0, &[Fit::Whole; 6]);
    if !findings.is_empty() {
        let headings = ["PLACE", "SEVERITY", "RULE", "ABOUT", "FINDING", "FIX"];
        table.row(headings.map(|text| Cell::styled(text, style::dim)));
    }
    // Mask first: a line break could hide a secret from masking.
    let safe = |text: &str| safe_line(&ui.masked(text)).into_owned();
    for one in findings {
        table.row([
            Cell::from(safe(&place_of(ui, one))),
            Cell::from(one.severity.name().to_owned()),
            Cell::from(one.rule.to_owned()),
            Cell::from(safe(one.about.as_deref().unwrap_or("–"))),
            Cell::from(safe(one.message)),
            Cell::from(safe(one.fix)),
        ]);
    }
    ui.lines(table.lines(None));
}

fn place_of(ui: &Ui, finding: &ReportedFinding<'_>) -> String {
    format!("{}:{}:{}", ui.place(finding.file), finding.position.line, finding.position.column)
}

/// Returns the lines of a finding: the first one in the form that editors and other programs know.
fn lines(ui: &Ui, finding: &ReportedFinding<'_>) -> Vec<String> {
    const INDENT: &str = "    ";
    let place = place_of(ui, finding);
    let rule = match finding.severity {
        Severity::Error => style::bad(finding.rule),
        Severity::Warning => style::warn(finding.rule),
    };
    // Mask first: a line break could hide a secret from masking.
    let safe = |text: &str| safe_line(&ui.masked(text)).into_owned();
    let columns = ui.columns().map_or(usize::MAX, |columns| columns - INDENT.len());
    let told = wrap_styled(&format!("{}: {rule}: {}", safe(&place), safe(finding.message)), columns);
    let related = finding.related.map(|(file, line)| {
        let place = format!("in the clone: {}:{line}", ui.place(file));
        style::dim(&safe(&place))
    });
    let fix = wrap(&safe(&format!("fix: {}", finding.fix)), columns);
    let fix = fix.iter().map(|line| style::dim(line));
    let mut lines = told.into_iter().chain(related).chain(fix);
    let first = lines.next();
    first.into_iter().chain(lines.map(|line| format!("{INDENT}{line}"))).collect()
}

/// Returns the numbers of errors and warnings, as parts of a summary.
pub(super) fn counts(findings: &[ReportedFinding<'_>]) -> Vec<String> {
    let count = |severity| findings.iter().filter(|one| one.severity == severity).count();
    let counts = [(count(Severity::Error), "error"), (count(Severity::Warning), "warning")];
    let parts: Vec<String> =
        counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, noun)| plural(count, noun)).collect();
    if parts.is_empty() { vec!["no findings".to_owned()] } else { parts }
}
