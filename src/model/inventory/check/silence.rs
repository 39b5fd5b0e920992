//! Silencing findings: `ignore` in an entry, and in the head for all entries or one. An `ignore` must name a rule,
//! have a reason, and silence something.

use std::collections::HashMap;

use super::finding::{CheckFinding, CheckedInventory, SilencedFinding};
use super::findings::Findings;
use super::further::FurtherFacts;
use super::repair::{NameSet, certain};
use super::rule::Rule;
use crate::base::text;
use crate::model::inventory::{Component, Inventory};
use crate::model::reference::Reference;

/// Range of an `ignore`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum IgnoreScope<'a> {
    /// The entry that holds it.
    Entry(&'a Reference),
    /// An entry that the head names.
    Named(&'a Reference),
    /// The whole inventory.
    All,
}

/// An `ignore` with a valid rule and a reason.
struct ActiveIgnore<'a> {
    rule: Rule,
    scope: IgnoreScope<'a>,
    reason: &'a str,
    /// Entry that holds it; `None` in the head.
    component: Option<&'a Component>,
    index: usize,
    is_used: bool,
}

impl ActiveIgnore<'_> {
    /// Returns whether this check applied its rule wherever it silences it, so that another one would use it, too.
    fn is_judged(&self, further: FurtherFacts<'_>) -> bool {
        // A page that nobody can reach from here today may be in reach tomorrow, or from elsewhere.
        if self.rule.is_about_links() {
            return false;
        }
        if self.rule == Rule::SecretDefault {
            return further.credentials.is_some();
        }
        if !self.rule.is_about_clones() {
            return true;
        }
        further.drift.is_some_and(|facts| match self.scope {
            IgnoreScope::Entry(entry) | IgnoreScope::Named(entry) => facts.has_compared(entry),
            IgnoreScope::All => facts.is_whole,
        })
    }
}

/// Sorts the findings, and takes out those that are silenced.
pub(super) fn apply(mut findings: Findings<'_>, further: FurtherFacts<'_>) -> CheckedInventory {
    let (mut ignores, by_scope) = ignores(findings.inventory, &mut findings);
    let mut checked = CheckedInventory::default();
    for finding in std::mem::take(&mut findings.found) {
        match silencing(&finding, &by_scope) {
            Some(at) => {
                ignores[at].is_used = true;
                let reason = ignores[at].reason.to_owned();
                checked.silenced.push(SilencedFinding { finding, reason });
            }
            None => checked.findings.push(finding),
        }
    }
    for ignore in ignores.iter().filter(|one| !one.is_used && one.is_judged(further)) {
        let message = format!("no finding of `{}` is left to silence here", ignore.rule.name());
        add(
            &mut findings,
            Rule::UnusedIgnore,
            ignore.component,
            ignore.index,
            "",
            (message, "remove it".into()),
        );
    }
    checked.findings.append(&mut findings.found);
    let order = |one: &CheckFinding| (one.file.clone(), one.position, one.rule);
    checked.findings.sort_by_cached_key(order);
    checked.silenced.sort_by_cached_key(|one| order(&one.finding));
    checked
}

/// Returns the `ignore` that silences a finding: the one nearest to it.
fn silencing(finding: &CheckFinding, by_scope: &HashMap<(IgnoreScope<'_>, Rule), usize>) -> Option<usize> {
    if !finding.rule.is_silenceable() {
        return None;
    }
    let entry = finding.component.as_ref();
    let scopes = entry
        .map(IgnoreScope::Entry)
        .into_iter()
        .chain(entry.map(IgnoreScope::Named))
        .chain([IgnoreScope::All]);
    scopes.into_iter().find_map(|scope| by_scope.get(&(scope, finding.rule)).copied())
}

/// Returns all that can silence something, also by scope; the others are findings.
fn ignores<'a>(
    inventory: &'a Inventory,
    findings: &mut Findings<'a>,
) -> (Vec<ActiveIgnore<'a>>, HashMap<(IgnoreScope<'a>, Rule), usize>) {
    let entries = inventory.components.iter().flat_map(|component| {
        let ignores = component.ignore.iter().enumerate();
        ignores.map(move |(index, one)| {
            (IgnoreScope::Entry(&component.reference), Some(component), index, &one.rule, &one.reason)
        })
    });
    let head = inventory.ignore.iter().enumerate().map(|(index, one)| {
        let scope = one.component.as_ref().map_or(IgnoreScope::All, IgnoreScope::Named);
        (scope, None, index, &one.rule, &one.reason)
    });
    let (mut ignores, mut by_scope) = (Vec::new(), HashMap::new());
    for (scope, component, index, name, reason) in entries.chain(head) {
        let Some(rule) = Rule::of_name(name) else {
            add(findings, Rule::UnknownRule, component, index, ".rule", unknown(name));
            let only = certain(name, Rule::ALL.iter().map(|(_, name, ..)| *name), NameSet::Closed);
            findings.add_repair(name, only.map(str::to_owned));
            continue;
        };
        let Some(reason) = reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty()) else {
            let message = format!("the `ignore` of `{name}` has no reason, so it silences nothing");
            let fix = "say in `reason` why the finding is accepted".to_owned();
            add(findings, Rule::NoReason, component, index, "", (message, fix));
            continue;
        };
        by_scope.entry((scope, rule)).or_insert(ignores.len());
        ignores.push(ActiveIgnore { rule, scope, reason, component, index, is_used: false });
    }
    (ignores, by_scope)
}

fn unknown(name: &str) -> (String, String) {
    let names = || Rule::ALL.iter().map(|(_, name, ..)| *name);
    let only = certain(name, names(), NameSet::Closed);
    let fix = match only.or_else(|| text::nearest(name, names()).first().copied()) {
        Some(near) => format!("write `{near}`"),
        None => {
            let names: Vec<String> = names().map(|name| format!("`{name}`")).collect();
            format!("write one of {}", text::join_and(&names))
        }
    };
    (format!("there is no rule `{name}`"), fix)
}

/// Adds a finding about an `ignore`.
fn add(
    findings: &mut Findings<'_>,
    rule: Rule,
    component: Option<&Component>,
    index: usize,
    part: &str,
    told: (String, String),
) {
    let part = format!("ignore.{index}{part}");
    match component {
        Some(component) => findings.of_entry(rule, component, &part, told),
        None => findings.of_head(rule, &part, told),
    }
}
