//! The environments of a project, put together of two lists of the server. Pure rules.

use super::{EnvironmentDeployment, EnvironmentStatus};
use crate::ops::shared::outside_text::{shown, web_address};
use crate::systems::gitlab::{GitLabDeployment, GitLabEnvironment};

/// First parts of names by which GitLab recognises production, too.
const PRODUCTION: [&str; 3] = ["production", "prod", "live"];

/// An environment, and whether its current deployment is still to be asked for.
#[derive(Debug)]
pub(super) struct FoundEnvironment {
    pub(super) id: u64,
    pub(super) status: EnvironmentStatus,
}

impl FoundEnvironment {
    /// Returns whether nothing says what runs there, although something may.
    pub(super) fn lacks_deployment(&self) -> bool {
        self.status.current.is_none()
    }
}

/// Returns whether an environment serves real users: as its tier says, else its name.
fn is_production(one: &GitLabEnvironment) -> bool {
    match one.tier.as_deref() {
        Some(tier) => tier == "production",
        None => one
            .name
            .split(['/', '-', '_'])
            .next()
            .is_some_and(|first| PRODUCTION.iter().any(|word| first.eq_ignore_ascii_case(word))),
    }
}

/// Joins environments with deployments, which are the newest first. Stopped environments are left out.
pub(super) fn join(
    environments: Vec<GitLabEnvironment>,
    deployments: &[GitLabDeployment],
) -> Vec<FoundEnvironment> {
    let mut all = environments;
    for part in deployments.iter().filter_map(|one| one.environment.as_ref()) {
        // The list of environments may be hidden, or cut.
        if !all.iter().any(|known| known.id == part.id) {
            all.push(part.clone());
        }
    }
    all.retain(|one| one.state.as_deref() != Some("stopped"));
    let mut found: Vec<FoundEnvironment> = all.iter().map(|one| environment(one, deployments)).collect();
    found.sort_by(|one, other| {
        (!one.status.is_production, &one.status.name).cmp(&(!other.status.is_production, &other.status.name))
    });
    found
}

fn environment(one: &GitLabEnvironment, deployments: &[GitLabDeployment]) -> FoundEnvironment {
    let own = || {
        deployments.iter().filter(|other| other.environment.as_ref().is_some_and(|part| part.id == one.id))
    };
    let current = own().find(|other| other.status.is_success());
    let newest = own().next().filter(|newest| !newest.status.is_success());
    FoundEnvironment {
        id: one.id,
        status: EnvironmentStatus {
            name: shown(&one.name, 200),
            url: one.external_url.as_deref().and_then(web_address),
            is_production: is_production(one),
            state: one.state.as_deref().map(|state| shown(state, 30)),
            current: current.map(EnvironmentDeployment::from),
            newest: newest.map(EnvironmentDeployment::from),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn environment_of(id: u64, name: &str, state: Option<&str>, tier: Option<&str>) -> GitLabEnvironment {
        serde_json::from_value(json!({"id": id, "name": name, "state": state, "tier": tier})).expect("is one")
    }

    fn deployment(id: u64, environment: u64, status: &str) -> GitLabDeployment {
        let part = json!({"id": environment, "name": format!("e{environment}")});
        let (at, ended) = ("2026-11-22T09:00:00Z", "2026-11-22T09:05:00Z");
        serde_json::from_value(json!({
            "id": id, "sha": "a".repeat(40), "status": status, "environment": part, "created_at": at, "updated_at": ended,
        }))
        .expect("is one")
    }

    #[test]
    fn join_finds_what_runs_and_what_comes() {
        let environments = vec![
            environment_of(1, "staging", Some("available"), Some("staging")),
            environment_of(2, "prod/web", Some("available"), None),
            environment_of(3, "review/1", Some("stopped"), None),
        ];
        let deployments = [
            deployment(9, 2, "running"),
            deployment(8, 2, "success"),
            deployment(7, 2, "failed"),
            deployment(6, 4, "failed"),
        ];
        let found = join(environments, &deployments);
        let shown: Vec<_> = found
            .iter()
            .map(|one| {
                let id = |one: &Option<EnvironmentDeployment>| one.as_ref().map(|one| one.id);
                (
                    one.status.name.as_str(),
                    one.status.is_production,
                    id(&one.status.current),
                    id(&one.status.newest),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("prod/web", true, Some(8), Some(9)),
                ("e4", false, None, Some(6)),
                ("staging", false, None, None)
            ]
        );
        let at = |one: &Option<EnvironmentDeployment>| {
            one.as_ref().and_then(|one| one.at).map(|at| at.to_string())
        };
        assert_eq!(at(&found[0].status.current).as_deref(), Some("2026-11-22T09:05:00Z"), "its end");
        assert_eq!(at(&found[0].status.newest).as_deref(), Some("2026-11-22T09:00:00Z"), "its beginning");
        assert!(found[2].lacks_deployment() && !found[0].lacks_deployment());
        assert!(
            !is_production(&environment_of(1, "production", None, Some("testing"))),
            "the tier counts first"
        );
    }
}
