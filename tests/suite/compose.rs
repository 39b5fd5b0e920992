//! Compose projects as `cki` reads them, compared with `docker-compose config`: the
//! same, or a finding that names the place. Projects are made up by proptest: services with values of
//! odd forms, environment files, several Compose files, `extends`, `include`, `!reset`, interpolation.
//! `CKI_TEST_CASES` says how many; each has several services, which are compared at once.

mod chosen;
mod generated;
pub(crate) mod printed;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use cki::model::deployment::expansion::render;
use cki::model::deployment::{
    self, Deployment, DeploymentFileSet, DeploymentItem, EnvVarSource, FileKind, FileTrouble,
};
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::Value;

use crate::support;
use generated::{faulty, project};

/// Files in memory, written to a directory for Compose.
#[derive(Debug, Clone, Default)]
struct Project {
    files: BTreeMap<String, String>,
    /// Its Compose files, in order.
    named: Vec<String>,
    /// Directory where Compose looks for its files itself, in place of named ones.
    start: Option<&'static str>,
    services: BTreeSet<String>,
}

impl DeploymentFileSet for Project {
    fn kind(&self, path: &str) -> Result<Option<FileKind>, FileTrouble> {
        let below = format!("{path}/");
        Ok(match self.files.contains_key(path) {
            true => Some(FileKind::File),
            false if path.is_empty() || self.files.keys().any(|key| key.starts_with(&below)) => {
                Some(FileKind::Directory)
            }
            false => None,
        })
    }

    fn text(&self, path: &str) -> Result<String, FileTrouble> {
        let missing = || FileTrouble { path: path.to_owned(), why: "it is not there".to_owned() };
        self.files.get(path).cloned().ok_or_else(missing)
    }

    fn names(&self, directory: &str) -> Result<Vec<String>, FileTrouble> {
        let below = format!("{directory}/");
        let inside = self.files.keys().filter_map(|path| path.strip_prefix(&below));
        Ok(inside.filter(|name| !name.contains('/')).map(str::to_owned).collect())
    }

    fn label(&self, path: &str) -> String {
        path.to_owned()
    }

    fn working_directory(&self, directory: &str) -> String {
        format!("{ROOT}/{directory}")
    }
}

/// Stands for the directory with the files of a project.
const ROOT: &str = "/root-of-project";

impl Project {
    fn read(&self, service: &str) -> Result<Deployment, deployment::DeploymentError> {
        let paths: Vec<&str> = match self.start {
            Some(directory) => vec![directory],
            None => self.named.iter().map(String::as_str).collect(),
        };
        let items: Vec<DeploymentItem<'_>> = paths
            .into_iter()
            .map(|path| DeploymentItem { files: self, path, container: Some(service), place: "i:1" })
            .collect();
        deployment::read(service, &items)
    }

    /// Returns the services that Compose reads, or its refusal.
    fn config(&self, program: &str) -> Result<Value, String> {
        let directory = tempfile::tempdir().expect("a temporary directory");
        for (path, text) in &self.files {
            let path = directory.path().join(path);
            std::fs::create_dir_all(path.parent().expect("is below")).expect("makes directories");
            std::fs::write(path, text).expect("writes");
        }
        let mut command = Command::new(program);
        command.env_clear().env("HOME", directory.path()).current_dir(directory.path());
        // Compose looks for variables in the `.env` of the working directory, too.
        let home = directory.path().join(self.start.unwrap_or("p"));
        command.current_dir(&home);
        for file in self.named.iter().filter(|_| self.start.is_none()) {
            command.arg("-f").arg(directory.path().join(file));
        }
        // Naming a service enables its profiles.
        let output = command
            .args(["--profile", "*", "config", "--format", "json"])
            .output()
            .expect("runs docker-compose");
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let text = String::from_utf8(output.stdout).expect("is UTF-8");
        let text = text.replace(&directory.path().display().to_string(), ROOT);
        let mut config: Value = serde_json::from_str(&text).expect("is JSON");
        Ok(config["services"].take())
    }
}

