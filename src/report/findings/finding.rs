//! A finding of any check, as it is written. The forms are in the files beside this one.

use crate::base::yaml::Position;
use crate::model::rule::Severity;

/// A finding to write.
#[derive(Debug, Clone)]
pub(in crate::report) struct ReportedFinding<'a> {
    pub(in crate::report) file: &'a str,
    pub(in crate::report) position: Position,
    pub(in crate::report) rule: &'static str,
    pub(in crate::report) severity: Severity,
    /// Entry or document that it is about.
    pub(in crate::report) about: Option<String>,
    pub(in crate::report) message: &'a str,
    pub(in crate::report) fix: &'a str,
    /// File and line outside of the inventory that contradict it.
    pub(in crate::report) related: Option<(&'a str, usize)>,
    /// Reason of the `ignore` that silences it.
    pub(in crate::report) reason: Option<&'a str>,
}

/// Name, severity and meaning of a rule.
pub(in crate::report) type RuleSummary = (&'static str, Severity, &'static str);
