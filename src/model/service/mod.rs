//! Backing services, such as a message broker: their specification, and the variables that they provide
//! to their dependents. The templates are `templates/services/*.yaml`. Rendering values belongs in
//! `value`, starting a service in `ops`.

mod context;
mod error;
mod value;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::Deserialize;
use serde_json::Value;

use crate::base::secret::Secret;
use crate::base::text;
use crate::base::variable;
use crate::base::yaml;
use crate::model::container::ContainerFile;
use crate::model::environment::{ServiceBinding, is_secret};
use crate::model::inventory::Parameters;
use crate::model::probe::ReadinessProbe;
pub use context::TemplateContext;
pub use error::ServiceTemplateError;
use value::{Needs, ValueRenderer};

#[derive(Debug, Clone, Deserialize)]
struct RawServiceTemplate {
    description: Option<String>,
    image: String,
    #[serde(default)]
    parameters: Parameters,
    #[serde(default)]
    command: Vec<String>,
    #[serde(default, deserialize_with = "variable::keys")]
    environment: BTreeMap<String, String>,
    #[serde(default)]
    files: BTreeMap<String, String>,
    #[serde(default)]
    ports: Vec<u16>,
    ready: Option<ReadinessProbe>,
    #[serde(default)]
    setup: Vec<RawSetupStep>,
    #[serde(default)]
    volumes: Vec<String>,
    #[serde(default, deserialize_with = "variable::keys")]
    provides: BTreeMap<String, RawProvidedValue>,
    native: Option<RawNativeService>,
}

#[derive(Debug, Clone, Deserialize)]
struct RawProvidedValue {
    value: String,
    #[serde(default)]
    secret: bool,
}

