//! The ends of the logs of the containers of a merge request's releases.

use serde_json::Value;

use super::log_choice::LogChoice;
use crate::model::staging::kubernetes::PodTrouble;
use crate::ops::shared::outside_text::shown;
use crate::ops::stage::StageError;
use crate::ops::stage::kubernetes::{LINE, pods_of, public_reason, read_releases};
use crate::systems::kubectl::Kubectl;

/// Maximum number of logs to fetch.
const MOST: usize = 20;

/// The end of a container's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerLog {
    /// Name of its release.
    pub release: String,
    /// Name of its pod.
    pub pod: String,
    /// Its name.
    pub container: String,
    /// Its trouble in the words of the cluster, if it has any.
    pub trouble: Option<String>,
    /// The log is that of its run before.
    pub is_previous: bool,
    /// The last lines.
    pub lines: Vec<String>,
    /// Reason why there are none.
    pub unread: Option<String>,
}

/// Returns the ends of logs, of `lines` lines each.
pub(super) async fn container_logs(
    kubectl: &Kubectl,
    (project, number): (&str, u64),
    choice: &LogChoice,
    lines: usize,
) -> Result<Vec<ContainerLog>, StageError> {
    let mut logs = Vec::new();
    let mut names = Vec::new();
    let releases = read_releases(kubectl, (project, number), 0, &mut Vec::new()).await?;
    for release in &releases {
        let (pods, troubles) = pods_of(kubectl, release).await?;
        for (pod, container) in pods.iter().flat_map(containers) {
            names.push(container.clone());
            let trouble = troubles.iter().find(|one| one.pod == pod && one.container == container);
            let is_chosen = match choice {
                LogChoice::Failed => trouble.is_some(),
                LogChoice::All => true,
                LogChoice::Named(name) => *name == container || *name == pod,
            };
            if is_chosen && logs.len() < MOST {
                logs.push(read(kubectl, (&release.remains.name, &pod, &container), trouble, lines).await);
            }
        }
    }
    match choice {
        LogChoice::Named(name) if logs.is_empty() => {
            names.sort();
            names.dedup();
            let merge_request = format!("{project}!{number}");
            Err(StageError::NoContainer { merge_request, name: name.clone(), names })
        }
        _ if releases.is_empty() => Err(StageError::NoRelease {
            merge_request: format!("{project}!{number}"),
            namespace: kubectl.target().namespace.clone(),
        }),
        _ => Ok(logs),
    }
}

async fn read(
    kubectl: &Kubectl,
    (release, pod, container): (&str, &str, &str),
    trouble: Option<&PodTrouble>,
    lines: usize,
) -> ContainerLog {
    let is_previous = trouble.is_some_and(|one| one.has_run);
    let (read, unread) = match kubectl.log_tail(pod, container, is_previous, lines).await {
        Ok(read) => (read, None),
        Err(error) => (Vec::new(), Some(shown(&public_reason(&error), LINE))),
    };
    ContainerLog {
        release: release.to_owned(),
        pod: shown(pod, 253),
        container: shown(container, 63),
        trouble: trouble.map(|one| shown(&one.describe(), LINE)),
        is_previous,
        lines: read.iter().map(|line| shown(line, LINE)).collect(),
        unread,
    }
}

/// Returns the names of a pod and of each of its containers.
fn containers(pod: &Value) -> Vec<(String, String)> {
    let name = |one: &Value| one["name"].as_str().unwrap_or_default().to_owned();
    let lists = ["initContainers", "containers"].into_iter();
    let all = lists.flat_map(|list| pod["spec"][list].as_array().into_iter().flatten());
    all.map(|container| (name(&pod["metadata"]), name(container))).collect()
}
