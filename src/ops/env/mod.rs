//! `cki env`: the environment of a component in a local run, from the entry, its dependencies, and the
//! user's variables.

pub mod diff;
mod required;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::assets::Assets;
use crate::base::dotenv;
use crate::base::files::{self, FileError};
use crate::base::secret::Secret;
use crate::model::deployment;
use crate::model::environment::{
    EnvOverrides, Environment, EnvironmentError, GeneratorContext, Inputs, ValueOrigin, is_environment_name,
};
use crate::model::inventory::{Component, Inventory};
use crate::model::service::TemplateContext;
use crate::ops::shared::dependencies::{self, RunDependency, ServiceRequest, ServiceTemplates};
use crate::ops::shared::deployment::DeployedComponents;
use crate::ops::shared::need_error::NeedError;
use crate::ops::shared::services;
pub use required::run_arguments;

/// Maximum bytes of a file with variables.
const LIMIT: u64 = 4 << 20;

/// An error of resolving an environment.
#[derive(Debug, thiserror::Error)]
pub enum EnvError {
    /// A dependency is not available.
    #[error(transparent)]
    Need(#[from] NeedError),
    /// The rules refuse the environment.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    /// A file of the user cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A line of such a file, or a flag, is not `NAME=VALUE`.
    #[error("{place}: {message}")]
    Assignment {
        /// `file:line`, or the flag.
        place: String,
        /// The reason.
        message: String,
    },
    /// Required variables without a value.
    #[error("{}", lacking_message(component, variables))]
    Lacking {
        /// Name of the component.
        component: String,
        /// Their names, with the place of their declaration.
        variables: Vec<(String, String)>,
        /// The requested components, if this one is only needed by them: variables of the user do not reach it.
        dependents: Vec<String>,
    },
}

impl EnvError {
    /// Adds the requested components to the error of a component that only they need.
    #[must_use]
    pub fn of_dependency(self, requested: &[&Component]) -> Self {
        match self {
            Self::Lacking { component, variables, .. } => {
                let dependents = requested.iter().map(|one| one.name().to_owned()).collect();
                Self::Lacking { component, variables, dependents }
            }
            error => error,
        }
    }
}

fn lacking_message(component: &str, variables: &[(String, String)]) -> String {
    let noun = crate::base::text::plural(variables.len(), "required variable");
    format!("`{component}` lacks {noun}: {}", names_of(variables))
}

/// Returns the names of variables for a message, without their places.
pub(super) fn names_of(variables: &[(String, String)]) -> String {
    variables.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The variables that the user gives.
#[derive(Debug, Clone, Default)]
pub struct UserVariables {
    /// `NAME=VALUE`, or `NAME` for the value in `cki`'s own environment.
    pub set: Vec<String>,
    /// Files with such lines.
    pub files: Vec<PathBuf>,
    /// Names to remove.
    pub unset: Vec<String>,
}

/// A resolved environment, with the dependencies of the component.
#[derive(Debug)]
pub struct ResolvedEnvironment<'a> {
    /// The environment.
    pub environment: Environment,
    /// Dependencies that the environment refers to.
    pub needs: Vec<RunDependency<'a>>,
}

/// Resolves the environment of a component, after loading the templates of its backing services.
///
/// # Errors
/// Fails when the rules refuse, or a named thing cannot be read.
pub fn resolve<'a>(
    component: &Component,
    inventory: &'a Inventory,
    assets: &Assets,
    ctx: TemplateContext<'_>,
    deployed: Option<&DeployedComponents>,
    overrides: EnvOverrides,
) -> Result<ResolvedEnvironment<'a>, EnvError> {
    let templates = ServiceTemplates::load(assets, inventory, [component], [])?;
    resolve_loaded(component, inventory, &templates, ctx, deployed, overrides)
}

/// Resolves the environment of a component from what is loaded.
///
/// # Errors
/// Fails when the rules refuse, or a named thing does not exist.
pub fn resolve_loaded<'a>(
    component: &Component,
    inventory: &'a Inventory,
    templates: &ServiceTemplates,
    ctx: TemplateContext<'_>,
    deployed: Option<&DeployedComponents>,
    overrides: EnvOverrides,
) -> Result<ResolvedEnvironment<'a>, EnvError> {
    let names_production = |text: &str| deployed.is_some_and(|deployed| deployed.names_production(text));
    let is_credential =
        |name: &str, text: &str| deployed.is_some_and(|deployed| deployed.is_credential(name, text));
    let needs = dependencies::of(component, inventory, templates, ctx)?;
    let provided = needs
        .iter()
        .filter_map(|need| match need {
            RunDependency::Service(asked) => Some(asked.provided.clone()),
            RunDependency::Component(_) => None,
        })
        .flatten()
        .collect();
    let services = needs.iter().filter_map(|need| match need {
        RunDependency::Service(asked) => Some((asked.template.name().to_owned(), facts(asked, ctx))),
        RunDependency::Component(_) => None,
    });
    let context = GeneratorContext { services: Arc::new(services.collect()), ..ctx.context.clone() };
    let environment = Environment::resolve(&Inputs {
        component,
        inventory,
        deployed: deployed.map(|deployed| deployed.layer(&names_production, &is_credential)),
        provided,
        secrets: ctx.rules,
        context,
        overrides,
    })?;
    Ok(ResolvedEnvironment { environment, needs })
}

