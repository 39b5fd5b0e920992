//! Candidates from what runs: components and backing services of this inventory. The engine is asked once, for a
//! moment: one that does not answer in it has no candidates.

use std::collections::HashMap;
use std::time::Duration;

use clap_complete::CompletionCandidate;

use super::candidate::candidate;
use super::typed::TypedLine;
use crate::model::identity::{ResourceLabels, Role};
use crate::model::reference::is_name;
use crate::ops::runtime::running::{RunningInstance, running_instances};

/// Time for the engine's answer.
const PATIENCE: Duration = Duration::from_millis(100);

/// Returns what runs, and what has ended and is retained.
pub(in crate::cli) fn running() -> Vec<CompletionCandidate> {
    instances(|_| true)
}

/// Returns what runs.
pub(in crate::cli) fn alive() -> Vec<CompletionCandidate> {
    instances(|one| one.is_alive)
}

fn instances(is_wanted: fn(&RunningInstance) -> bool) -> Vec<CompletionCandidate> {
    let Some(typed) = TypedLine::current() else { return Vec::new() };
    found(typed, is_wanted).unwrap_or_default()
}

fn found(typed: &TypedLine, is_wanted: fn(&RunningInstance) -> bool) -> Option<Vec<CompletionCandidate>> {
    let settings = typed.settings()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let answer = runtime.block_on(running_instances(
        &typed.host.env,
        settings.engine,
        &settings.inventory_id(),
        settings.offline,
        PATIENCE,
    ));
    // The name of an engine's host may still be looked up.
    runtime.shutdown_background();
    let wanted: Vec<ResourceLabels> = answer.into_iter().filter(is_wanted).map(|one| one.labels).collect();
    Some(candidates(&wanted, &typed.names().into_iter().collect::<Vec<_>>()))
}

/// Returns the names that are not typed yet, and the IDs of the runs where several have one name.
fn candidates(instances: &[ResourceLabels], given: &[&str]) -> Vec<CompletionCandidate> {
    let mut count: HashMap<&str, usize> = HashMap::new();
    for one in instances {
        *count.entry(&one.name).or_default() += 1;
    }
    // Labels come from the engine, and names go to a shell.
    let wanted = instances.iter().filter(|one| one.role != Role::Data && is_name(&one.name));
    let mut candidates = Vec::new();
    for one in wanted.filter(|one| !given.contains(&one.name.as_str())) {
        let component = one.component.rsplit('/').next().unwrap_or_default();
        let help = match one.role {
            Role::Service if one.is_independent_service() => "Backing service".to_owned(),
            Role::Service => format!("Backing service of {component}"),
            _ => "Component".to_owned(),
        };
        let is_first = count.get(one.name.as_str()).is_some_and(|count| *count > 0);
        let is_one_of_several = count.get(one.name.as_str()).is_some_and(|count| *count != 1);
        if is_first {
            candidates.push(candidate(&one.name, Some(&help)));
        }
        if is_one_of_several {
            // Marks the name as offered.
            count.insert(&one.name, 0);
            let run = one.run.to_string();
            if !given.contains(&run.as_str()) {
                candidates.push(candidate(run, Some(&format!("Run of {}", one.name))));
            }
        }
    }
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::process_ref::ProcessRef;
    use crate::model::identity::{Retention, RunId};

    fn labels(run: &str, name: &str, role: Role) -> ResourceLabels {
        ResourceLabels {
            run: RunId::parse(run).expect("is one"),
            component: "service/web".to_owned(),
            role,
            name: name.to_owned(),
            owner: ProcessRef { pid: 1, started: 1, boot: String::new(), place: String::new() },
            lifetime: Retention::Retained,
            inventory: String::new(),
        }
    }

    #[test]
    fn running_names_are_offered_once_with_runs_to_tell_them_apart() {
        let (one, two) = ("0000000001", "0000000002");
        let shown = |given: &[&str]| -> Vec<String> {
            let all = [
                labels(one, "web", Role::Component),
                labels(one, "redis", Role::Service),
                labels(two, "web", Role::Component),
                labels(two, "$(x)", Role::Component),
                labels(two, "data", Role::Data),
            ];
            let text = |one: CompletionCandidate| {
                let help = one.get_help().map(ToString::to_string).unwrap_or_default();
                format!("{}: {help}", one.get_value().to_string_lossy())
            };
            candidates(&all, given).into_iter().map(text).collect()
        };
        assert_eq!(
            shown(&[]),
            [
                "web: Component",
                "0000000001: Run of web",
                "redis: Backing service of web",
                "0000000002: Run of web",
            ]
        );
        assert_eq!(shown(&["web"]), ["redis: Backing service of web"]);
    }
}
