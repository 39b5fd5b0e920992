//! `cki down --volumes`: what backing services that are kept have stored. It stays when they are
//! removed, and goes only when somebody says so.

use super::engine::{Engine, OpenError};
use crate::model::identity::{Identity, Role};

/// Removes what services have stored: of the one that is meant, or of all. Gives the names of the
/// volumes. One that is in use is an error.
///
/// # Errors
/// When the engine does not do it.
pub async fn remove(engine: &Engine, service: Option<&str>) -> Result<Vec<String>, OpenError> {
    let Engine::Containers(engine) = engine else { return Ok(Vec::new()) };
    let swept = engine.sweep(|who| is_meant(who, service)).await?;
    match swept.left.into_iter().next() {
        Some(error) => Err(error.into()),
        None => Ok(swept.volumes),
    }
}

fn is_meant(who: &Identity, service: Option<&str>) -> bool {
    who.role == Role::Data
        && service.is_none_or(|service| {
            let component = who.component.as_str();
            component == service
                || component.rsplit('/').next() == Some(service)
                || (service.len() >= 4 && who.run.as_str().starts_with(service))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::owner::Owner;
    use crate::model::identity::{Lifetime, RunId};

    #[test]
    fn only_what_is_stored_and_meant() {
        let run = RunId::of_workspace("w", "postgres");
        let who = |role| Identity {
            run: run.clone(),
            component: "services/postgres".into(),
            role,
            name: "x".into(),
            owner: Owner { pid: 1, started: 2, boot: "b".into() },
            lifetime: Lifetime::Workspace,
        };
        for service in [None, Some("postgres"), Some("services/postgres"), Some(&run.as_str()[..6])] {
            assert!(is_meant(&who(Role::Data), service), "{service:?}");
            assert!(!is_meant(&who(Role::Service), service));
        }
        assert!(!is_meant(&who(Role::Data), Some("post")));
    }
}