/// Returns the differences without a finding that names them.
fn difference(project: &Project, services: &Value) -> Option<String> {
    project.services.iter().find_map(|name| {
        let read = match project.read(name) {
            Ok(read) => read,
            Err(error) => return Some(format!("{name} cannot be read: {error}")),
        };
        let there = &services[name];
        let findings: Vec<String> = read.findings.iter().map(ToString::to_string).collect();
        // Compose doubles the `$` in what it prints.
        let plain = |text: &str| text.replace("$$", "$");
        let mut wanted: BTreeMap<String, Option<String>> = BTreeMap::new();
        if let Some(environment) = there["environment"].as_object() {
            wanted.extend(environment.iter().map(|(name, value)| (name.clone(), value.as_str().map(plain))));
        }
        // Compose sets those of models when it starts a service.
        for (name, settings) in there["models"].as_object().into_iter().flatten() {
            let variable = settings["model_var"].as_str().map(str::to_owned);
            let variable =
                variable.unwrap_or_else(|| format!("{}_MODEL", name.to_uppercase().replace('-', "_")));
            wanted.insert(variable, Some("ai/m".to_owned()));
        }
        let mut got: BTreeMap<String, Option<String>> = BTreeMap::new();
        for given in &read.container.variables {
            let value = match &given.value {
                EnvVarSource::Text(pieces) => Some(render(pieces, &|_| None)),
                _ => None,
            };
            if value.is_none() && wanted.get(&given.name).is_none_or(Option::is_some) {
                let is_named = findings
                    .iter()
                    .any(|finding| finding.contains(&given.place) && finding.contains(&given.name));
                if !is_named {
                    return Some(format!(
                        "{name}: `{}` has no value, and nothing says so: {findings:#?}",
                        given.name
                    ));
                }
                wanted.remove(&given.name);
                continue;
            }
            got.insert(given.name.clone(), value);
        }
        if got != wanted {
            return Some(format!("{name}: variables {got:#?} and not {wanted:#?}; {findings:#?}"));
        }
        let words = |key: &str| -> Vec<String> {
            there[key].as_array().into_iter().flatten().filter_map(Value::as_str).map(plain).collect()
        };
        let own = |words: &[Vec<deployment::expansion::Segment>]| -> Vec<String> {
            words.iter().map(|word| render(word, &|_| None)).collect()
        };
        for (key, own) in
            [("entrypoint", own(&read.container.command)), ("command", own(&read.container.args))]
        {
            if own != words(key) && !findings.iter().any(|finding| finding.contains(key)) {
                return Some(format!("{name}: {key} {own:?} and not {:?}; {findings:#?}", words(key)));
            }
        }
        let ports = there["ports"].as_array().into_iter().flatten();
        let tcp = ports.filter(|port| port["protocol"] == "tcp").filter_map(|port| port["target"].as_u64());
        let exposed =
            there["expose"].as_array().into_iter().flatten().filter_map(|one| one.as_str()?.parse().ok());
        let wanted: BTreeSet<u64> = tcp.chain(exposed).collect();
        let own: BTreeSet<u64> = read.container.ports.iter().map(|port| u64::from(port.number)).collect();
        if own != wanted {
            return Some(format!("{name}: ports {own:?} and not {wanted:?}; {findings:#?}"));
        }
        let image = there["image"].as_str().map(plain);
        let is_named = findings.iter().any(|finding| finding.contains("`image`"));
        (read.container.image != image && !is_named)
            .then(|| format!("{name}: image {:?} and not {image:?}", read.container.image))
    })
}

#[test]
#[ignore = "needs CKI_TEST_COMPOSE (bash tests/run)"]
fn compose_projects_match_docker_compose_or_report_a_finding() {
    let program = support::compose();
    let cases = support::cases().unwrap_or(180);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 400, ..Config::default() };
    let (compared, refused) = (Cell::new(0_u32), Cell::new(0_u32));
    let outcome = support::runner(config).run(&project(), |project| {
        // What Compose refuses is read without a panic; the next test looks at the findings.
        let Ok(services) = project.config(&program) else {
            refused.set(refused.get() + 1);
            for name in &project.services {
                let _ = project.read(name);
            }
            return Ok(());
        };
        compared.set(compared.get() + 1);
        match difference(&project, &services) {
            Some(different) => Err(TestCaseError::fail(different)),
            None => Ok(()),
        }
    });
    if let Err(error) = outcome {
        panic!("after {} projects: {error}", compared.get());
    }
    let (compared, refused) = (compared.get(), refused.get());
    assert!(compared * 6 > cases, "of {cases} projects, Compose refused {refused}");
}

