//! Registries of images, by the API of the OCI distribution specification: the digest of a tag, and the commit that an image
//! says it was built from, asked for anonymously. Pulling images is up to the engines.

mod bearer;
mod config;
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
use crate::base::text::{safe_line, truncate};
use bearer::Challenge;
use config::ManifestKind;
pub use error::RegistryError;
pub use name::RegistryImage;

/// Limits of retries.
const RETRIES: RetryLimits = RetryLimits { tries: 3, patience: Duration::from_secs(20) };
/// Maximum time of one request.
const PATIENCE: Duration = Duration::from_secs(30);
/// Maximum bytes of a manifest, as registries have it, and of a token.
const MANIFEST: usize = 4 << 20;
const TOKEN: usize = 64 << 10;
/// Maximum bytes of an image's configuration.
const CONFIG: usize = 4 << 20;
/// Maximum number of redirects to the place where a registry keeps its blobs.
const REDIRECTS: usize = 3;
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
        let answer = self.get(image, image.manifest(tag)?, FORMS, tag).await?;
        Ok(self.read_manifest(image, answer).await?.1)
    }

    /// Returns the commit that an image says it was built from: its annotation or label `org.opencontainers.image.revision`.
    /// Of an image of several platforms, one is read. `digest` is that of the image.
    ///
    /// # Errors
    /// Fails if the registry does not answer, or does not have the configuration of the image.
    pub async fn revision(
        &self,
        image: &RegistryImage,
        digest: &str,
    ) -> Result<Option<String>, RegistryError> {
        let mut digest = digest.to_owned();
        // An index, the manifest of a platform, its configuration.
        for _ in 0..2 {
            let answer = self.get(image, image.manifest(&digest)?, FORMS, &digest).await?;
            let (body, found) = self.read_manifest(image, answer).await?;
            check_digest(image, &digest, found)?;
            match config::read_manifest(&body) {
                Some((Some(revision), _)) => return Ok(Some(revision)),
                Some((None, ManifestKind::Index(manifest))) => digest = manifest,
                Some((None, ManifestKind::Image(config))) => {
                    let body = self.blob(image, &config).await?;
                    return Ok(config::read_config(&body));
                }
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Reads a blob, which a registry may keep at another host.
    async fn blob(&self, image: &RegistryImage, digest: &str) -> Result<Vec<u8>, RegistryError> {
        let mut url = image.blob(digest)?;
        let mut answer = self.get(image, url.clone(), "*/*", digest).await?;
        for _ in 0..REDIRECTS {
            if !answer.status().is_redirection() {
                break;
            }
            let to = answer.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
            let to = to.and_then(|to| url.join(to).ok());
            let is_safe = |to: &Url| to.scheme() == "https" || to.host_str().is_some_and(is_loopback);
            let Some(to) = to.filter(is_safe) else { break };
            self.check_offline(image, &to)?;
            // The token is for the registry alone.
            answer = self.ask(image, &to, "*/*", None).await?;
            url = to;
        }
        if !answer.status().is_success() {
            let (registry, status) = (image.registry.clone(), answer.status().as_u16());
            return Err(RegistryError::Status { registry, status });
        }
        let body = read(image, answer, CONFIG).await?;
        let found = format!("sha256:{}", hex(&Sha256::digest(&body)));
        check_digest(image, digest, found)?;
        Ok(body)
    }

    /// Returns the answer to a request, with an anonymous token if the registry wants one.
    async fn get(
        &self,
        image: &RegistryImage,
        url: Url,
        accept: &str,
        tag: &str,
    ) -> Result<Response, RegistryError> {
        self.check_offline(image, &url)?;
        let mut token = None;
        let mut tries = 0;
        loop {
            tries += 1;
            let sent = self.ask(image, &url, accept, token.as_deref()).await;
            let trouble = match &sent {
                Ok(response) if response.status() == StatusCode::UNAUTHORIZED && token.is_none() => {
                    token = Some(self.token(image, response).await?);
                    continue;
                }
                Ok(response) if response.status().is_success() || response.status().is_redirection() => {
                    return sent;
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

    fn check_offline(&self, image: &RegistryImage, url: &Url) -> Result<(), RegistryError> {
        let is_far = self.http.policy().offline && !url.host_str().is_some_and(is_loopback);
        if is_far { Err(RegistryError::Offline { registry: image.registry.clone() }) } else { Ok(()) }
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

    /// Returns the manifest that the registry sends, and its digest.
    async fn read_manifest(
        &self,
        image: &RegistryImage,
        answer: Response,
    ) -> Result<(Vec<u8>, String), RegistryError> {
        if !answer.status().is_success() {
            let (registry, status) = (image.registry.clone(), answer.status().as_u16());
            return Err(RegistryError::Status { registry, status });
        }
        let said = answer.headers().get("docker-content-digest").and_then(|text| text.to_str().ok());
        let said = said.map(str::to_owned);
        let body = read(image, answer, MANIFEST).await?;
        let digest = format!("sha256:{}", hex(&Sha256::digest(&body)));
        if let Some(said) = said {
            check_digest(image, &said, digest.clone())?;
        }
        Ok((body, digest))
    }
}

/// Fails if a content does not have the digest that was said.
fn check_digest(image: &RegistryImage, said: &str, found: String) -> Result<(), RegistryError> {
    if said == found {
        return Ok(());
    }
    let said = truncate(&safe_line(said), 100);
    Err(RegistryError::Digest { image: image.name(), said, found })
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
