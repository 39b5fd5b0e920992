//! The commit that production runs, as GitLab tells it. Which one is reverted is up to `revert_plan`.

use super::RollbackError;
use crate::ops::status::{EnvironmentDeployment, EnvironmentStatus, ProjectGroup, read_project};
use crate::systems::gitlab::GitLab;

/// The deployment that production runs.
#[derive(Debug, Clone)]
pub struct DeployedCommit {
    /// The environment.
    pub environment: String,
    /// The deployment.
    pub deployment: EnvironmentDeployment,
    /// A deployment that is under way or has failed.
    pub newest: Option<EnvironmentDeployment>,
}

/// Returns what production runs of a component.
///
/// # Errors
/// Fails if GitLab shows no deployment to production, or several environments of production run different commits.
pub async fn deployed(gitlab: &GitLab, group: &ProjectGroup<'_>) -> Result<DeployedCommit, RollbackError> {
    let status = read_project(gitlab, group).await;
    if let Some(error) = status.failure {
        return Err(error.into());
    }
    let component = group.components.first().map_or("", |one| one.name());
    choose(&group.project, component, status.environments)
}

/// Chooses the environment of production: one with the name of the component at its end, else the only commit.
fn choose(
    project: &str,
    component: &str,
    environments: Vec<EnvironmentStatus>,
) -> Result<DeployedCommit, RollbackError> {
    let mut found: Vec<DeployedCommit> = environments
        .into_iter()
        .filter(|one| one.is_production)
        .filter_map(|one| {
            Some(DeployedCommit { environment: one.name, deployment: one.current?, newest: one.newest })
        })
        .collect();
    let is_own = |one: &DeployedCommit| one.environment.rsplit('/').next() == Some(component);
    if found.iter().any(is_own) {
        found.retain(is_own);
    }
    let Some(first) = found.first() else {
        let (project, component) = (project.to_owned(), component.to_owned());
        return Err(RollbackError::NotDeployed { project, component });
    };
    if found.iter().any(|one| one.deployment.sha != first.deployment.sha) {
        let what = |one: &DeployedCommit| match &one.deployment.merge_request {
            Some(shipped) => shipped.iid.to_string(),
            None => one.deployment.sha.clone(),
        };
        let choices = found.iter().map(|one| (one.environment.clone(), what(one))).collect();
        let (project, component) = (project.to_owned(), component.to_owned());
        return Err(RollbackError::Several { project, component, choices });
    }
    Ok(found.swap_remove(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::staging::PipelineStatus;

    fn environment(name: &str, is_production: bool, sha: &str) -> EnvironmentStatus {
        let current = EnvironmentDeployment {
            id: 1,
            sha: sha.to_owned(),
            branch: None,
            status: PipelineStatus::Success,
            at: None,
            job: None,
            by: None,
            merge_request: None,
        };
        let (current, newest) = (Some(current), None);
        EnvironmentStatus { name: name.to_owned(), url: None, is_production, state: None, current, newest }
    }

    fn chosen(component: &str, environments: Vec<EnvironmentStatus>) -> String {
        match choose("g/p", component, environments) {
            Ok(found) => format!("{} {}", found.environment, found.deployment.sha),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn choose_takes_the_one_commit_of_production() {
        let of =
            |list: &[(&str, bool, &str)]| list.iter().map(|one| environment(one.0, one.1, one.2)).collect();
        assert_eq!(chosen("", of(&[("staging", false, "b"), ("production", true, "a")])), "production a");
        assert_eq!(chosen("web", of(&[("prod/api", true, "a"), ("prod/web", true, "b")])), "prod/web b");
        assert_eq!(chosen("", of(&[("prod/eu", true, "a"), ("prod/us", true, "a")])), "prod/eu a");
        assert_eq!(
            chosen("x", of(&[("prod/eu", true, "a"), ("prod/us", true, "b")])),
            "`g/p` runs different commits in `prod/eu` and `prod/us`"
        );
        let none = "GitLab shows no successful deployment of `g/p` to production";
        assert_eq!(chosen("", of(&[("staging", false, "b")])), none);
    }
}
