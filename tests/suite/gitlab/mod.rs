//! The GitLab client, staging, and the stand-in that both are tried against. Time goes by hand:
//! a pause ends at once, and lets as much time pass in the stand-in.

mod client;
mod combined;
mod misbehaviour;
mod pipeline;
mod pipeline_environment;
mod progress;
mod python;
mod report;
mod stage;
mod stage_bot;
mod stage_faults;
mod stage_links;
mod unseen;

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use cki::base::clock::{Clock, Sleep};
use cki::base::http::HttpClient;
use cki::base::secret::Secret;
use cki::demo::gitlab::{
    ControlFile, FaultKind, InjectedFault, StandIn, StandInConfig, StandInOptions, TimeScale,
};
use cki::model::event::{Event, Events, Sink};
use cki::systems::gitlab::{ClientOptions, GitLab};

pub(crate) const ALICE: &str = "alice-not-a-real-token";
const READER: &str = "reader-not-a-real-token";

/// 2026-11-22 10:00:00 UTC.
fn start_time() -> jiff::Timestamp {
    "2026-11-22T10:00:00Z".parse().expect("is a time")
}

fn config() -> StandInConfig {
    StandInConfig::parse("gitlab.yaml", include_str!("../../fixtures/gitlab.yaml")).expect("is valid")
}

/// A stand-in whose time is the clock's.
fn stand_in_of(config: StandInConfig) -> Arc<StandIn> {
    let options = StandInOptions { config, pace: TimeScale::ByHand, began: start_time(), port: 0 };
    Arc::new(StandIn::start(options).expect("starts"))
}

pub(crate) fn stand_in() -> Arc<StandIn> {
    stand_in_of(config())
}

/// Waiting takes no time, and lets it pass.
#[derive(Debug)]
struct ByHand {
    stand_in: Arc<StandIn>,
    now: Mutex<Duration>,
    pauses: Mutex<Vec<Duration>>,
}

impl ByHand {
    fn new(stand_in: &Arc<StandIn>) -> Arc<Self> {
        Arc::new(Self { stand_in: stand_in.clone(), now: Mutex::default(), pauses: Mutex::default() })
    }

    /// The pauses so far.
    fn pauses(&self) -> Vec<Duration> {
        self.pauses.lock().expect("is not poisoned").clone()
    }
}

impl Clock for ByHand {
    fn elapsed(&self) -> Duration {
        *self.now.lock().expect("is not poisoned")
    }

    fn wall(&self) -> SystemTime {
        SystemTime::from(start_time()) + self.elapsed()
    }

    fn sleep(&self, span: Duration) -> Sleep<'_> {
        Box::pin(async move {
            *self.now.lock().expect("is not poisoned") += span;
            self.pauses.lock().expect("is not poisoned").push(span);
            self.stand_in.advance(span);
            tokio::task::yield_now().await;
        })
    }
}

fn gitlab_with(url: &str, token: Option<&str>, clock: Arc<dyn Clock>, events: Events) -> GitLab {
    let means = ClientOptions::new(Arc::new(HttpClient::default()), clock, events);
    GitLab::new(url, token.map(|token| Secret::new(token).into()), means).expect("is an address")
}

/// A client of the stand-in, and its clock.
fn client(stand_in: &Arc<StandIn>, token: Option<&str>) -> (GitLab, Arc<ByHand>) {
    let clock = ByHand::new(stand_in);
    (gitlab_with(stand_in.url(), token, clock.clone(), Events::silent()), clock)
}

fn inject_fault(stand_in: &StandIn, method: &str, path: &str, times: u32, how: FaultKind) {
    let fault = InjectedFault {
        method: Some(method.to_owned()),
        path: path.to_owned(),
        after: 0,
        times,
        done: false,
        kind: how,
    };
    stand_in.control(ControlFile::Misbehave(fault)).expect("is taken");
}

/// Keeps what was reported, and does something at each event.
#[derive(Clone)]
struct Recorder {
    events: Arc<Mutex<Vec<Event>>>,
    react: Arc<dyn Fn(&Event) + Send + Sync>,
}

impl Recorder {
    fn new(react: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        Self { events: Arc::default(), react: Arc::new(react) }
    }

    fn events(&self) -> Vec<Event> {
        self.events.lock().expect("is not poisoned").clone()
    }

    fn warnings(&self) -> Vec<String> {
        let text = |event| if let Event::Warning(text) = event { Some(text) } else { None };
        self.events().into_iter().filter_map(text).collect()
    }
}

impl Sink for Recorder {
    fn send(&self, event: Event) {
        (self.react)(&event);
        self.events.lock().expect("is not poisoned").push(event);
    }
}
