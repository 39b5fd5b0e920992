//! Checks of GitLab: the server, and the token for it. Only a request with a token that the server may
//! have reaches it.

use std::sync::Arc;
use std::time::Duration;

use super::{CheckResult, DoctorContext};
use crate::base::http::is_loopback;
use crate::base::text::duration;
use crate::model::access_token::AccessToken;
use crate::ops::shared::brisk_clock::BriskClock;
use crate::ops::shared::token::{FoundToken, TokenError, TokenStanding};
use crate::systems::gitlab::{ClientOptions, GitLab, GitLabError};

/// Timeout for the server.
const FOR_THE_SERVER: Duration = Duration::from_secs(3);

/// Checks the server: its address, and with a token, whether it answers and who the user is.
pub(super) async fn server(patient: &DoctorContext) -> CheckResult {
    let (url, origin) = &patient.settings.gitlab_url;
    let named = format!("{url} ({origin})");
    let address = reqwest::Url::parse(url).ok();
    let Some(host) = address.as_ref().and_then(|url| url.host_str()) else {
        return CheckResult::failed(format!("{named} is not the address of a server"));
    };
    let is_here = is_loopback(host);
    if patient.settings.offline && !is_here {
        return CheckResult::not_needed(format!("{named}, not asked with `--offline`"));
    }
    match patient.token().await {
        Ok(TokenStanding::Unencrypted) => CheckResult::failed(format!(
            "{named} would get your token without encryption, so it is not asked"
        )),
        Ok(TokenStanding::Usable(FoundToken { token, .. })) => ask(patient, url, &named, token.clone()).await,
        _ => CheckResult::good(format!("{named}, not asked without a token")),
    }
}

async fn ask(patient: &DoctorContext, url: &str, named: &str, token: AccessToken) -> CheckResult {
    let means = ClientOptions {
        timeout: FOR_THE_SERVER,
        ..ClientOptions::new(
            patient.http.clone(),
            Arc::new(BriskClock::new(FOR_THE_SERVER)),
            patient.events.clone(),
        )
    };
    let client = match GitLab::new(url, Some(token), means) {
        Ok(client) => client,
        Err(error) => return CheckResult::failed(error.to_string()),
    };
    let asked = async {
        let version = client.version().await?;
        Ok::<_, GitLabError>((version, client.user().await?))
    };
    match tokio::time::timeout(FOR_THE_SERVER, asked).await {
        Ok(Ok((version, user))) => {
            CheckResult::good(format!("{named}: GitLab {}, as @{}", version.version, user.username))
        }
        Ok(Err(error @ (GitLabError::Unauthorised { .. } | GitLabError::Forbidden { .. }))) => {
            CheckResult::failed(format!("the token is not valid there, or lacks the right `api`: {error}"))
        }
        Ok(Err(error)) => CheckResult::failed(error.to_string()),
        Err(_) => {
            CheckResult::failed(format!("{named} has not answered within {}", duration(FOR_THE_SERVER)))
        }
    }
}

/// Checks that there is a token, and that the server may have it.
pub(super) async fn token(patient: &DoctorContext) -> CheckResult {
    match patient.token().await {
        Ok(TokenStanding::Usable(FoundToken { from, .. })) => CheckResult::good(format!("from {from}")),
        Ok(TokenStanding::Missing { .. }) => {
            CheckResult::warning("none: `cki stage` and private repositories need one").fix("cki login")
        }
        Ok(TokenStanding::Unencrypted) => CheckResult::warning(format!(
            "not sent to {}: the connection is not encrypted",
            patient.settings.gitlab_url.0
        )),
        Ok(TokenStanding::Withheld { by }) => CheckResult::warning(format!(
            "not sent to {}: {by} names that server, and a project's file does not get your token",
            patient.settings.gitlab_url.0
        )),
        Err(TokenError::Readable(file)) => {
            let fix = format!("chmod 600 {}", shell_words::quote(file));
            CheckResult::failed(TokenError::Readable(file.clone()).to_string()).fix(fix)
        }
        Err(error) => CheckResult::failed(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::CheckState;
    use super::super::tests::patient;
    use super::*;

    #[tokio::test]
    async fn gitlab_check_hides_token_and_stays_offline() {
        let it = patient(&[("CKI_GITLAB_TOKEN", "glpat-very-secret")]);
        let found = token(&it).await;
        assert_eq!((found.state, found.why.as_str()), (CheckState::Good, "from CKI_GITLAB_TOKEN"));
        let found = server(&it).await;
        assert_eq!(found.state, CheckState::NotNeeded);
        assert_eq!(found.why, "https://gitlab.com (default), not asked with `--offline`");
    }

    #[tokio::test]
    async fn gitlab_check_requires_token_and_encryption() {
        let found = server(&patient(&[("CKI_OFFLINE", "false")])).await;
        assert_eq!(
            (found.state, found.why.as_str()),
            (CheckState::Good, "https://gitlab.com (default), not asked without a token")
        );
        let plain = patient(&[
            ("CKI_OFFLINE", "false"),
            ("CKI_GITLAB_URL", "http://192.0.2.1"),
            ("CKI_GITLAB_TOKEN", "x"),
        ]);
        assert_eq!(server(&plain).await.state, CheckState::Failed);
        assert_eq!(token(&patient(&[])).await.state, CheckState::Warning);
    }
}
