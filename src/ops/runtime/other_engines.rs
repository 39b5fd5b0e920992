//! Runs on the container engines that a command does not use, as far as one answers in a moment: for the message that
//! nothing was found. A command uses one engine; processes of the native engine are in each list anyway.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;

use super::list::{ListScope, is_run};
use crate::host::Env;
use crate::model::identity::{INVENTORY, RUN, ResourceLabels};
use crate::model::inventory::SERVICE;
use crate::systems::engine::{EngineChoice, labelled_containers};

/// Time for the answer of an engine. It adds to that of a command that found nothing.
const PATIENCE: Duration = Duration::from_millis(100);

/// A container engine with runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherEngine {
    /// Its name, as `--engine` takes it.
    pub name: &'static str,
    /// The running instances, by their labels.
    instances: Vec<ResourceLabels>,
}

impl OtherEngine {
    /// Returns the number of its runs.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.instances.iter().map(|one| one.run.as_str()).collect::<BTreeSet<_>>().len()
    }

    /// Returns whether a query matches one of its instances: a component, a service, a run, or a part of one.
    #[must_use]
    pub fn has(&self, query: &str) -> bool {
        let name = query.strip_prefix(SERVICE).unwrap_or(query);
        self.instances.iter().any(|one| {
            let component = one.component.as_str();
            let is_part = |(run, part): (&str, &str)| is_run(one.run.as_str(), run) && one.name == part;
            one.name == name
                || component == query
                || component.rsplit('/').next() == Some(query)
                || is_run(one.run.as_str(), query)
                || query.split_once('/').is_some_and(is_part)
        })
    }
}

/// Returns the other engines that answer at once and have runs in a scope. With `offline`, asks engines of this
/// machine only.
pub async fn other_engines(env: &Env, used: &str, scope: &ListScope, offline: bool) -> Vec<OtherEngine> {
    let label = match scope {
        ListScope::Inventory(id) => format!("{INVENTORY}={id}"),
        ListScope::All => RUN.to_owned(),
    };
    let kinds = [("docker", EngineChoice::Docker), ("podman", EngineChoice::Podman)];
    let asked = kinds.into_iter().filter(|(name, _)| *name != used).map(async |(name, kind)| {
        let asked = labelled_containers(env, kind, &label, offline);
        let found = tokio::time::timeout(PATIENCE, asked).await.unwrap_or_default();
        let running = found.iter().filter(|one| one.is_running);
        let instances = running.filter_map(|one| ResourceLabels::from_labels(&one.labels));
        // An engine may know nothing of filters.
        OtherEngine { name, instances: instances.filter(|labels| scope.holds(labels)).collect() }
    });
    join_all(asked).await.into_iter().filter(|one| !one.instances.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::process_ref::ProcessRef;
    use crate::model::identity::{Retention, Role, RunId};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    fn labels(name: &str) -> ResourceLabels {
        ResourceLabels {
            run: RunId::parse("0123456789").expect("is one"),
            component: "service/web".to_owned(),
            role: Role::Component,
            name: name.to_owned(),
            owner: ProcessRef { pid: 1, started: 1, boot: "b".to_owned(), place: String::new() },
            lifetime: Retention::Retained,
            inventory: "/i".to_owned(),
        }
    }

    #[test]
    fn query_matches_a_component_a_service_a_run_and_a_part() {
        let engine = OtherEngine { name: "podman", instances: vec![labels("web"), labels("redis")] };
        for query in ["web", "service/web", "redis", "service:redis", "0123", "0123456789/redis"] {
            assert!(engine.has(query), "{query}");
        }
        for query in ["we", "012", "0123/db", "other/web", ""] {
            assert!(!engine.has(query), "{query}");
        }
        assert_eq!(engine.runs(), 1);
    }

    #[tokio::test]
    async fn other_engines_asks_each_for_a_moment_and_the_used_one_not_at_all() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("s");
        let listener = tokio::net::UnixListener::bind(&path).expect("binds");
        let env = Env::new([
            ("DOCKER_HOST", format!("unix://{}", path.display())),
            ("XDG_RUNTIME_DIR", directory.path().display().to_string()),
        ]);
        let own = labels("web");
        let body = serde_json::json!([{
            "Names": [format!("/cki-{}-web", own.run)], "Labels": own.to_labels(), "State": "running",
        }]);
        let scope = ListScope::Inventory("/i".to_owned());
        let serve = async {
            let (mut stream, _) = listener.accept().await.expect("accepts");
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await.expect("reads");
            let answer = format!("HTTP/1.0 200 OK\r\n\r\n{body}");
            stream.write_all(answer.as_bytes()).await.expect("writes");
        };
        let (found, ()) = tokio::join!(other_engines(&env, "native", &scope, true), serve);
        let docker: Vec<_> = found.iter().filter(|one| one.name == "docker").collect();
        assert!(matches!(docker.as_slice(), [one] if one.has("web")), "{found:?}");
        // Nobody accepts: an engine that is silent, and then the one that the command uses.
        assert!(other_engines(&env, "podman", &scope, true).await.is_empty());
        drop(listener);
        assert!(other_engines(&env, "docker", &scope, true).await.iter().all(|one| one.name != "docker"));
    }
}
