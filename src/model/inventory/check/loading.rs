//! The rules that reading the inventory applies: the check gives their findings names and repairs.

use std::collections::HashMap;

use super::findings::Findings;
use super::repair::{NameSet, certain};
use super::rule::Rule;
use super::suggestions::Suggestion;
use crate::base::text;
use crate::model::inventory::Component;
use crate::model::inventory::backstage::unplaced::UnplacedKind;
use crate::model::inventory::problem::{Problem, ProblemKind};

pub(super) fn check(findings: &mut Findings<'_>) {
    let inventory = findings.inventory;
    for part in &inventory.unplaced {
        let (rule, fix) = match part.kind {
            UnplacedKind::Fault => {
                (Rule::InvalidEntity, "write it as the descriptor format of Backstage has it")
            }
            UnplacedKind::VoidRemoval => (Rule::VoidRemoval, "correct the name, or remove the line"),
            UnplacedKind::NoPlace => (
                Rule::NoPlace,
                "silence this rule in the head of an upper layer, or move what it says into an entry there",
            ),
        };
        findings.add_in(&part.spot, rule, (part.message.clone(), fix.to_owned()));
    }
    if inventory.problems.is_empty() {
        return;
    }
    let place = |one: &'_ Component| (one.source_map.text_id(), one.source_map.entry_of(""));
    let entries: HashMap<(usize, Option<u32>), &Component> =
        inventory.components.iter().map(|one| (place(one), one)).collect();
    for problem in &inventory.problems {
        let text = problem.source_map.text_id();
        let component = entries.get(&(text, problem.source_map.entry_of(&problem.path))).copied();
        let LoadingFault { rule, told, near } = fault(problem, component, findings);
        findings.add_at(rule, component, &problem.source_map, &problem.path, told);
        if let Some((wrong, near)) = near {
            findings.add_repair(&wrong, Suggestion::certain(Some(&near)));
        }
    }
}

/// Returns the path within an entry, so that the message does not depend on the entries before it.
fn within_entry(path: &str) -> &str {
    let rest = path.strip_prefix("components.").and_then(|rest| rest.split_once('.'));
    rest.filter(|(number, _)| number.parse::<u32>().is_ok()).map_or(path, |(_, rest)| rest)
}

/// A fault that reading found.
struct LoadingFault {
    rule: Rule,
    /// Message and repair.
    told: (String, String),
    /// The wrong name, and the one that was probably meant.
    near: Option<(String, Suggestion)>,
}

fn fault(problem: &Problem, component: Option<&Component>, findings: &mut Findings<'_>) -> LoadingFault {
    let inventory = findings.inventory;
    let instead = |near: Option<&Suggestion>, otherwise: String| match near {
        Some(near) => format!("write `{}`", near.name),
        None => otherwise,
    };
    let (rule, told, near) = match &problem.what {
        ProblemKind::UnknownKey { key, known } => {
            let only = certain(key, known.iter().copied(), NameSet::Closed);
            let near = only.or_else(|| text::nearest(key, known.iter().copied()).first().copied());
            let near = near.map(|name| Suggestion { name: name.to_owned(), is_certain: only.is_some() });
            let there = match known.is_empty() {
                true => "remove it".to_owned(),
                false => {
                    let names = text::join_some(known.iter().map(|key| format!("`{key}`")));
                    format!("remove it; the keys there are {names}")
                }
            };
            let message = format!("the key `{}` is unknown", within_entry(&problem.path));
            (Rule::UnknownKey, (message, instead(near.as_ref(), there)), near.map(|near| (key.clone(), near)))
        }
        ProblemKind::UnknownRepository(repo) => {
            let names = inventory.repos.keys().map(String::as_str);
            let near = findings.suggestions.nearest("repository", repo, inventory.repos.len(), names);
            let fix = instead(near.as_ref(), "add it to `repos`, or give its address".to_owned());
            let told = (format!("there is no repository `{repo}`"), fix);
            (Rule::UnknownRepository, told, near.map(|near| (repo.clone(), near)))
        }
        ProblemKind::UnknownNeed { need, services } => {
            if inventory.has_entry(need) {
                let message = format!("`{need}` cannot be started for another");
                let fix = "give its entry `run.command`, `image`, `build` or `deployment`, or list it in `dependencies`";
                let told = (message, fix.to_owned());
                return LoadingFault { rule: Rule::UnknownNeed, told, near: None };
            }
            let entries = inventory.components.iter().map(Component::name);
            let names = services.iter().map(String::as_str).chain(entries);
            let count = services.len() + inventory.components.len();
            let near = findings.suggestions.nearest("need", need, count, names);
            // An entry cannot need itself.
            let near = near.filter(|near| component.is_none_or(|one| one.name() != near.name));
            let fix = instead(near.as_ref(), "`cki list services` shows the backing services".to_owned());
            let told = (format!("there is no backing service or component `{need}`"), fix);
            (Rule::UnknownNeed, told, near.map(|near| (need.clone(), near)))
        }
        ProblemKind::NoHost(host) => {
            let fix = "write a name, with `*` for any part, an address, or a range as in `10.0.0.0/8`";
            (Rule::InvalidHost, (format!("`{host}` is no host"), fix.to_owned()), None)
        }
        ProblemKind::Unread(why) => {
            let fix = "rename it, move it out of the inventory, or give it entries";
            (Rule::UnreadFile, (why.clone().into_owned(), fix.to_owned()), None)
        }
    };
    LoadingFault { rule, told, near }
}
