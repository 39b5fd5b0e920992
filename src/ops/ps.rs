//! `cki ps`: the list of instances, and the health of each: asks the readiness probes of running ones now,
//! all at the same time, each with a short timeout.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;

use crate::model::container::Status;
use crate::model::guard::GatePass;
use crate::model::probe::ReadinessProbe;
use crate::ops::runtime::engine::RunEngine;
use crate::ops::runtime::error::InstanceError;
use crate::ops::runtime::list::{InstanceSummary, ListScope, list};
use crate::ops::runtime::probe::ProbeFailure;
use crate::ops::runtime::select::select_all;
use crate::systems::native::Native;

/// Timeout of a probe.
const LIMIT: Duration = Duration::from_millis(300);

/// The health of a unit with a readiness probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Ready.
    Ready,
    /// Not ready, within the time that it has for its start; with the reason.
    Starting(String),
    /// Not ready, with the reason.
    NotReady(String),
    /// No answer in time, which may have other reasons.
    Unknown(String),
}

/// The instances to list.
#[derive(Debug, Clone, Copy)]
pub struct PsRequest<'a> {
    /// Components, backing services, or runs; without any, all.
    pub queries: &'a [String],
    /// The runs that the request is about; a run's ID finds any run.
    pub scope: &'a ListScope,
    /// Include instances that have ended.
    pub ended: bool,
    /// The time, in seconds since 1970.
    pub now: i64,
    /// The time that a unit has for its start.
    pub ready_timeout: Duration,
}

/// The listed instances.
#[derive(Debug, Clone, Default)]
pub struct PsListing {
    /// The instances, each with the health of a unit that has a readiness probe.
    pub instances: Vec<(InstanceSummary, Option<Health>)>,
    /// Number of instances that have ended and are not listed.
    pub ended: usize,
    /// Number of runs of other inventories.
    pub elsewhere: usize,
}

/// Lists instances, and asks their readiness probes.
///
/// # Errors
/// Fails when the engine does not answer, or nothing matches a query.
pub async fn ps(
    engine: &RunEngine,
    native: &Native,
    request: &PsRequest<'_>,
) -> Result<PsListing, InstanceError> {
    let listing = list(engine, native, request.scope).await?;
    let mut selected: Vec<InstanceSummary> = if request.queries.is_empty() {
        listing.instances.clone()
    } else {
        let mut runs = BTreeSet::new();
        for query in request.queries {
            runs.extend(select_all(&listing, query)?.into_iter().map(|one| one.identity.run.clone()));
        }
        let all = listing.instances.iter().chain(&listing.others);
        all.filter(|one| runs.contains(&one.identity.run)).cloned().collect()
    };
    let count = selected.len();
    if !request.ended {
        selected.retain(InstanceSummary::is_alive);
    }
    let ended = count - selected.len();
    let health = health(engine, &selected, request.now, request.ready_timeout).await;
    let elsewhere: BTreeSet<_> = listing.others.iter().map(|one| &one.identity.run).collect();
    let elsewhere = if request.queries.is_empty() { elsewhere.len() } else { 0 };
    Ok(PsListing { instances: selected.into_iter().zip(health).collect(), ended, elsewhere })
}

/// Asks the probes of all running units. `now` is in seconds since 1970, and `allowed` is the time that a
/// unit has for its start.
async fn health(
    engine: &RunEngine,
    instances: &[InstanceSummary],
    now: i64,
    allowed: Duration,
) -> Vec<Option<Health>> {
    let asks = |one: &InstanceSummary| one.status == Status::Running && one.ready.is_some();
    // The first query may take longer than the timeout on some engines; an error appears again below.
    if instances.iter().any(asks) {
        let _ = engine.learn_ways().await;
    }
    let answers = instances.iter().map(async |one| {
        let ready = one.ready.as_ref().filter(|_| asks(one))?;
        let why = match tokio::time::timeout(LIMIT, ask(one, ready)).await {
            Err(_) => return Some(Health::Unknown(format!("no answer within {} ms", LIMIT.as_millis()))),
            Ok(Ok(())) => return Some(Health::Ready),
            Ok(Err(why)) => why,
        };
        let is_young = u64::try_from(now - one.created).is_ok_and(|age| age < allowed.as_secs());
        Some(if is_young { Health::Starting(why) } else { Health::NotReady(why) })
    });
    join_all(answers).await
}

async fn ask(one: &InstanceSummary, ready: &ReadinessProbe) -> Result<(), String> {
    let command = match ready {
        ReadinessProbe::Exec(command) => command.clone(),
        _ => Vec::new(),
    };
    match one.instance.probe(ready, &GatePass::recorded(command)).await {
        Ok(()) => Ok(()),
        Err(ProbeFailure::Reason(reason)) => Err(reason),
        // The output of a command may contain secrets.
        Err(failure @ ProbeFailure::Command(_, code, _)) => match one.redactor().await {
            Ok(redactor) => Err(failure.describe(&redactor)),
            Err(_) => Err(format!("its command ends with {code}; its output cannot be shown safely")),
        },
    }
}
