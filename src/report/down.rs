//! Report of `cki down`: the removed instances, networks and volumes, as a sentence and as JSON.

use std::borrow::Cow;

use serde::Serialize;

use crate::base::text::{join_and, safe_line};
use crate::ops::down::{Absent, DownOutcome, RemainingRun};
use crate::ops::runtime::list::InstanceSummary;
use crate::report::view;
use crate::ui::Ui;

#[derive(Serialize)]
struct DownView<'a> {
    instances: Vec<RemovedInstanceView<'a>>,
    networks: &'a [String],
    volumes: &'a [String],
    data: &'a [String],
    remaining: Vec<RemainingRunView<'a>>,
}

#[derive(Serialize)]
struct RemainingRunView<'a> {
    run: &'a str,
    names: &'a [String],
}

#[derive(Serialize)]
struct RemovedInstanceView<'a> {
    name: &'a str,
    component: &'a str,
    run: &'a str,
    engine: &'a str,
}

/// Prints what was removed.
pub fn print(ui: &Ui, outcome: &DownOutcome) {
    if ui.is_structured() {
        return view::print(ui, &down_view(outcome));
    }
    if ui.is_names() {
        let DownOutcome { instances, networks, volumes, data, .. } = outcome;
        ui.names(instances.iter().map(|one| &one.identity.name).chain(networks).chain(volumes).chain(data));
    } else {
        ui.status(&sentence(outcome));
    }
    for RemainingRun { run, names } in &outcome.remaining {
        let names: Vec<String> = names.iter().map(|name| format!("`{}`", safe_line(name))).collect();
        let (verb, all) = if names.len() == 1 { ("continues", "it") } else { ("continue", "them") };
        ui.status(&format!("{} of run {run} {verb}; `cki down {run}` removes {all}.", join_and(&names)));
    }
    for Absent { query, elsewhere } in &outcome.absent {
        let query = safe_line(query);
        match elsewhere.as_slice() {
            [] => ui.status(&format!("`{query}` is not running.")),
            [run] => ui.status(&format!("`{query}` runs from another inventory: `cki down {run}`.")),
            runs => {
                let runs = runs.join(" ");
                ui.status(&format!("`{query}` runs from other inventories: `cki down {runs}`."));
            }
        }
    }
}

/// Returns what was removed as a sentence. Networks and volumes of a named instance's run go without saying.
fn sentence(outcome: &DownOutcome) -> String {
    let instance = |one: &InstanceSummary| {
        let name = safe_line(&one.identity.name);
        let same = outcome.instances.iter().filter(|other| other.identity.name == one.identity.name).count();
        if same > 1 { format!("`{name}` of run {}", one.identity.run) } else { format!("`{name}`") }
    };
    let mut names: Vec<String> = outcome.instances.iter().map(instance).collect();
    for (kind, all) in [("network", &outcome.networks), ("volume", &outcome.volumes)] {
        let others = all.iter().filter(|name| !outcome.belongs_to_instance(name));
        names.extend(others.map(|name| format!("{kind} `{}`", short(name))));
    }
    names.extend(outcome.data.iter().map(|name| format!("volume `{}`", short(name))));
    match names.as_slice() {
        [] if !outcome.absent.is_empty() => "Nothing was removed.".to_owned(),
        [] => "Nothing was running.".to_owned(),
        names => format!("Removed {}.", join_and(names)),
    }
}

/// Returns the name of a resource for a person: the digest that an engine gives to a volume without a name is cut, as
/// engines do.
fn short(name: &str) -> Cow<'_, str> {
    let is_digest = name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_digest { Cow::Borrowed(&name[..12]) } else { safe_line(name) }
}

fn down_view(outcome: &DownOutcome) -> DownView<'_> {
    let instances = outcome.instances.iter().map(|one| RemovedInstanceView {
        name: &one.identity.name,
        component: &one.identity.component,
        run: one.identity.run.as_str(),
        engine: one.engine,
    });
    let DownOutcome { networks, volumes, data, remaining, .. } = outcome;
    let remaining =
        remaining.iter().map(|RemainingRun { run, names }| RemainingRunView { run: run.as_str(), names });
    DownView { instances: instances.collect(), networks, volumes, data, remaining: remaining.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::process_ref::ProcessRef;
    use crate::model::container::Status;
    use crate::model::identity::{ResourceLabels, Retention, Role, RunId};

    fn outcome() -> DownOutcome {
        let run = RunId::new(b"a run");
        let identity = ResourceLabels {
            run: run.clone(),
            component: "service/web".into(),
            role: Role::Component,
            name: "web".into(),
            owner: ProcessRef { pid: 1, started: 2, boot: "b".into(), place: String::new() },
            lifetime: Retention::Retained,
            inventory: String::new(),
        };
        DownOutcome {
            instances: vec![InstanceSummary::sample(identity, Status::Running)],
            networks: vec![format!("cki-{run}"), "cki-other".into()],
            volumes: Vec::new(),
            data: vec!["cki-db-data".into()],
            remaining: vec![RemainingRun { run: RunId::new(b"another"), names: vec!["api".into()] }],
            absent: Vec::new(),
            signal: None,
        }
    }

    #[test]
    fn down_names_instances_and_what_belongs_to_none() {
        assert_eq!(sentence(&outcome()), "Removed `web`, network `cki-other` and volume `cki-db-data`.");
        assert_eq!(sentence(&DownOutcome::default()), "Nothing was running.");
        let digest = DownOutcome { data: vec!["0123456789abcdef".repeat(4)], ..DownOutcome::default() };
        assert_eq!(sentence(&digest), "Removed volume `0123456789ab`.");
        let mut twice = outcome();
        let mut other = twice.instances[0].clone();
        other.identity.run = RunId::new(b"another run");
        let runs = (twice.instances[0].identity.run.clone(), other.identity.run.clone());
        twice.instances.push(other);
        let expected = format!("Removed `web` of run {}, `web` of run {}, network", runs.0, runs.1);
        assert!(sentence(&twice).starts_with(&expected), "{}", sentence(&twice));
    }

    #[test]
    fn down_lists_everything_as_json() {
        let outcome = outcome();
        let json = serde_json::to_value(down_view(&outcome)).expect("is JSON");
        let run = outcome.instances[0].identity.run.as_str();
        let expected = serde_json::json!({
            "instances": [{"name": "web", "component": "service/web", "run": run, "engine": "native"}],
            "networks": [format!("cki-{run}"), "cki-other"],
            "volumes": [],
            "data": ["cki-db-data"],
            "remaining": [{"run": RunId::new(b"another").as_str(), "names": ["api"]}],
        });
        assert_eq!(json, expected);
    }
}
