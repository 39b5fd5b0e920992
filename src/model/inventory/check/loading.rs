//! The rules that reading the inventory applies: the check gives their findings names and repairs.

use std::collections::HashMap;

use super::findings::Findings;
use super::rule::Rule;
use crate::base::text;
use crate::model::inventory::Component;
use crate::model::inventory::problem::{Problem, ProblemKind};

pub(super) fn check(findings: &mut Findings<'_>) {
    let inventory = findings.inventory;
    for part in &inventory.unplaced {
        let fix = "silence this rule in the head of an upper layer, or move what it says into an entry there";
        findings.add_in(&part.spot, Rule::NoPlace, (part.message.clone(), fix.to_owned()));
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
        let (rule, told) = told(problem, findings);
        findings.add_at(rule, component, &problem.source_map, &problem.path, told);
    }
}

/// Returns the path within an entry, so that the message does not depend on the entries before it.
fn within_entry(path: &str) -> &str {
    let rest = path.strip_prefix("components.").and_then(|rest| rest.split_once('.'));
    rest.filter(|(number, _)| number.parse::<u32>().is_ok()).map_or(path, |(_, rest)| rest)
}

fn told(problem: &Problem, findings: &mut Findings<'_>) -> (Rule, (String, String)) {
    let inventory = findings.inventory;
    let instead = |near: Option<String>, otherwise: String| match near {
        Some(near) => format!("write `{near}`"),
        None => otherwise,
    };
    match &problem.what {
        ProblemKind::UnknownKey { key, known } => {
            let near = text::nearest(key, known.iter().copied()).first().map(|&near| near.to_owned());
            let there = match known.is_empty() {
                true => "remove it".to_owned(),
                false => {
                    let names = text::join_some(known.iter().map(|key| format!("`{key}`")));
                    format!("remove it; the keys there are {names}")
                }
            };
            (
                Rule::UnknownKey,
                (format!("the key `{}` is unknown", within_entry(&problem.path)), instead(near, there)),
            )
        }
        ProblemKind::UnknownRepository(repo) => {
            let names = inventory.repos.keys().map(String::as_str);
            let near = findings.suggestions.nearest("repository", repo, inventory.repos.len(), names);
            let fix = instead(near, "add it to `repos`, or give its address".to_owned());
            (Rule::UnknownRepository, (format!("there is no repository `{repo}`"), fix))
        }
        ProblemKind::UnknownNeed { need, services } => {
            if inventory.has_entry(need) {
                let message = format!("`{need}` cannot be started for another");
                let fix = "give its entry `run.command`, `image`, `build` or `deployment`, or list it in `dependencies`";
                return (Rule::UnknownNeed, (message, fix.to_owned()));
            }
            let entries = inventory.components.iter().map(Component::name);
            let names = services.iter().map(String::as_str).chain(entries);
            let count = services.len() + inventory.components.len();
            let near = findings.suggestions.nearest("need", need, count, names);
            let fix = instead(near, "`cki list services` shows the backing services".to_owned());
            (Rule::UnknownNeed, (format!("there is no backing service or component `{need}`"), fix))
        }
        ProblemKind::NoHost(host) => {
            let fix = "write a name, with `*` for any part, an address, or a range as in `10.0.0.0/8`";
            (Rule::InvalidHost, (format!("`{host}` is no host"), fix.to_owned()))
        }
        ProblemKind::Unread(why) => {
            let fix = "rename it, move it out of the inventory, or give it entries";
            (Rule::UnreadFile, (why.clone().into_owned(), fix.to_owned()))
        }
    }
}
