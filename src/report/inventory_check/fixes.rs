//! The fixes of `cki inventory check --fix`: lines, JSON, and the diff of a dry run.

use std::path::Path;

use serde::Serialize;

use super::finding_view::{FindingView, finding_view};
use crate::base::text::{plural_of, safe_line};
use crate::ops::inventory::check::CheckOutcome;
use crate::ops::inventory::fix::{FixedFile, InventoryFix, InventoryFixes};
use crate::report::findings::path;
use crate::systems::git::unified_diff;
use crate::ui::{Ui, style};

/// Fixes to report.
#[derive(Debug, Clone, Copy)]
pub struct FixReport<'a> {
    /// The fixes.
    pub fixes: &'a InventoryFixes,
    /// Nothing was written.
    pub is_dry: bool,
}

#[derive(Serialize)]
pub(super) struct FixView<'a> {
    /// `fixed`, `proposed` or `refused`.
    state: &'static str,
    from: &'a str,
    to: &'a str,
    reason: Option<&'a str>,
    finding: FindingView<'a>,
}

impl<'a> FixReport<'a> {
    pub(super) fn views(self) -> Vec<FixView<'a>> {
        let view = |fix: &'a InventoryFix| FixView {
            state: match (&fix.refused, self.is_dry) {
                (Some(_), _) => "refused",
                (None, true) => "proposed",
                (None, false) => "fixed",
            },
            from: &fix.repair.from,
            to: &fix.repair.to,
            reason: fix.refused.as_deref(),
            finding: finding_view(&fix.finding),
        };
        self.fixes.fixes.iter().map(view).collect()
    }

    /// Returns the diff of a dry run, with the paths of the repository.
    pub(super) fn diff(self, outcome: &CheckOutcome) -> Option<String> {
        let file = |file: &FixedFile| {
            let shown = file.path.display().to_string();
            let path = path(&shown, outcome.repository.as_deref()).trim_start_matches('/');
            unified_diff(Path::new(path), &file.before, &file.after)
        };
        self.is_dry.then(|| self.fixes.files.iter().map(file).collect())
    }

    /// Prints a line for each fix that was applied, and for each that was not.
    pub(super) fn print(self, ui: &Ui) {
        for fix in &self.fixes.fixes {
            let at = fix.finding.position;
            let place = format!("{}:{}:{}", ui.place(&fix.finding.file), at.line, at.column);
            let change = format!("`{}` → `{}`", fix.repair.from, fix.repair.to);
            match &fix.refused {
                Some(why) => ui.warning(&safe_line(&format!("{place}: {change} is not applied: {why}."))),
                None if self.is_dry => {}
                None => {
                    let rule = style::good(&format!("fixed {}", fix.finding.rule.name()));
                    ui.status(&format!("{}: {rule}: {}", safe_line(&place), safe_line(&change)));
                }
            }
        }
    }

    /// Returns the part of the summary.
    pub(super) fn summary(self) -> String {
        let count = self.fixes.applied().count();
        match self.is_dry {
            true => format!("{} to write", plural_of(count, "fix", "fixes")),
            false => format!("{count} fixed"),
        }
    }
}
