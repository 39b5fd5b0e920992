//! The failing containers of a release, with the events and the ends of the logs of their pods.

use super::FailedContainer;
use crate::model::staging::kubernetes::PodTrouble;
use crate::ops::shared::outside_text::shown;
use crate::systems::kubectl::{Kubectl, KubectlError};

/// Maximum number of failing containers to report.
const REPORTED: usize = 3;
/// Maximum number of events of a failing pod to report.
const EVENTS: usize = 5;
/// Maximum columns of a line of a log, and of a message.
pub(in crate::ops::stage) const LINE: usize = 300;

/// Reads the events and the ends of the logs, of `lines` lines each.
pub(in crate::ops::stage) async fn failing_containers(
    kubectl: &Kubectl,
    troubles: &[PodTrouble],
    lines: usize,
) -> Vec<FailedContainer> {
    let mut failures = Vec::new();
    for trouble in troubles.iter().take(REPORTED) {
        let events = kubectl.events(&trouble.pod).await.unwrap_or_default();
        let warnings = events.iter().filter(|event| event.is_warning);
        let mut events: Vec<String> =
            warnings.map(|event| shown(&format!("{}: {}", event.reason, event.message), LINE)).collect();
        events.drain(..events.len().saturating_sub(EVENTS));
        let log = match trouble.container.as_str() {
            "" => Vec::new(),
            container => kubectl
                .log_tail(&trouble.pod, container, trouble.has_run, lines)
                .await
                .unwrap_or_else(|error| vec![format!("no log: {}", public_reason(&error))]),
        };
        failures.push(FailedContainer {
            pod: shown(&trouble.pod, 253),
            container: shown(&trouble.container, 63),
            reason: shown(&trouble.describe(), LINE),
            events,
            log: log.iter().map(|line| shown(line, LINE)).collect(),
        });
    }
    failures
}

/// Returns why something in a cluster could not be read, without the names of users and hosts, for reports.
pub(in crate::ops::stage) fn public_reason(error: &KubectlError) -> String {
    match error {
        KubectlError::Forbidden { .. } => "the login may not read it".to_owned(),
        KubectlError::Unauthorised { .. }
        | KubectlError::Unreachable { .. }
        | KubectlError::NoContext { .. }
        | KubectlError::NoNamespace { .. }
        | KubectlError::TimedOut { .. }
        | KubectlError::Start { .. } => "the cluster cannot be read".to_owned(),
        error => error.to_string(),
    }
}
