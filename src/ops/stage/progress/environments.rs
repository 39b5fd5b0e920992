//! The environments to which a commit was deployed, as GitLab tells them. Creating and stopping them belongs to other
//! operations.

use super::StagingEnvironment;
use crate::ops::shared::outside_text::{shown, web_address};
use crate::systems::gitlab::{GitLab, GitLabEnvironment, GitLabError};

/// Maximum number of environments to ask for their state.
const MOST: usize = 10;

/// Returns the environments with a deployment of the commit.
///
/// # Errors
/// Fails if the server refuses or does not answer.
pub(super) async fn environments(
    gitlab: &GitLab,
    project: &str,
    sha: &str,
) -> Result<Vec<StagingEnvironment>, GitLabError> {
    let deployments = gitlab.deployments(project).await?;
    let mut named: Vec<GitLabEnvironment> = Vec::new();
    for one in deployments.into_iter().filter(|one| one.sha.eq_ignore_ascii_case(sha)) {
        let Some(environment) = one.environment else { continue };
        if named.len() < MOST && !named.iter().any(|known| known.id == environment.id) {
            named.push(environment);
        }
    }
    let mut found = Vec::new();
    for one in named {
        // A deployment does not tell the state of its environment.
        let whole = match gitlab.environment(project, one.id).await {
            Ok(whole) => whole,
            Err(error) if error.is_hidden() => one,
            Err(error) => return Err(error),
        };
        found.push(StagingEnvironment {
            name: shown(&whole.name, 200),
            url: whole.external_url.as_deref().and_then(web_address),
            state: whole.state.as_deref().map(|state| shown(state, 30)),
            stops_at: whole.auto_stop_at.as_deref().and_then(|at| at.parse().ok()),
        });
    }
    Ok(found)
}
