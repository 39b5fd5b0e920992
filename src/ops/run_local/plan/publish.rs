//! The ports that a run publishes: those that its requested components declare, and those that the user asks
//! for. A component that does its work once publishes none, and neither does a dependency or backing service,
//! unless the user asks. Taking ports of this machine belongs in `runtime::ports`.

use std::collections::BTreeSet;

use crate::base::text::join_and;
use crate::model::port::PublishRequest;
use crate::ops::run_local::error::RunError;
use crate::ops::run_local::request::RunRequest;
use crate::ops::runtime::start::unit::{PlannedPort, Unit};

/// Plans the published ports of all units. Warns of one on which a unit does not listen, as far as its entry says.
pub(super) fn plan(
    request: &RunRequest<'_>,
    units: &mut [Unit],
    warnings: &mut Vec<String>,
) -> Result<(), RunError> {
    for unit in units.iter_mut().filter(|unit| unit.requested && !unit.one_shot && request.publish.declared) {
        for port in unit.ports.clone() {
            if !unit.dev.publish.iter().any(|one| one.port == port) {
                let preferred = preferred(unit, port);
                unit.dev.publish.push(PlannedPort { port, host: None, preferred, is_asked: false });
            }
        }
    }
    for asked in &request.publish.asked {
        let unit = listener(asked, units)?;
        let Unit { name, ports, .. } = &units[unit];
        if !ports.is_empty() && !ports.contains(&asked.container) {
            let known: Vec<String> = ports.iter().map(ToString::to_string).collect();
            let (port, known) = (asked.container, join_and(&known));
            warnings.push(format!(
                "`{name}` listens on {known}, as its entry says: port {port} may lead nowhere."
            ));
        }
        let preferred = asked.host.unwrap_or_else(|| preferred(&units[unit], asked.container));
        let publish = &mut units[unit].dev.publish;
        publish.retain(|one| one.is_asked || one.port != asked.container);
        let planned = PlannedPort { port: asked.container, host: asked.host, preferred, is_asked: true };
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

/// Returns the port of this machine that the entry of a unit names for a port, or else the same number.
fn preferred(unit: &Unit, port: u16) -> u16 {
    unit.host_ports.iter().find(|(_, own)| *own == port).map_or(port, |(host, _)| *host)
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
