//! The ports of this machine that a run publishes. All of them are taken before anything starts and held until
//! the run ends, so that no other program gets one in between, and a restarted unit keeps its address.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::forward::{Forward, listen, room};
use super::forwarder;
use crate::model::event::Events;
use crate::model::identity::ResourceLabels;
use crate::model::port::PublishedPort;
use crate::ops::runtime::error::StartError;
use crate::ops::runtime::instance::Instance;
use crate::ops::runtime::start::unit::{PlannedPort, Unit};
use crate::systems::native::Native;

/// The lowest port that any user may take.
const UNPRIVILEGED: u16 = 1024;
/// Distance from a port that only root may take to the first one that is tried instead: 80 becomes 8080.
const STEP: u16 = 8000;
/// Maximum number of ports to try.
const TRIES: usize = 2000;

/// The published ports of a run.
#[derive(Debug)]
pub(in crate::ops) struct RunPorts {
    ports: Mutex<Vec<RunPort>>,
    room: Arc<Semaphore>,
}

/// The forwarded ports of one unit, with its identity and its instance.
type UnitForwards = (ResourceLabels, Instance, Vec<(PublishedPort, Forward)>);

/// One published port.
#[derive(Debug)]
struct RunPort {
    unit: String,
    planned: PlannedPort,
    published: PublishedPort,
    /// `None` when the engine, the unit itself or another process listens on the port of this machine.
    forward: Option<Forward>,
    leads_to: Option<(ResourceLabels, Instance)>,
}

impl RunPorts {
    /// Takes a port of this machine for each port that the units publish: the one that the user chose, else
    /// the same number, else the next free one, which it reports. Must be called within the runtime.
    ///
    /// # Errors
    /// Fails when a port that the user chose cannot be taken, or none is free.
    pub(in crate::ops) fn reserve(units: &[Unit], events: &Events) -> Result<Self, StartError> {
        let room = room();
        let mut wanted: Vec<(&Unit, PlannedPort)> = units
            .iter()
            .flat_map(|unit| unit.dev.publish.iter().map(move |planned| (unit, *planned)))
            .collect();
        // Chosen numbers first: none of them may become the next free one of another unit.
        wanted.sort_by_key(|(_, planned)| planned.host.is_none());
        let mut listeners = Vec::new();
        for (unit, planned) in &wanted {
            listeners.push(match (listen(planned.preferred), planned.host) {
                (Err(source), Some(host)) => {
                    let (name, port) = (unit.name.clone(), planned.port);
                    return Err(StartError::Port { name, port, host, source });
                }
                (listener, _) => listener,
            });
        }
        let is_group = units.iter().filter(|unit| !unit.dev.publish.is_empty()).nth(1).is_some();
        let mut ports = Vec::new();
        for ((unit, planned), listener) in wanted.into_iter().zip(listeners) {
            let (local, listener) = match listener {
                Ok(listener) => (planned.preferred, listener),
                Err(refused) => {
                    let (local, listener) = next_free(planned.preferred, &refused).map_err(|source| {
                        let (name, port) = (unit.name.clone(), planned.port);
                        StartError::Port { name, port, host: port, source }
                    })?;
                    let of = if is_group { format!("{}: ", unit.name) } else { String::new() };
                    events.warn(format!(
                        "{of}port {} {}; published on {local}.",
                        planned.preferred,
                        reason(&refused)
                    ));
                    (local, listener)
                }
            };
            let forward = Some(Forward::open(listener, planned.port, &room));
            let is_http = unit.speaks_http(planned.port);
            let published = PublishedPort { local, port: planned.port, is_http };
            ports.push(RunPort { unit: unit.name.clone(), planned, published, forward, leads_to: None });
        }
        Ok(Self { ports: Mutex::new(ports), room })
    }

    /// Returns whether nothing is published.
    pub(in crate::ops) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Returns whether the user asked for one of the ports.
    pub(in crate::ops) fn is_asked(&self) -> bool {
        self.lock().iter().any(|one| one.planned.is_asked)
    }

    /// Returns the published ports of a unit.
    pub(in crate::ops) fn of(&self, unit: &str) -> Vec<PublishedPort> {
        let mut ports: Vec<PublishedPort> =
            self.lock().iter().filter(|one| one.unit == unit).map(|one| one.published).collect();
        ports.sort_unstable_by_key(|one| (one.port, one.local));
        ports
    }