#[derive(Debug, Clone, Deserialize)]
struct RawSetupStep {
    run: Vec<String>,
    when: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct RawNativeService {
    command: Vec<String>,
    #[serde(default, deserialize_with = "variable::keys")]
    environment: BTreeMap<String, String>,
}

/// A parsed service template.
#[derive(Debug, Clone)]
pub struct ServiceTemplate {
    name: String,
    file: String,
    raw: RawServiceTemplate,
    /// Image in place of the template's: a name, not a template.
    image: Option<String>,
}

/// A backing service, ready to be started.
#[derive(Debug, Clone)]
pub struct Service {
    /// Name, which is also its name on the network.
    pub name: String,
    /// Description in a few words.
    pub description: Option<String>,
    /// Image with its tag.
    pub image: String,
    /// Command in the container; empty for the image's own.
    pub command: Vec<String>,
    /// Environment; all values are hidden, since some are logins.
    pub environment: Vec<(String, Secret)>,
    /// Files to copy in before the start.
    pub files: Vec<ContainerFile>,
    /// Listening ports.
    pub ports: Vec<u16>,
    /// Readiness probe.
    pub ready: Option<ReadinessProbe>,
    /// Commands to run inside once the service is ready, one after the other.
    pub setup: Vec<Vec<String>>,
    /// Paths with an anonymous volume.
    pub volumes: Vec<String>,
    /// Form without a container, if the service supports it.
    pub native: Option<NativeService>,
    /// Every secret in these values.
    pub secrets: BTreeSet<Secret>,
}

/// A service that runs as a plain process.
#[derive(Debug, Clone)]
pub struct NativeService {
    /// Command, program first.
    pub command: Vec<String>,
    /// Complete environment.
    pub environment: Vec<(String, Secret)>,
}

impl ServiceTemplate {
    /// Parses a template. `file` is for messages.
    ///
    /// # Errors
    /// Fails when the text is not of the expected form.
    pub fn read(name: &str, file: &str, text: &str) -> Result<Self, ServiceTemplateError> {
        let (raw, _) = yaml::parse::<RawServiceTemplate>(file, text)?;
        Ok(Self { name: name.to_owned(), file: file.to_owned(), raw, image: None })
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the file: a path, or `built in: services/redis.yaml`.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Returns the names of the variables that the service provides.
    pub fn provides(&self) -> impl Iterator<Item = &str> {
        self.raw.provides.keys().map(String::as_str)
    }

    /// Returns the scheme of the URL that the service provides in a variable.
    #[must_use]
    pub fn url_scheme(&self, variable: &str) -> Option<&str> {
        let (scheme, _) = self.raw.provides.get(variable)?.value.split_once("://")?;
        (!scheme.contains('{')).then_some(scheme)
    }

    /// Returns whether the service provides a secret: a login.
    #[must_use]
    pub fn provides_login(&self) -> bool {
        self.raw.provides.values().any(|provided| provided.secret)
    }

    /// Replaces the image by its name, in which templates have no meaning.
    pub fn set_image(&mut self, image: &str) {
        self.image = Some(image.to_owned());
    }

    /// Returns the parameters of a request, with defaults filled in. `place` is for messages.
    ///
    /// # Errors
    /// Fails when a parameter is unknown or has the wrong type.
    pub fn parameters(&self, asked: &Parameters, place: &str) -> Result<Parameters, ServiceTemplateError> {
        let mut all = self.raw.parameters.clone();
        for (name, value) in asked {
            let Some(known) = all.get_mut(name) else {
                let names = self.raw.parameters.keys().map(String::as_str);
                return Err(ServiceTemplateError::Parameter {
                    place: place.to_owned(),
                    service: self.name.clone(),
                    parameter: name.clone(),
                    nearest: text::nearest(name, names).into_iter().map(str::to_owned).collect(),
                });
            };
            if let Some(wanted) = other_kind(known, value) {
                return Err(ServiceTemplateError::ParameterKind {
                    place: place.to_owned(),
                    service: self.name.clone(),
                    parameter: name.clone(),
                    wanted,
                });
            }
            *known = value.clone();
        }
        Ok(all)
    }

    /// Returns the variables that the service provides to a component with these parameters.
    ///
    /// # Errors
    /// Fails when a value cannot be rendered.
    pub fn provided(
        &self,
        ctx: TemplateContext<'_>,
        own: &Parameters,
    ) -> Result<Vec<ServiceBinding>, ServiceTemplateError> {
        let maker = ValueRenderer::new(
            &self.file,
            ctx,
            Some(own),
            &Needs::of(&self.file, std::slice::from_ref(own))?,
        );
        let one = |(name, value): (&String, &RawProvidedValue)| {
            let text = maker.text(&format!("provides.{name}"), &value.value)?;
            Ok(ServiceBinding {
                name: name.clone(),
                // An address with a login is a secret even if the template does not say so.
                secret: value.secret || is_secret(name, &text, ctx.rules.names()),
                value: Secret::new(text),
                service: self.name.clone(),
                place: self.file.clone(),
            })
        };
        self.raw.provides.iter().map(one).collect()
    }

    /// Renders the service for all its dependents; `needs` holds their parameters.
    ///
    /// # Errors
    /// Fails when a value cannot be rendered.
    pub fn fill(
        &self,
        ctx: TemplateContext<'_>,
        needs: &[Parameters],
    ) -> Result<Service, ServiceTemplateError> {
        let all = Needs::of(&self.file, needs)?;
        let maker = ValueRenderer::new(&self.file, ctx, None, &all);
        let raw = &self.raw;
        let pairs = |what: &str, pairs: &BTreeMap<String, String>| {
            pairs
                .iter()
                .map(|(key, text)| {
                    Ok((key.clone(), Secret::new(maker.text(&format!("{what}.{key}"), text)?)))
                })
                .collect::<Result<Vec<_>, ServiceTemplateError>>()
        };
        let files = raw.files.iter().map(|(path, text)| {
            let content = Secret::new(maker.text(&format!("files.{path}"), text)?);
            // The service may switch to another user, who must be able to read the file.
            Ok(ContainerFile { path: path.clone(), content, mode: 0o644 })
        });
        let native = raw.native.as_ref().map(|native| {
            let command = maker.list("native.command", &native.command)?;
            let mut environment = pairs("environment", &raw.environment)?;
            environment.extend(pairs("native.environment", &native.environment)?);
            Ok::<_, ServiceTemplateError>(NativeService { command, environment })
        });
        let (setup, mut secrets) = self.setup(ctx, needs, &all)?;
        let image = self.image.clone().map_or_else(|| maker.text("image", &raw.image), Ok)?;
        let command = maker.list("command", &raw.command)?;
        let environment = pairs("environment", &raw.environment)?;
        let files = files.collect::<Result<_, ServiceTemplateError>>()?;
        let native = native.transpose()?;
        secrets.append(&mut maker.into_secrets());
        Ok(Service {
            name: self.name.clone(),
            description: raw.description.clone(),
            image,
            command,
            environment,
            files,
            ports: raw.ports.clone(),
            ready: raw.ready.clone(),
            setup,
            volumes: raw.volumes.clone(),
            native,
            secrets,
        })
    }

    /// Returns the setup commands of all dependents, and the secrets in them; equal commands run once.
    fn setup(
        &self,
        ctx: TemplateContext<'_>,
        needs: &[Parameters],
        all: &Needs,
    ) -> Result<(Vec<Vec<String>>, BTreeSet<Secret>), ServiceTemplateError> {
        let (mut commands, mut known, mut secrets) = (Vec::new(), HashSet::new(), BTreeSet::new());
        for own in needs {
            let maker = ValueRenderer::new(&self.file, ctx, Some(own), all);
            for (index, step) in self.raw.setup.iter().enumerate() {
                let key = format!("setup.{index}");
                let wanted = step.when.as_ref().map_or(Ok(true), |when| maker.holds(&key, when))?;
                let command = if wanted { maker.list(&key, &step.run)? } else { Vec::new() };
                if !command.is_empty() && known.insert(command.clone()) {
                    commands.push(command);
                }
            }
            secrets.append(&mut maker.into_secrets());
        }
        Ok((commands, secrets))
    }
}

/// Returns the expected type if the value has another type than the known one.
fn other_kind(known: &Value, value: &Value) -> Option<&'static str> {
    match (known, value) {
        (Value::Null, _)
        | (Value::Bool(_), Value::Bool(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::String(_), Value::String(_))
        | (Value::Array(_), Value::Array(_))
        | (Value::Object(_), Value::Object(_)) => None,
        (Value::Bool(_), _) => Some("true or false"),
        (Value::Number(_), _) => Some("a number"),
        (Value::String(_), _) => Some("a text"),
        (Value::Array(_), _) => Some("a list"),
        (Value::Object(_), _) => Some("a mapping"),
    }
}

#[cfg(test)]
mod tests;
