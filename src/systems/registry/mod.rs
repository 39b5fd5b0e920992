//! Registries of images, by the API of the OCI distribution specification: the digest of a tag, asked for anonymously.
//! Pulling images is up to the engines.

mod bearer;
mod error;
mod name;

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Response, StatusCode, Url, header};
use sha2::{Digest as _, Sha256};

use crate::base::clock::Clock;
use crate::base::digest::hex;
use crate::base::http::{HttpClient, is_loopback};
use crate::base::retry::{Attempt, RetryDecision, RetryLimits, asked_wait};
use bearer::Challenge;
pub use error::RegistryError;
pub use name::RegistryImage;

/// Limits of retries.
const RETRIES: RetryLimits = RetryLimits { tries: 3, patience: Duration::from_secs(20) };
/// Maximum time of one request.
const PATIENCE: Duration = Duration::from_secs(30);
/// Maximum bytes of a manifest, as registries have it, and of a token.
const MANIFEST: usize = 4 << 20;
const TOKEN: usize = 64 << 10;
/// Forms of manifests, of one platform or of several.
const FORMS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
                     application/vnd.docker.distribution.manifest.list.v2+json, \
                     application/vnd.docker.distribution.manifest.v2+json";

/// Client of all registries.
#[derive(Debug)]
pub struct Registry {
    http: Arc<HttpClient>,
    clock: Arc<dyn Clock>,
}

impl Registry {
    /// Creates a client. Opens no connection.
    #[must_use]
    pub fn new(http: Arc<HttpClient>, clock: Arc<dyn Clock>) -> Self {
        Self { http, clock }
    }

    /// Returns the digest of an image's tag: `sha256:…`.
    ///
    /// # Errors
    /// Fails if the registry does not answer, has no such tag, or does not show it to everybody.
    pub async fn digest(&self, image: &RegistryImage, tag: &str) -> Result<String, RegistryError> {
        let url = image.manifest(tag)?;
        if self.http.policy().offline && !url.host_str().is_some_and(is_loopback) {
            return Err(RegistryError::Offline { registry: image.registry.clone() });
        }
        let mut token = None;
        let mut tries = 0;
        loop {
            tries += 1;
            let sent = self.ask(image, &url, FORMS, token.as_deref()).await;
            let trouble = match &sent {
                Ok(response) if response.status() == StatusCode::UNAUTHORIZED && token.is_none() => {
                    token = Some(self.token(image, response).await?);
                    continue;
                }
                Ok(response) if response.status().is_success() => {
                    return self.read_digest(image, sent?).await;
                }
                Ok(response) => {
                    let text =
                        response.headers().get(header::RETRY_AFTER).and_then(|text| text.to_str().ok());
                    let wait = asked_wait(text, None, self.clock.wall());
                    Attempt::Status(response.status().as_u16(), wait)
                }
                Err(RegistryError::Unreachable { is_unsent: true, .. }) => Attempt::NotSent,
                Err(_) => Attempt::Broken,
            };
            match RETRIES.next(true, tries, trouble, fastrand::f64()) {
                RetryDecision::Wait(pause) => self.clock.sleep(pause).await,
                RetryDecision::GiveUp(_) => {
                    return Err(RegistryError::of_status(&image.registry, image.name(), tag, sent?.status()));
                }
            }
        }
    }

    async fn ask(
        &self,
        image: &RegistryImage,
        url: &Url,
        accept: &str,
        token: Option<&str>,
    ) -> Result<Response, RegistryError> {
        let client = self.http.client_for(url)?;
        let mut request = client.get(url.clone()).header(header::ACCEPT, accept).timeout(PATIENCE);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.send().await.map_err(|error| RegistryError::unreachable(&image.registry, &error))
    }

    /// Asks for an anonymous token where the registry's challenge says.
    async fn token(&self, image: &RegistryImage, refused: &Response) -> Result<String, RegistryError> {
        let challenges = refused.headers().get_all(header::WWW_AUTHENTICATE);
        let challenge = challenges.iter().filter_map(|text| text.to_str().ok()).find_map(Challenge::parse);
        let refuse = || RegistryError::Unauthorised { image: image.name() };
        let url = challenge.and_then(|challenge| challenge.url(&image.path)).ok_or_else(refuse)?;
        let answer = self.ask(image, &url, "application/json", None).await?;
        if !answer.status().is_success() {
            return Err(refuse());
        }
        let body = read(image, answer, TOKEN).await?;
        bearer::token(&body).ok_or_else(refuse)
    }

    /// Returns the digest of the manifest that the registry sends.
    async fn read_digest(&self, image: &RegistryImage, answer: Response) -> Result<String, RegistryError> {
        let said = answer.headers().get("docker-content-digest").and_then(|text| text.to_str().ok());
        let said = said.map(str::to_owned);
        let body = read(image, answer, MANIFEST).await?;
        let digest = format!("sha256:{}", hex(&Sha256::digest(&body)));
        match said.filter(|said| *said != digest) {
            Some(said) => Err(RegistryError::Digest { image: image.name(), said, found: digest }),
            None => Ok(digest),
        }
    }
}

/// Reads an answer within a limit.
async fn read(image: &RegistryImage, mut answer: Response, most: usize) -> Result<Vec<u8>, RegistryError> {
    let mut body = Vec::new();
    while let Some(chunk) =
        answer.chunk().await.map_err(|error| RegistryError::unreachable(&image.registry, &error))?
    {
        body.extend_from_slice(&chunk);
        if body.len() > most {
            return Err(RegistryError::TooLong { registry: image.registry.clone() });
        }
    }
    Ok(body)
}
