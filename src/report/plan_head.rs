//! The head of a plan on a merge request: its project, number, title and commit.

use crate::base::text::safe_line;
use crate::ops::stage::MergeRequestFacts;
use crate::ui::{Ui, style};

/// Number of characters of a commit to show.
const SHORT: usize = 7;

/// Prints the head of a plan.
pub(super) fn print(ui: &Ui, facts: &MergeRequestFacts) {
    ui.status(&line(facts));
}

/// Prints the head of a merge request that is staged together with the one before.
pub(super) fn print_combined(ui: &Ui, facts: &MergeRequestFacts) {
    ui.status(&format!("{:6}{}", "With", line(facts)));
}

fn line(facts: &MergeRequestFacts) -> String {
    let head: String = facts.head.chars().take(SHORT).collect();
    let draft = if facts.draft { " · draft" } else { "" };
    format!(
        "{}  {}  {}",
        style::name(&format!("{} !{}", safe_line(&facts.project), facts.iid)),
        safe_line(&facts.title),
        style::dim(&format!("head {head}{draft}")),
    )
}
