//! The name of an image as a registry knows it. Names become part of an address, so only valid ones pass.

use reqwest::Url;

use super::RegistryError;
use crate::base::http::is_loopback;
use crate::base::text::safe_line;
use crate::model::image_name::is_image_word;

/// The registry of names that name none, and its host.
const DOCKER: (&str, &str) = ("docker.io", "registry-1.docker.io");

/// An image without tag and digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryImage {
    /// Host of the registry, with a port.
    pub registry: String,
    /// Path in the registry.
    pub path: String,
}

impl RegistryImage {
    /// Parses a name; its tag and digest are dropped.
    ///
    /// # Errors
    /// Fails if a part is not made of the letters that a registry knows.
    pub fn parse(text: &str) -> Result<Self, RegistryError> {
        let name = text.split_once('@').map_or(text, |(name, _)| name);
        let name = match name.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => name,
            _ => name,
        };
        let (first, rest) = name.split_once('/').unwrap_or(("", name));
        let is_host = first.contains(['.', ':']) || first == "localhost";
        let (registry, path) = if is_host { (first, rest) } else { (DOCKER.0, name) };
        let is_path = |part: &str| is_image_word(part, |b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let (host, port) = registry.rsplit_once(':').unwrap_or((registry, "0"));
        let is_valid = name.len() <= 300
            && is_image_word(host, |b| b.is_ascii_alphanumeric())
            && port.parse::<u16>().is_ok()
            && path.split('/').all(is_path);
        if !is_valid {
            return Err(RegistryError::Name(safe_line(text).into_owned()));
        }
        let is_short = registry == DOCKER.0 && !path.contains('/');
        let path = if is_short { format!("library/{path}") } else { path.to_owned() };
        Ok(Self { registry: registry.to_owned(), path })
    }

    /// Returns the whole name.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.path)
    }

    /// Returns the address of a tag's manifest. Only this machine is asked without TLS.
    pub(super) fn manifest(&self, tag: &str) -> Result<Url, RegistryError> {
        // A digest names a manifest as a tag does.
        let is_tag =
            is_digest(tag) || (tag.len() <= 128 && is_image_word(tag, |b| b.is_ascii_alphanumeric()));
        self.url("manifests", tag).filter(|_| is_tag).ok_or_else(|| self.unnamed(tag))
    }

    /// Returns the address of a blob by its digest.
    pub(super) fn blob(&self, digest: &str) -> Result<Url, RegistryError> {
        self.url("blobs", digest).filter(|_| is_digest(digest)).ok_or_else(|| self.unnamed(digest))
    }

    fn url(&self, kind: &str, name: &str) -> Option<Url> {
        let host = self.registry.rsplit_once(':').map_or(self.registry.as_str(), |(host, _)| host);
        let scheme = if is_loopback(host) { "http" } else { "https" };
        let server = if self.registry == DOCKER.0 { DOCKER.1 } else { &self.registry };
        Url::parse(&format!("{scheme}://{server}/v2/{}/{kind}/{name}", self.path)).ok()
    }

    fn unnamed(&self, tag: &str) -> RegistryError {
        RegistryError::Name(safe_line(&format!("{}:{tag}", self.name())).into_owned())
    }
}

fn is_digest(text: &str) -> bool {
    let hex = text.strip_prefix("sha256:");
    hex.is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_names_lead_to_manifests() {
        let url = |text: &str| RegistryImage::parse(text)?.manifest("mr-213").map(String::from);
        for (name, address) in [
            ("quay.io/cki/cki-tools:latest", "https://quay.io/v2/cki/cki-tools/manifests/mr-213"),
            ("localhost:5000/a/b@sha256:1", "http://localhost:5000/v2/a/b/manifests/mr-213"),
            ("busybox", "https://registry-1.docker.io/v2/library/busybox/manifests/mr-213"),
        ] {
            assert_eq!(url(name).expect(name), address);
        }
        for wrong in
            ["", "A/b", "a/../b", "q.io/a b", "q.io/", "q.io/a?x=1", "me@h", "q.io:99999/a", "q.io/a%2f"]
        {
            assert!(url(wrong).is_err() || wrong == "me@h", "{wrong}");
        }
        let image = RegistryImage::parse("quay.io/a").expect("is valid");
        assert!(image.manifest(&format!("sha256:{}", "0a".repeat(32))).is_ok());
        for tag in ["sha256:0", "sha512:0", "", "a/b", "..", "a b", "-a", "a#b"] {
            assert!(image.manifest(tag).is_err(), "{tag}");
        }
    }
}
