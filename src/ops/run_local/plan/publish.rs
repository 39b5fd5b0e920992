//! The ports that a run publishes: those that its requested components declare, and those that the user asks
//! for. A component that does its work once publishes none, and neither does a dependency or backing service,
//! unless the user asks. Taking ports of this machine belongs in `runtime::ports`.

use std::collections::BTreeSet;

use crate::model::port::PublishRequest;
use crate::ops::run_local::error::RunError;
use crate::ops::run_local::request::RunRequest;
use crate::ops::runtime::start::unit::{PlannedPort, Unit};

/// Plans the published ports of all units.
pub(super) fn plan(request: &RunRequest<'_>, units: &mut [Unit]) -> Result<(), RunError> {
    for unit in units.iter_mut().filter(|unit| unit.requested && !unit.one_shot && request.publish.declared) {
        for port in unit.ports.clone() {
            if !unit.dev.publish.iter().any(|one| one.port == port) {
                unit.dev.publish.push(PlannedPort { port, host: None, is_asked: false });
            }
        }
    }
    for asked in &request.publish.asked {
        let unit = listener(asked, units)?;
        let publish = &mut units[unit].dev.publish;
        publish.retain(|one| one.is_asked || one.port != asked.container);
        let planned = PlannedPort { port: asked.container, host: asked.host, is_asked: true };
        if !publish.contains(&planned) {
            publish.push(planned);
        }
    }
    let mut chosen = BTreeSet::new();
    for port in units.iter().flat_map(|unit| unit.dev.publish.iter().filter_map(|one| one.host)) {
        if !chosen.insert(port) {
            return Err(RunError::PublishedTwice { port });
        }
    }
    Ok(())
}

/// Returns the index of the unit whose port is meant.
fn listener(asked: &PublishRequest, units: &[Unit]) -> Result<usize, RunError> {
    let names = |selects: &dyn Fn(&Unit) -> bool| {
        units.iter().filter(|unit| selects(unit)).map(|unit| unit.name.clone()).collect()
    };
    if let Some(name) = &asked.name {
        return units
            .iter()
            .position(|unit| unit.name == *name && (unit.requested || !unit.one_shot))
            .ok_or_else(|| RunError::PublishUnknown {
                name: name.clone(),
                known: names(&|unit| unit.requested || !unit.one_shot),
            });
    }
    let wanted: Vec<usize> = (0..units.len()).filter(|index| units[*index].requested).collect();
    let declaring: Vec<usize> =
        wanted.iter().copied().filter(|index| units[*index].ports.contains(&asked.container)).collect();
    match (wanted.as_slice(), declaring.as_slice()) {
        ([only], _) | (_, [only]) => Ok(*only),
        _ => Err(RunError::PublishAmbiguous { asked: asked.clone(), names: names(&|unit| unit.requested) }),
    }
}