#[test]
#[ignore = "needs CKI_TEST_COMPOSE (bash tests/run)"]
fn compose_projects_that_docker_compose_refuses_have_a_finding() {
    let program = support::compose();
    let cases = support::cases().unwrap_or(180);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 400, ..Config::default() };
    let refused = Cell::new(0_u32);
    let outcome = support::runner(config).run(&faulty(), |project| {
        let Err(why) = project.config(&program) else { return Ok(()) };
        refused.set(refused.get() + 1);
        let has_place = |text: &str| {
            text.split_once(".yaml:").is_some_and(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        let is_named = project.services.iter().any(|name| match project.read(name) {
            Ok(read) => read.findings.iter().any(|finding| has_place(&finding.to_string())),
            Err(error) => {
                let causes =
                    std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
                causes.into_iter().any(|error| has_place(&error.to_string()))
            }
        });
        match is_named {
            true => Ok(()),
            false => Err(TestCaseError::fail(format!("nothing is found, and Compose says: {why}"))),
        }
    });
    if let Err(error) = outcome {
        panic!("after {} projects: {error}", refused.get());
    }
    assert!(refused.get() * 3 > cases, "of {cases} projects, Compose refused {}", refused.get());
}

#[test]
#[ignore = "needs CKI_TEST_COMPOSE (bash tests/run)"]
fn compose_profiles_select_the_services_that_compose_starts() {
    let program = support::compose();
    let two = "services:\n  one: {image: a, profiles: [p, q]}\n  two: {image: b}\n";
    let both = "services:\n  one: {image: a, profiles: [p]}\n  two: {image: b, profiles: ['${A:-q}']}\n";
    for (text, env) in [
        (two, ""),
        (two, "COMPOSE_PROFILES=other\n"),
        (two, "COMPOSE_PROFILES=other,q\n"),
        (both, "COMPOSE_PROFILES=q\n"),
        (both, "COMPOSE_PROFILES=p\n"),
        (both, "COMPOSE_PROFILES=*\n"),
        (both, "A=p\nCOMPOSE_PROFILES=p\n"),
        (both, "A=z\nCOMPOSE_PROFILES=z\n"),
    ] {
        let files = [("p/compose.yaml", text), ("p/.env", env)];
        let files = files.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect();
        let project = Project { files, named: vec!["p/compose.yaml".to_owned()], ..Project::default() };
        let directory = tempfile::tempdir().expect("a temporary directory");
        for (path, text) in &project.files {
            std::fs::create_dir_all(directory.path().join("p")).expect("makes");
            std::fs::write(directory.path().join(path), text).expect("writes");
        }
        let mut command = Command::new(&program);
        command.env_clear().env("HOME", directory.path()).current_dir(directory.path().join("p"));
        let output = command.args(["config", "--services"]).output().expect("runs docker-compose");
        let started = String::from_utf8_lossy(&output.stdout).into_owned();
        let started: Vec<&str> = started.split_whitespace().collect();
        let item =
            |container| [DeploymentItem { files: &project, path: "p/compose.yaml", container, place: "i:1" }];
        // A component of another name has the only service that Compose starts, if it is the only one.
        let read = deployment::read("other", &item(None));
        match started.as_slice() {
            [one] => {
                let image = read.expect(env).container.image;
                assert_eq!(image.as_deref(), Some(if *one == "one" { "a" } else { "b" }), "{env}");
            }
            _ => assert!(read.is_err(), "{text}{env}: {started:?}"),
        }
        // A named one counts in spite of its profiles, as in `docker-compose up one`.
        let image = deployment::read("other", &item(Some("one"))).expect(env).container.image;
        assert_eq!(image.as_deref(), Some("a"), "{env}");
    }
}
