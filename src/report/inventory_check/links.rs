//! The links of `cki inventory check --links`: a line about their targets, and JSON.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::base::text::plural;
use crate::ops::inventory::links::{LinkReport, TargetState, Unchecked};

#[derive(Serialize)]
pub(super) struct LinksView<'a> {
    targets: usize,
    reached: usize,
    broken: usize,
    moved: usize,
    unreachable: usize,
    /// Number of targets whose state an earlier check found.
    cached: usize,
    not_checked: Vec<UncheckedView<'a>>,
    /// Reason why no server at all was reached.
    no_network: Option<&'a str>,
}

#[derive(Serialize)]
struct UncheckedView<'a> {
    target: &'a str,
    reason: &'static str,
}

impl<'a> LinksView<'a> {
    pub(super) fn new(links: &'a LinkReport) -> Self {
        let count = |state| links.count(|one| one == state);
        let unchecked = links.targets.iter().filter_map(|one| match one.state {
            TargetState::Unchecked(why) => Some(UncheckedView { target: &one.target, reason: why.words() }),
            _ => None,
        });
        Self {
            targets: links.targets.len(),
            reached: count(TargetState::Reached),
            broken: count(TargetState::Broken),
            moved: count(TargetState::Moved),
            unreachable: count(TargetState::Unreachable),
            cached: links.targets.iter().filter(|one| one.is_cached).count(),
            not_checked: unchecked.collect(),
            no_network: links.no_network.as_deref(),
        }
    }
}

/// Returns the number of targets in each state.
pub(super) fn summary(links: &LinkReport) -> String {
    let count = |state| links.count(|one| one == state);
    let mut parts = vec![plural(links.targets.len(), "link")];
    let reached = count(TargetState::Reached);
    match links.targets.iter().filter(|one| one.is_cached && one.state == TargetState::Reached).count() {
        0 => parts.push(format!("{reached} reached")),
        cached => parts.push(format!("{reached} reached ({cached} from the cache)")),
    }
    for (state, word) in [
        (TargetState::Broken, "broken"),
        (TargetState::Moved, "moved"),
        (TargetState::Unreachable, "unreachable"),
    ] {
        if let number @ 1.. = count(state) {
            parts.push(format!("{number} {word}"));
        }
    }
    let mut reasons: BTreeMap<Unchecked, usize> = BTreeMap::new();
    for one in &links.targets {
        if let TargetState::Unchecked(why) = one.state {
            *reasons.entry(why).or_default() += 1;
        }
    }
    if !reasons.is_empty() {
        let is_only = reasons.len() == 1;
        let reason = |(why, number): (&Unchecked, &usize)| match is_only {
            true => why.words().to_owned(),
            false => format!("{number} {}", why.words()),
        };
        let shown: Vec<String> = reasons.iter().map(reason).collect();
        parts.push(format!("{} not checked: {}", reasons.values().sum::<usize>(), shown.join(", ")));
    }
    parts.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::inventory::links::CheckedTarget;

    #[test]
    fn summary_counts_targets_by_state() {
        let target = |state, is_cached| CheckedTarget { target: String::new(), state, is_cached };
        let unchecked = |why| target(TargetState::Unchecked(why), false);
        let mut links = LinkReport { targets: vec![target(TargetState::Reached, false)], no_network: None };
        assert_eq!(summary(&links), "1 link · 1 reached");
        links.targets.extend([
            target(TargetState::Reached, true),
            target(TargetState::Broken, false),
            unchecked(Unchecked::RateLimited),
            unchecked(Unchecked::NeedsLogin),
            unchecked(Unchecked::NeedsLogin),
        ]);
        assert_eq!(
            summary(&links),
            "6 links · 2 reached (1 from the cache) · 1 broken · 3 not checked: 2 login needed, 1 rate-limited"
        );
    }
}
