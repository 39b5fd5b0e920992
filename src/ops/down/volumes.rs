//! `cki down --volumes`: the stored data of retained backing services. It stays when the services are
//! removed, and is removed only on request.

use crate::model::identity::{ResourceLabels, Role, RunId};
use crate::model::inventory::SERVICE;
use crate::ops::runtime::engine::RunEngine;
use crate::ops::runtime::error::InstanceError;

/// Returns whether a resource belongs to a retained service of the workspace with this seed.
pub(super) fn is_of_workspace(who: &ResourceLabels, seed: &str) -> bool {
    let service = who.component.rsplit('/').next().unwrap_or_default();
    who.run == RunId::of_workspace(seed, service)
}

/// Removes the data of a workspace's services: of the named ones, or of all. Returns the names of the
/// volumes. A volume in use is an error.
///
/// # Errors
/// Fails when the engine refuses.
pub(super) async fn remove(
    engine: &RunEngine,
    seed: &str,
    services: &[String],
) -> Result<Vec<String>, InstanceError> {
    let removed = engine.remove(|who| matches_query(who, seed, services), None).await?;
    match removed.errors.into_iter().next() {
        Some(error) => Err(error),
        None => Ok(removed.volumes),
    }
}

fn matches_query(who: &ResourceLabels, seed: &str, services: &[String]) -> bool {
    let is_named = |service: &String| {
        let component = who.component.as_str();
        let service = service.strip_prefix(SERVICE).unwrap_or(service);
        component == service
            || component.rsplit('/').next() == Some(service)
            || (service.len() >= 4 && who.run.as_str().starts_with(service))
    };
    who.role == Role::Data
        && is_of_workspace(who, seed)
        && (services.is_empty() || services.iter().any(is_named))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::process_ref::ProcessRef;
    use crate::model::identity::Retention;

    #[test]
    fn volumes_query_matches_stored_data_of_service() {
        let run = RunId::of_workspace("w", "postgres");
        let who = |role| ResourceLabels {
            run: run.clone(),
            component: "services/postgres".into(),
            role,
            name: "x".into(),
            owner: ProcessRef { pid: 1, started: 2, boot: "b".into(), place: String::new() },
            lifetime: Retention::Workspace,
            inventory: String::new(),
        };
        let named = |name: &str| vec!["other".to_owned(), name.to_owned()];
        let queries = ["postgres", "services/postgres", "service:postgres", &run.as_str()[..6]];
        for services in queries.map(named).into_iter().chain([vec![]]) {
            assert!(matches_query(&who(Role::Data), "w", &services), "{services:?}");
            assert!(!matches_query(&who(Role::Service), "w", &services));
        }
        assert!(!matches_query(&who(Role::Data), "w", &named("post")));
        assert!(!matches_query(&who(Role::Data), "another workspace", &[]));
    }
}
