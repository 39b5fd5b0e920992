//! The rules of a draft, from `templates/init.yaml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::base::yaml::{self, YamlError};

/// The rules.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct DraftRules {
    /// Names of images, by the backing service that replaces them.
    #[serde(default)]
    services: BTreeMap<String, Vec<String>>,
    /// Ports that speak another protocol.
    #[serde(default)]
    other: Vec<u16>,
    /// Variables that the shell, the system or a tool sets.
    #[serde(default)]
    foreign: Vec<String>,
    /// Ports on which the images of backing services listen.
    #[serde(default)]
    ports: BTreeMap<String, u16>,
    /// Ports that speak HTTP.
    #[serde(default)]
    http: Vec<u16>,
    /// Capabilities by base image.
    #[serde(default)]
    capabilities: BTreeMap<String, Vec<String>>,
}

impl DraftRules {
    /// Reads the rules. `file` is for messages.
    ///
    /// # Errors
    /// Fails when the text is not of the expected form.
    pub fn read(file: &str, text: &str) -> Result<Self, YamlError> {
        yaml::parse::<Self>(file, text).map(|(rules, _)| rules)
    }

    /// Returns the names of the backing services that a draft may name.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.services.keys().map(String::as_str)
    }

    /// Returns the backing service that replaces an image.
    #[must_use]
    pub fn service_of(&self, image: &str) -> Option<&str> {
        let name = image_name(image);
        let mut services = self.services.iter();
        services.find(|(_, images)| images.iter().any(|one| one == name)).map(|(service, _)| service.as_str())
    }

    /// Returns whether a variable that sources read may be one of the component: written in capitals, and no variable
    /// of the shell, the system or a tool.
    #[must_use]
    pub fn is_of_component(&self, name: &str) -> bool {
        !name.chars().any(|c| c.is_ascii_lowercase())
            && name.len() >= 2
            && !self.foreign.iter().any(|one| one == name)
    }

    /// Returns the port on which the images of a backing service listen.
    #[must_use]
    pub fn port_of(&self, service: &str) -> Option<u16> {
        self.ports.get(service).copied()
    }

    /// Returns the port on which an image listens.
    #[must_use]
    pub fn image_port(&self, image: &str) -> Option<u16> {
        let name = image_name(image);
        self.port_of(self.service_of(image).unwrap_or(name))
    }

    /// Returns whether an image is one that the rules know: no program of a project.
    #[must_use]
    pub fn knows_image(&self, image: &str) -> bool {
        let name = image_name(image);
        self.service_of(image).is_some()
            || self.ports.contains_key(name)
            || self.capabilities.contains_key(name)
    }

    /// Returns the capabilities that the program of an image needs which is run as it is.
    #[must_use]
    pub fn image_capabilities(&self, image: &str) -> &[String] {
        match self.service_of(image).and_then(|service| self.capabilities.get(service)) {
            Some(capabilities) => capabilities,
            None => self.capabilities(image),
        }
    }

    /// Returns whether a port most likely speaks HTTP.
    #[must_use]
    pub fn speaks_http(&self, port: u16) -> bool {
        self.http.contains(&port)
    }

    /// Returns whether a port most likely speaks another protocol.
    #[must_use]
    pub fn speaks_other(&self, port: u16) -> bool {
        self.other.contains(&port) || self.ports.values().any(|known| *known == port)
    }

    /// Returns the capabilities that the program of a base image needs.
    #[must_use]
    pub fn capabilities(&self, image: &str) -> &[String] {
        self.capabilities.get(image_name(image)).map_or(&[], Vec::as_slice)
    }
}

/// Returns the last part of an image's name, without tag and digest.
#[must_use]
pub fn image_name(image: &str) -> &str {
    let last = image.rsplit('/').next().unwrap_or(image);
    last.split([':', '@']).next().unwrap_or(last)
}
