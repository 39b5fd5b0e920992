//! A backing service: what runs when a component needs, say, a message broker, and what it provides
//! to those who need it. The templates are `templates/services/*.yaml`; starting one is for `ops`.

use std::collections::BTreeMap;

use minijinja::{Environment as Templates, context};
use serde::Deserialize;

use crate::base::secret::Secret;
use crate::base::yaml::{self, YamlError};
use crate::model::environment::{Ground, Provided, RuleError, SecretRules};
use crate::model::probe::Ready;

/// A template that does not work.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The file is not what it should be.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// A value cannot be made.
    #[error("{file}: `{key}` cannot be made")]
    Template {
        /// The file.
        file: String,
        /// Which value.
        key: String,
        /// Why.
        source: minijinja::Error,
    },
    /// A rule for secrets does not work.
    #[error(transparent)]
    Rule(#[from] RuleError),
}

#[derive(Debug, Clone, Deserialize)]
struct Written {
    description: Option<String>,
    image: String,
    #[serde(default)]
    command: Vec<String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    #[serde(default)]
    ports: Vec<u16>,
    ready: Option<Ready>,
    #[serde(default)]
    volumes: Vec<String>,
    #[serde(default)]
    provides: BTreeMap<String, WrittenValue>,
    native: Option<WrittenNative>,
}

#[derive(Debug, Clone, Deserialize)]
struct WrittenValue {
    value: String,
    #[serde(default)]
    secret: bool,
}

#[derive(Debug, Clone, Deserialize)]
struct WrittenNative {
    command: Vec<String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
}

/// A template as read.
#[derive(Debug, Clone)]
pub struct ServiceTemplate {
    name: String,
    file: String,
    written: Written,
}

/// A service, ready to be started.
#[derive(Debug, Clone)]
pub struct Service {
    /// Its name, under which others find it on the network.
    pub name: String,
    /// The name or address under which it is found.
    pub host: String,
    /// In a few words, what it is.
    pub description: Option<String>,
    /// The image with its tag.
    pub image: String,
    /// The command in the container; empty for the image's own.
    pub command: Vec<String>,
    /// Its environment; every value is hidden, since logins are among them.
    pub environment: Vec<(String, Secret)>,
    /// Ports it listens on.
    pub ports: Vec<u16>,
    /// How to know that it is ready.
    pub ready: Option<Ready>,
    /// Paths with a volume of their own.
    pub volumes: Vec<String>,
    /// What it gives to those who need it.
    pub provided: Vec<Provided>,
    /// How it is run outside a container, if it can be.
    pub native: Option<NativeService>,
}

/// A service as a process.
#[derive(Debug, Clone)]
pub struct NativeService {
    /// The command, program first.
    pub command: Vec<String>,
    /// Its whole environment.
    pub environment: Vec<(String, Secret)>,
}

/// What differs from place to place.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// The name or address under which the service is found; empty for its own name.
    pub host: &'a str,
    /// The `cki` program itself, for services that it plays.
    pub program: &'a str,
    /// What reference secrets are made from.
    pub ground: &'a Ground,
    /// How reference secrets are made.
    pub rules: &'a SecretRules,
}

impl ServiceTemplate {
    /// Reads a template. `file` is for messages.
    ///
    /// # Errors
    /// When the text is not of the form that is wanted.
    pub fn read(name: &str, file: &str, text: &str) -> Result<Self, ServiceError> {
        let (written, _) = yaml::parse::<Written>(file, text)?;
        Ok(Self { name: name.to_owned(), file: file.to_owned(), written })
    }

    /// Fills the template in.
    ///
    /// # Errors
    /// When a value cannot be made.
    pub fn fill(&self, around: Surroundings<'_>) -> Result<Service, ServiceError> {
        let fill = |key: &str, text: &str| self.value(key, text, around);
        let fill_all = |what: &str, pairs: &BTreeMap<String, String>| {
            pairs
                .iter()
                .map(|(key, text)| Ok((key.clone(), Secret::new(fill(&format!("{what}.{key}"), text)?))))
                .collect::<Result<Vec<_>, ServiceError>>()
        };
        let fill_list = |what: &str, items: &[String]| {
            items.iter().map(|item| fill(what, item)).collect::<Result<Vec<_>, ServiceError>>()
        };
        let written = &self.written;
        let provided = written
            .provides
            .iter()
            .map(|(name, value)| {
                Ok(Provided {
                    name: name.clone(),
                    value: Secret::new(fill(&format!("provides.{name}"), &value.value)?),
                    secret: value.secret,
                    service: self.name.clone(),
                    place: self.file.clone(),
                })
            })
            .collect::<Result<_, ServiceError>>()?;
        let native = written.native.as_ref().map(|native| {
            let command = fill_list("native.command", &native.command)?;
            let mut environment = fill_all("environment", &written.environment)?;
            environment.extend(fill_all("native.environment", &native.environment)?);
            Ok::<_, ServiceError>(NativeService { command, environment })
        });
        Ok(Service {
            name: self.name.clone(),
            host: around.host.to_owned(),
            description: written.description.clone(),
            image: fill("image", &written.image)?,
            command: fill_list("command", &written.command)?,
            environment: fill_all("environment", &written.environment)?,
            ports: written.ports.clone(),
            ready: written.ready.clone(),
            volumes: written.volumes.clone(),
            provided,
            native: native.transpose()?,
        })
    }

    fn value(&self, key: &str, text: &str, around: Surroundings<'_>) -> Result<String, ServiceError> {
        if !text.contains("{{") {
            return Ok(text.to_owned());
        }
        let mut templates = Templates::new();
        templates.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
        // A service and those who log in to it name the same variable, and so share its secret.
        let names = secret_names(text);
        let mut made = BTreeMap::new();
        for name in names {
            let secret = around.rules.make(&name, None, around.ground)?;
            made.insert(name, secret.value.expose().to_owned());
        }
        templates.add_function("secret", move |name: String| made.get(&name).cloned());
        templates
            .render_str(text, context! { host => around.host, cki => around.program })
            .map_err(|source| ServiceError::Template { file: self.file.clone(), key: key.to_owned(), source })
    }
}

/// The names in `secret('NAME')`.
fn secret_names(text: &str) -> Vec<String> {
    text.split("secret(")
        .skip(1)
        .filter_map(|rest| rest.split(['\'', '"']).nth(1))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::assets;

    #[test]
    fn every_built_in_service_can_be_filled_in_and_shares_its_login() {
        let rules =
            SecretRules::read("r", assets::embedded_text("reference-secrets.yaml").expect("is built in"))
                .expect("are valid");
        let ground = Ground::of("s");
        let around = Surroundings { host: "bus", program: "/cki", ground: &ground, rules: &rules };
        let names = assets::Assets::default().names("services").expect("lists");
        assert!(names.contains(&"rabbitmq.yaml".to_owned()));
        for name in names {
            let text = assets::embedded_text(&format!("services/{name}")).expect("is built in");
            let template = ServiceTemplate::read(name.trim_end_matches(".yaml"), &name, text).expect(&name);
            let service = template.fill(around).expect(&name);
            assert!(service.ready.is_some() && !service.provided.is_empty(), "{name}");
        }
        let text = assets::embedded_text("services/rabbitmq.yaml").expect("is built in");
        let service =
            ServiceTemplate::read("rabbitmq", "f", text).expect("reads").fill(around).expect("fills in");
        let given = service.provided.iter().find(|p| p.name == "RABBITMQ_PASSWORD").expect("is provided");
        assert!(service.environment.iter().any(|(_, value)| *value == given.value));
        assert!(given.secret);
    }
}