/// Returns the facts about a service that the rules for placeholder secrets may use.
fn facts(asked: &ServiceRequest, ctx: TemplateContext<'_>) -> BTreeMap<String, String> {
    let host = services::at(ctx, asked.template.name()).host;
    let provided = asked.provided.iter().map(|one| (one.name.clone(), one.value.expose().to_owned()));
    provided.chain([("host".to_owned(), host.to_owned())]).collect()
}

/// Fails if required variables have no value, and names all of them.
///
/// # Errors
/// [`EnvError::Lacking`].
pub fn check_complete(component: &Component, environment: &Environment) -> Result<(), EnvError> {
    let lacking = environment.missing_required();
    if lacking.is_empty() {
        return Ok(());
    }
    let place = |origin: &ValueOrigin| origin.place().unwrap_or("").to_owned();
    Err(EnvError::Lacking {
        component: component.name().to_owned(),
        variables: lacking.into_iter().map(|v| (v.name.clone(), place(&v.origin))).collect(),
        dependents: Vec::new(),
    })
}

/// Looks up a variable in `cki`'s own environment.
pub type OwnVariables<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Reads the user's variables. Files come first, in order, so that a flag wins over a file. `own` looks
/// up a variable in `cki`'s own environment.
///
/// # Errors
/// Fails when a file cannot be read, or a line is not an assignment.
pub fn read_overrides(
    user: &UserVariables,
    cwd: &Path,
    own: OwnVariables<'_>,
) -> Result<EnvOverrides, EnvError> {
    let mut overrides = EnvOverrides { unset: user.unset.clone(), ..EnvOverrides::default() };
    for file in &user.files {
        let text = files::read_text(&cwd.join(file), LIMIT)?;
        read_file(&text, &file.display().to_string(), own, &mut overrides)?;
    }
    for text in &user.set {
        // The shell has already removed its quotes: the value is the rest, unchanged.
        let (name, value) = text.split_once('=').map_or((text.as_str(), None), |(n, v)| (n, Some(v)));
        let place = format!("--env {name}");
        let (name, value) = assignment(name, value.map(str::to_owned), &place, own)?;
        overrides.set.push((name, value, ValueOrigin::Flag));
    }
    Ok(overrides)
}

/// Reads an environment file as Compose does. Variables in its values refer to the lines above, to the
/// files before, and then to `cki`'s own environment. A missing one is a note, and is left out.
fn read_file(
    text: &str,
    label: &str,
    own: OwnVariables<'_>,
    overrides: &mut EnvOverrides,
) -> Result<(), EnvError> {
    let mut above: BTreeMap<String, String> =
        overrides.set.iter().map(|(name, value, _)| (name.clone(), value.expose().to_owned())).collect();
    for statement in dotenv::statements(text) {
        let wrong = |line: usize, message: String| {
            let place = format!("{label}:{line}");
            EnvError::Assignment { place, message }
        };
        let statement = statement.map_err(|invalid| wrong(invalid.line, invalid.message.to_owned()))?;
        let line = statement.line;
        let lookup = |name: &str| above.get(name).cloned().or_else(|| own(name)?.into_string().ok());
        let place = format!("{label}:{line}");
        let value = match statement.value {
            None if own(&statement.name).is_none() => {
                overrides.notes.push(match statement.follows_quotes {
                    // The text may be a part of a secret.
                    true => format!(
                        "{place}: what follows the closing quote is a line of its own, and gives no value"
                    ),
                    false => format!("{place}: `{}` is not set here, and is left out", statement.name),
                });
                continue;
            }
            None => None,
            Some(dotenv::DotenvText::Literal(text)) => Some(text),
            Some(dotenv::DotenvText::Template(text)) => {
                let (text, unset) = deployment::fill(&text, &lookup).map_err(|why| wrong(line, why))?;
                let note = |name: &String| {
                    format!(
                        "{place}: `{name}` has no value, and nothing takes its place in `{}`; a `$` that is meant as it is stands in single quotes",
                        statement.name
                    )
                };
                overrides.notes.extend(unset.iter().map(note));
                Some(text)
            }
        };
        let (name, value) = assignment(&statement.name, value, &place, own)?;
        above.insert(name.clone(), value.expose().to_owned());
        overrides.set.push((name, value, ValueOrigin::File { place }));
    }
    Ok(())
}

