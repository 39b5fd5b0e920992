//! A backing service: what runs when a component needs, say, a message broker, and what it provides
//! to those who need it. The templates are `templates/services/*.yaml`; how their values are made is
//! in `value`, and starting a service is for `ops`.

mod context;
mod error;
mod value;

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;
use serde_json::Value;

use crate::base::secret::Secret;
use crate::base::text;
use crate::base::variable;
use crate::base::yaml;
use crate::model::container::ContainerFile;
use crate::model::environment::Provided;
use crate::model::inventory::Parameters;
use crate::model::probe::Ready;
pub use context::Surroundings;
pub use error::ServiceError;
use value::{Maker, Needs};

#[derive(Debug, Clone, Deserialize)]
struct Written {
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
    ready: Option<Ready>,
    #[serde(default)]
    setup: Vec<WrittenStep>,
    #[serde(default)]
    volumes: Vec<String>,
    #[serde(default, deserialize_with = "variable::keys")]
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
struct WrittenStep {
    run: Vec<String>,
    when: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct WrittenNative {
    command: Vec<String>,
    #[serde(default, deserialize_with = "variable::keys")]
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
    /// In a few words, what it is.
    pub description: Option<String>,
    /// The image with its tag.
    pub image: String,
    /// The command in the container; empty for the image's own.
    pub command: Vec<String>,
    /// Its environment; every value is hidden, since logins are among them.
    pub environment: Vec<(String, Secret)>,
    /// Files that it finds when it starts.
    pub files: Vec<ContainerFile>,
    /// Ports it listens on.
    pub ports: Vec<u16>,
    /// How to know that it is ready.
    pub ready: Option<Ready>,
    /// Commands to run inside when it is ready, one after the other.
    pub setup: Vec<Vec<String>>,
    /// Paths with a volume of their own.
    pub volumes: Vec<String>,
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

impl ServiceTemplate {
    /// Reads a template. `file` is for messages.
    ///
    /// # Errors
    /// When the text is not of the form that is wanted.
    pub fn read(name: &str, file: &str, text: &str) -> Result<Self, ServiceError> {
        let (written, _) = yaml::parse::<Written>(file, text)?;
        Ok(Self { name: name.to_owned(), file: file.to_owned(), written })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Takes another image than the one that is written.
    pub fn set_image(&mut self, image: &str) {
        image.clone_into(&mut self.written.image);
    }

    /// What is asked of it, with its own word for what is not said. `place` is for messages.
    ///
    /// # Errors
    /// When something is asked that it does not know, or in another form.
    pub fn parameters(&self, asked: &Parameters, place: &str) -> Result<Parameters, ServiceError> {
        let mut all = self.written.parameters.clone();
        for (name, value) in asked {
            let Some(known) = all.get_mut(name) else {
                let names = self.written.parameters.keys().map(String::as_str);
                return Err(ServiceError::Parameter {
                    place: place.to_owned(),
                    service: self.name.clone(),
                    parameter: name.clone(),
                    nearest: text::nearest(name, names).into_iter().map(str::to_owned).collect(),
                });
            };
            if let Some(wanted) = other_kind(known, value) {
                return Err(ServiceError::ParameterKind {
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

    /// What it gives to one who asks for these parameters.
    ///
    /// # Errors
    /// When a value cannot be made.
    pub fn provided(
        &self,
        around: Surroundings<'_>,
        own: &Parameters,
    ) -> Result<Vec<Provided>, ServiceError> {
        let maker = Maker::new(&self.file, around, Some(own), &Needs::of(std::slice::from_ref(own)));
        let one = |(name, value): (&String, &WrittenValue)| {
            Ok(Provided {
                name: name.clone(),
                value: Secret::new(maker.text(&format!("provides.{name}"), &value.value)?),
                secret: value.secret,
                service: self.name.clone(),
                place: self.file.clone(),
            })
        };
        self.written.provides.iter().map(one).collect()
    }

    /// The service for all who need it: `needs` is what each of them asks.
    ///
    /// # Errors
    /// When a value cannot be made.
    pub fn fill(&self, around: Surroundings<'_>, needs: &[Parameters]) -> Result<Service, ServiceError> {
        let all = Needs::of(needs);
        let maker = Maker::new(&self.file, around, None, &all);
        let written = &self.written;
        let pairs = |what: &str, pairs: &BTreeMap<String, String>| {
            pairs
                .iter()
                .map(|(key, text)| {
                    Ok((key.clone(), Secret::new(maker.text(&format!("{what}.{key}"), text)?)))
                })
                .collect::<Result<Vec<_>, ServiceError>>()
        };
        let files = written.files.iter().map(|(path, text)| {
            let content = Secret::new(maker.text(&format!("files.{path}"), text)?);
            // Whoever it goes on as must be able to read it.
            Ok(ContainerFile { path: path.clone(), content, mode: 0o644 })
        });
        let native = written.native.as_ref().map(|native| {
            let command = maker.list("native.command", &native.command)?;
            let mut environment = pairs("environment", &written.environment)?;
            environment.extend(pairs("native.environment", &native.environment)?);
            Ok::<_, ServiceError>(NativeService { command, environment })
        });
        Ok(Service {
            name: self.name.clone(),
            description: written.description.clone(),
            image: maker.text("image", &written.image)?,
            command: maker.list("command", &written.command)?,
            environment: pairs("environment", &written.environment)?,
            files: files.collect::<Result<_, ServiceError>>()?,
            ports: written.ports.clone(),
            ready: written.ready.clone(),
            setup: self.setup(around, needs, &all)?,
            volumes: written.volumes.clone(),
            native: native.transpose()?,
        })
    }

    /// The set-up for each who needs it; what several would have done is done once.
    fn setup(
        &self,
        around: Surroundings<'_>,
        needs: &[Parameters],
        all: &Needs,
    ) -> Result<Vec<Vec<String>>, ServiceError> {
        let (mut commands, mut known) = (Vec::new(), HashSet::new());
        for own in needs {
            let maker = Maker::new(&self.file, around, Some(own), all);
            for (index, step) in self.written.setup.iter().enumerate() {
                let key = format!("setup.{index}");
                let wanted = step.when.as_ref().map_or(Ok(true), |when| maker.holds(&key, when))?;
                let command = if wanted { maker.list(&key, &step.run)? } else { Vec::new() };
                if !command.is_empty() && known.insert(command.clone()) {
                    commands.push(command);
                }
            }
        }
        Ok(commands)
    }
}

/// What a value would have to be, if it is of another kind than the one that is known.
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