    /// Publishes nothing.
    pub(in crate::ops) fn withdraw(&self) {
        self.lock().clear();
    }

    /// Leads the ports of a unit to its instance; `identity` is that of the unit.
    pub(in crate::ops) fn lead_to(&self, identity: &ResourceLabels, instance: &Instance) {
        for one in self.lock().iter_mut().filter(|one| one.unit == identity.name) {
            one.forward.iter().for_each(|forward| forward.lead_to(&instance.dialer()));
            one.leads_to = Some((identity.clone(), instance.clone()));
        }
    }

    /// Hands the ports of all units over to processes that outlive this one, one for each unit.
    ///
    /// # Errors
    /// Fails when one of these processes cannot forward.
    pub(in crate::ops) async fn hand_over(&self, native: &Native) -> Result<(), StartError> {
        let mut units: BTreeMap<String, UnitForwards> = BTreeMap::new();
        for one in self.lock().iter_mut() {
            if let (Some((identity, instance)), Some(forward)) = (&one.leads_to, one.forward.take()) {
                let unit = units.entry(one.unit.clone());
                let unit = unit.or_insert_with(|| (identity.clone(), instance.clone(), Vec::new()));
                unit.2.push((one.published, forward));
            }
        }
        for (name, (identity, instance, forwards)) in units {
            let failed = |source| StartError::Forwarder { name: name.clone(), source };
            let (mut ports, mut sockets) = (Vec::new(), Vec::new());
            for (port, forward) in forwards {
                ports.push(port);
                sockets.push(forward.into_socket().await.map_err(failed)?);
            }
            forwarder::start(native, &identity, &instance, &ports, sockets).await.map_err(failed)?;
        }
        Ok(())
    }

    /// Frees the ports of a unit on this machine that `selects`, for the engine or the unit to listen there.
    pub(in crate::ops) async fn release(&self, unit: &str, selects: impl Fn(PublishedPort) -> bool) {
        let freed: Vec<Forward> = self
            .lock()
            .iter_mut()
            .filter(|one| one.unit == unit && selects(one.published))
            .filter_map(|one| one.forward.take())
            .collect();
        for forward in freed {
            forward.close().await;
        }
    }

    /// Takes the next free port for one that another program took after its release. Returns whether there is
    /// one: a port that the user chose stays.
    pub(in crate::ops) fn move_on(&self, unit: &str, taken: Option<u16>, events: &Events) -> bool {
        let mut ports = self.lock();
        let is_it =
            |one: &&mut RunPort| one.unit == unit && taken.is_none_or(|taken| taken == one.published.local);
        let Some(one) = ports.iter_mut().find(is_it).filter(|one| one.planned.host.is_none()) else {
            return false;
        };
        let refused = io::Error::from(io::ErrorKind::AddrInUse);
        let Ok((local, listener)) = next_free(one.published.local, &refused) else { return false };
        events.warn(format!("port {} is in use; published on {local}.", one.published.local));
        one.published.local = local;
        one.forward = Some(Forward::open(listener, one.planned.port, &self.room));
        true
    }

    fn lock(&self) -> MutexGuard<'_, Vec<RunPort>> {
        self.ports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Listens at the next free port after one that was refused.
fn next_free(port: u16, refused: &io::Error) -> io::Result<(u16, TcpListener)> {
    let is_denied = refused.kind() == io::ErrorKind::PermissionDenied;
    let first = if is_denied && port < UNPRIVILEGED { port + STEP } else { port.saturating_add(1) };
    let others = (first..=u16::MAX).chain(UNPRIVILEGED..first);
    let mut last = io::ErrorKind::AddrInUse.into();
    for other in others.take(TRIES) {
        match listen(other) {
            Ok(listener) => return Ok((other, listener)),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn reason(refused: &io::Error) -> String {
    match refused.kind() {
        io::ErrorKind::AddrInUse => "is in use".to_owned(),
        io::ErrorKind::PermissionDenied => "is for root alone".to_owned(),
        _ => format!("cannot be used ({refused})"),
    }
}