/// Parses `NAME=VALUE`, or `NAME` with its value in `cki`'s own environment.
fn assignment(
    name: &str,
    value: Option<String>,
    place: &str,
    own: OwnVariables<'_>,
) -> Result<(String, Secret), EnvError> {
    let wrong = |message: String| EnvError::Assignment { place: place.to_owned(), message };
    if name.is_empty() {
        return Err(wrong("the name before `=` is missing".to_owned()));
    }
    if !is_environment_name(name) {
        let shown = crate::base::text::safe_line(name).into_owned();
        return Err(wrong(format!("`{shown}` cannot be the name of a variable")));
    }
    let value = match value {
        Some(value) => value,
        None => {
            let own = own(name).ok_or_else(|| {
                wrong(format!("`{name}` is not set here, so that there is no value to pass on"))
            })?;
            own.into_string().map_err(|_| wrong(format!("the value of `{name}` here is not valid UTF-8")))?
        }
    };
    if value.contains('\0') {
        return Err(wrong(format!("the value of `{name}` holds a zero byte")));
    }
    Ok((name.to_owned(), Secret::new(value)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt as _;

    use super::*;

    #[test]
    fn env_files_come_before_set_options() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join("env");
        let text = "# comment\n\nA=1\nexport B=\"two\\nlines\"\nC='x y'\nPASSED\n";
        std::fs::write(&file, text).expect("writes");
        let user = UserVariables { set: vec!["A=2".into()], files: vec![file.clone()], unset: vec![] };
        let own = |name: &str| (name == "PASSED").then(|| OsString::from("own"));
        let overrides = read_overrides(&user, directory.path(), &own).expect("reads");
        let seen: Vec<(&str, &str)> =
            overrides.set.iter().map(|(n, v, _)| (n.as_str(), v.expose())).collect();
        assert_eq!(seen, [("A", "1"), ("B", "two\nlines"), ("C", "x y"), ("PASSED", "own"), ("A", "2")]);
        assert_eq!(overrides.set[1].2.place(), Some(format!("{}:4", file.display()).as_str()));
    }

    fn read(text: &str) -> Result<Vec<(String, String)>, String> {
        Ok(noted(text)?.0)
    }

    type Pairs = Vec<(String, String)>;

    /// Returns the variables of a file, and the notes about it.
    fn noted(text: &str) -> Result<(Pairs, Vec<String>), String> {
        let mut overrides = EnvOverrides::default();
        let own = |name: &str| (name == "OWN").then(|| OsString::from("own"));
        read_file(text, "f", &own, &mut overrides).map_err(|error| error.to_string())?;
        let set = overrides.set.into_iter().map(|(name, value, _)| (name, value.expose().to_owned()));
        Ok((set.collect(), overrides.notes))
    }

    #[test]
    fn env_files_match_compose_syntax() {
        let text = "\u{feff}A=\"quoted\" # comment\nB=plain # comment\nC=a#b\nD=$A\nE='pa$word'\nF=\"one\ntwo\"\n\
                    G: ${NO:-$OWN}\r\na.b=1\n";
        let read_here = read(text).expect("reads");
        let seen: Vec<(&str, &str)> = read_here.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let expected = [
            ("A", "quoted"),
            ("B", "plain"),
            ("C", "a#b"),
            ("D", "quoted"),
            ("E", "pa$word"),
            ("F", "one\ntwo"),
            ("G", "own"),
            ("a.b", "1"),
        ];
        assert_eq!(seen, expected);
        let (set, notes) = noted("A=1\nB=pa$word\nBARE\nC=\"x\" y\n").expect("Compose takes it");
        let set: Vec<String> = set.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(set, ["A=1", "B=pa", "C=x"]);
        for (note, part) in
            notes.iter().zip(["f:2: `word` has no value", "f:3: `BARE` is not", "f:4: what follows"])
        {
            assert!(note.starts_with(part), "{note}");
        }
        assert_eq!(notes.len(), 3, "{notes:?}");
        assert!(read("A=1\n\nB='x\n").expect_err("is open").starts_with("f:3: the quotes"));
        let user = UserVariables { set: vec!["A=\"x\" ".into()], ..UserVariables::default() };
        let overrides = read_overrides(&user, Path::new("/"), &|_| None).expect("reads");
        assert_eq!(overrides.set[0].1.expose(), "\"x\" ", "a flag is not a line of a file");
    }

    #[test]
    fn set_option_rejects_invalid_assignments() {
        for wrong in ["=x", "A B=x", "NOWHERE", ""] {
            let user = UserVariables { set: vec![wrong.into()], ..UserVariables::default() };
            assert!(read_overrides(&user, Path::new("/"), &|_| None).is_err(), "{wrong}");
        }
        let user = UserVariables { set: vec!["LATIN".into()], ..UserVariables::default() };
        let latin = |_: &str| Some(OsString::from_vec(b"caf\xe9".to_vec()));
        let error = read_overrides(&user, Path::new("/"), &latin).expect_err("is no text").to_string();
        assert_eq!(error, "--env LATIN: the value of `LATIN` here is not valid UTF-8");
    }
}
