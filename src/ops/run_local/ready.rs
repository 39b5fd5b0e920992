//! Polling of readiness probes with growing pauses: the health checks of engines are slow, and some engines
//! have none.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use crate::base::redact::Redactor;
use crate::model::guard::GatePass;
use crate::model::probe::ReadinessProbe;
use crate::ops::runtime::instance::Instance;

/// The first pause between two probes.
const FIRST: Duration = Duration::from_millis(20);
/// The longest pause between two probes.
const LONGEST: Duration = Duration::from_millis(500);
/// Time in which a unit ends after its output has ended.
const ENDING: Duration = Duration::from_secs(2);
/// Timeout of one probe.
const ANSWER: Duration = Duration::from_secs(5);
/// The result of a probe that got no answer.
const NO_ANSWER: &str = "no answer in time";

/// Reason why a unit is not ready.
pub(super) enum NotReady {
    /// The last answer of its probe at the timeout.
    Late(String),
    /// Its output ended without this text, and it runs on.
    OutputEnded(String),
}

/// Waits until a unit is ready, and passes each answer of a probe until then to `report`.
///
/// # Errors
/// Fails at the timeout, and a while after the end of an output that had to hold a text.
pub(super) async fn until_ready(
    instance: &Instance,
    ready: &ReadinessProbe,
    command: &GatePass<Vec<String>>,
    log: Option<watch::Receiver<bool>>,
    limit: Duration,
    redactor: &Redactor,
    report: impl Fn(&str),
) -> Result<(), NotReady> {
    let deadline = Instant::now() + limit;
    if let (ReadinessProbe::Log(text), Some(mut seen)) = (ready, log) {
        report(&format!("its output does not hold `{text}` yet"));
        return match timeout(limit, seen.wait_for(|seen| *seen)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => {
                // The output ends a moment before the process, whose end says more.
                sleep(ENDING.min(deadline.saturating_duration_since(Instant::now()))).await;
                Err(NotReady::OutputEnded(text.clone()))
            }
            Err(_) => Err(NotReady::Late(format!("its output does not hold `{text}`"))),
        };
    }
    let mut pause = FIRST;
    let mut last = None;
    loop {
        // A command is not cut short: its own failure says more, and half of it may do harm.
        let patience = match ready {
            ReadinessProbe::Exec(_) => ANSWER,
            _ => ANSWER.min(deadline.saturating_duration_since(Instant::now())),
        };
        let answer = match timeout(patience, instance.probe(ready, command)).await {
            Ok(answer) => answer.map_err(|failure| failure.describe(redactor)),
            // An attempt that the limit cut short says less than the one before.
            Err(_) if patience < ANSWER => Err(last.take().unwrap_or_else(|| NO_ANSWER.to_owned())),
            Err(_) => Err(NO_ANSWER.to_owned()),
        };
        let Err(why) = answer else { return Ok(()) };
        if Instant::now() + pause > deadline {
            return Err(NotReady::Late(why));
        }
        report(&why);
        last = Some(why);
        sleep(pause).await;
        pause = pause.mul_f64(1.5).min(LONGEST);
    }
}
