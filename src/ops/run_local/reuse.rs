//! Reuse of detached runs for `--detach --keep-services`: finds a running run whose configuration hash
//! matches the plan. The hash is in `runtime::start::config_hash`.

use std::collections::BTreeMap;

use super::outcome::PortMapping;
use super::plan::RunPlan;
use crate::model::container::{ContainerSummary, Status};
use crate::model::identity::{CONFIG_HASH, PORTS, ResourceLabels, RunId};
use crate::model::port::PublishedPort;
use crate::ops::runtime::start::config_hash::{digest_of, specification};
use crate::systems::engine::{ContainerEngine, EngineError};

/// Returns the running run that matches the plan, and the ways to reach it; `None` if a part is missing,
/// has ended, or was made from another configuration.
pub(super) async fn find_running(
    engine: &ContainerEngine,
    plan: &RunPlan,
    images: &BTreeMap<String, String>,
    workspace: &str,
) -> Result<Option<(RunId, Vec<PortMapping>)>, EngineError> {
    let all = engine.list(None).await?;
    let mut runs: BTreeMap<RunId, BTreeMap<String, &ContainerSummary>> = BTreeMap::new();
    for one in all.iter().filter(|one| one.status == Status::Running) {
        if let Some(who) = ResourceLabels::from_labels(&one.labels) {
            runs.entry(who.run).or_default().insert(who.name, one);
        }
    }
    // Kept services are a run of their own, and units that end by themselves have ended.
    let wanted: Vec<(&str, String)> = plan
        .units()
        .filter(|unit| !unit.retained && !unit.one_shot)
        .filter_map(|unit| {
            let image = images.get(&unit.name)?;
            Some((unit.name.as_str(), digest_of(unit, image, plan.network, workspace)))
        })
        .collect();
    let is_there = |units: &BTreeMap<String, &ContainerSummary>, name: &str, digest: &String| {
        units.get(name).is_some_and(|one| one.labels.get(CONFIG_HASH) == Some(digest))
    };
    let same = runs
        .into_iter()
        .find(|(_, units)| wanted.iter().all(|(name, digest)| is_there(units, name, digest)))
        .filter(|_| !wanted.is_empty());
    let kept = plan.units().filter(|unit| unit.retained);
    let kept_are_there = kept.into_iter().all(|unit| {
        let run = RunId::of_workspace(workspace, &unit.name);
        let image = images.get(&unit.name).map_or("", String::as_str);
        let digest = specification(unit, image);
        all.iter().any(|one| {
            let who = ResourceLabels::from_labels(&one.labels);
            one.status == Status::Running
                && who.is_some_and(|who| who.run == run)
                && one.labels.get(CONFIG_HASH) == Some(&digest)
        })
    });
    Ok(same.filter(|_| kept_are_there).map(|(run, units)| {
        let ports = plan.units().flat_map(|unit| {
            let label = units.get(&unit.name).and_then(|one| one.labels.get(PORTS));
            let ports = label.map(|label| PublishedPort::from_label(label)).unwrap_or_default();
            let component = unit.name.clone();
            ports.into_iter().map(move |port| PortMapping { component: component.clone(), port })
        });
        (run, ports.collect())
    }))
}
