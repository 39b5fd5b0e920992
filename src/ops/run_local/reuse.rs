//! Detached runs that a request meets: one that is what it would start is left as it is, another one of the same
//! components is replaced. The digest of the configuration is in `runtime::start::config_hash`.

use std::collections::{BTreeMap, BTreeSet};

use super::error::RunError;
use super::outcome::PortMapping;
use super::plan::RunPlan;
use crate::model::container::Status;
use crate::model::identity::{Retention, Role, RunId};
use crate::model::inventory::Inventory;
use crate::ops::runtime::list::{FoundInstances, InstanceSummary};
use crate::ops::runtime::select::{Ended, ended_with};
use crate::ops::runtime::start::config_hash::{digest_of, specification};

/// Returns whether a detached run of a requested component is up. A component that ends on its own may run any number of
/// times.
pub(super) fn is_met(found: &FoundInstances, plan: &RunPlan) -> bool {
    !plan.requested().any(|unit| unit.one_shot) && !mains(found, plan).is_empty()
}

/// Returns the requested components and services in detached runs that are up.
fn mains<'a>(found: &'a FoundInstances, plan: &RunPlan) -> Vec<&'a InstanceSummary> {
    let requested: BTreeSet<(&str, &str)> =
        plan.requested().map(|unit| (unit.component.as_str(), unit.name.as_str())).collect();
    let is_requested = |one: &&InstanceSummary| {
        let name = (one.identity.component.as_str(), one.identity.name.as_str());
        is_up(one) && one.is_main() && requested.contains(&name)
    };
    found.instances.iter().filter(is_requested).collect()
}

fn is_up(one: &InstanceSummary) -> bool {
    one.identity.lifetime == Retention::Retained && one.status == Status::Running
}

/// Returns the run that is up and matches the plan, and the ways to reach it; `None` if a part is missing, has ended,
/// was made from another configuration, or has lost its ports.
pub(super) fn identical(
    found: &FoundInstances,
    plan: &RunPlan,
    images: &BTreeMap<String, String>,
    workspace: &str,
) -> Option<(RunId, Vec<PortMapping>)> {
    let mut runs: BTreeMap<&RunId, BTreeMap<&str, &InstanceSummary>> = BTreeMap::new();
    for one in found.instances.iter().filter(|one| is_up(one) && one.lost.is_empty()) {
        runs.entry(&one.identity.run).or_default().insert(&one.identity.name, one);
    }
    let image = |name: &str| images.get(name).map_or("", String::as_str);
    // Kept services are a run of their own, and units that end on their own have ended.
    let wanted: Vec<(&str, String)> = plan
        .units()
        .filter(|unit| !unit.retained && !unit.one_shot)
        .map(|unit| (unit.name.as_str(), digest_of(unit, image(&unit.name), plan.network, workspace)))
        .collect();
    let is_there = |units: &BTreeMap<&str, &InstanceSummary>, name: &str, digest: &String| {
        units.get(name).is_some_and(|one| one.config_hash.as_ref() == Some(digest))
    };
    let same = runs
        .into_iter()
        .find(|(_, units)| wanted.iter().all(|(name, digest)| is_there(units, name, digest)))
        .filter(|_| !wanted.is_empty());
    // All inventories of a workspace share its kept services.
    let all = || found.instances.iter().chain(&found.others);
    let kept_are_there = plan.units().filter(|unit| unit.retained).all(|unit| {
        let run = RunId::of_workspace(workspace, &unit.name);
        let digest = specification(unit, image(&unit.name));
        all().any(|one| {
            one.status == Status::Running
                && one.identity.run == run
                && one.config_hash.as_ref() == Some(&digest)
        })
    });
    same.filter(|_| kept_are_there).map(|(run, units)| {
        let ports = plan.units().filter_map(|unit| units.get(unit.name.as_str())).flat_map(|one| {
            let component = one.identity.name.clone();
            one.ports.iter().map(move |port| PortMapping { component: component.clone(), port: *port })
        });
        (run.clone(), ports.collect())
    })
}

/// Returns what a request with another configuration replaces: the requested components of detached runs, and all of a
/// run that has no others.
///
/// # Errors
/// Fails if data of a backing service would go with them, unless the user agrees to that: `force`.
pub(super) fn replaced(
    found: &FoundInstances,
    plan: &RunPlan,
    inventory: &Inventory,
    force: bool,
) -> Result<Vec<InstanceSummary>, RunError> {
    let is_component = |name: &str| inventory.get_by_name(name).is_some();
    ending(found, &mains(found, plan), is_component, force)
}

/// Returns what ends with some components of runs.
fn ending(
    found: &FoundInstances,
    mains: &[&InstanceSummary],
    is_component: impl Fn(&str) -> bool,
    force: bool,
) -> Result<Vec<InstanceSummary>, RunError> {
    let mut runs: BTreeMap<&RunId, Vec<&InstanceSummary>> = BTreeMap::new();
    for one in mains {
        runs.entry(&one.identity.run).or_default().push(one);
    }
    let mut ended = Vec::new();
    for (run, of_run) in runs {
        let Ended { instances, .. } = ended_with(found, run, &of_run);
        // A container that has done its work has no data.
        let has_data = |one: &&&InstanceSummary| {
            one.identity.role == Role::Service && one.is_alive() && !is_component(&one.identity.name)
        };
        let services: Vec<String> =
            instances.iter().filter(has_data).map(|one| one.identity.name.clone()).collect();
        if !force && !services.is_empty() {
            let name = of_run.first().map_or_else(String::new, |one| one.identity.name.clone());
            return Err(RunError::ReplacesData { name, run: run.to_string(), services });
        }
        ended.extend(instances.into_iter().cloned());
    }
    Ok(ended)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::process_ref::ProcessRef;
    use crate::model::identity::ResourceLabels;

    fn instance(name: &str, role: Role, status: Status) -> InstanceSummary {
        let identity = ResourceLabels {
            run: RunId::new(b"a run"),
            component: "service/web".into(),
            role,
            name: name.into(),
            owner: ProcessRef { pid: 1, started: 2, boot: "b".into(), place: String::new() },
            lifetime: Retention::Retained,
            inventory: String::new(),
        };
        InstanceSummary::sample(identity, status)
    }

    #[test]
    fn replacing_a_run_loses_no_data_of_a_service_unless_forced() {
        let web = || instance("web", Role::Component, Status::Running);
        let ends = |others: Vec<InstanceSummary>, force: bool| {
            let found =
                FoundInstances { instances: [vec![web()], others].concat(), ..FoundInstances::default() };
            let ended = ending(&found, &[&found.instances[0]], |name| name == "api", force);
            ended.map(|all| all.len())
        };
        let db = || instance("db", Role::Service, Status::Running);
        assert_eq!(ends(Vec::new(), false).expect("has no data"), 1);
        assert_eq!(ends(vec![instance("api", Role::Service, Status::Running)], false).expect("is code"), 2);
        assert_eq!(
            ends(vec![instance("web-init", Role::Service, Status::Exited(0))], false).expect("ended"),
            2
        );
        let refused = ends(vec![db()], false).expect_err("has data");
        assert!(matches!(refused, RunError::ReplacesData { services, .. } if services == ["db"]));
        assert_eq!(ends(vec![db()], true).expect("is forced"), 2);
        // Another component keeps the service.
        let worker = instance("worker", Role::Component, Status::Running);
        assert_eq!(ends(vec![worker, db()], false).expect("nothing is lost"), 1);
    }
}
