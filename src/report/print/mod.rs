//! `cki run-local --print`: a plan as a file that runs without `cki`. What the forms have in common is
//! here: what is told of each unit, and how secrets are kept out. What a form cannot say stands as a
//! comment at its top, so that nobody takes it for the same.

mod compose;
mod kube;
mod podman;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::base::text::{plural, safe_line};
use crate::model::container::Publish;
use crate::model::identity::{COMPONENT, NAME, ROLE};
use crate::model::inventory::BuildNetwork;
use crate::model::probe::Ready;
use crate::ops::run_local::Network;
use crate::ops::run_local::plan::RunPlan;
use crate::ops::run_local::unit::{BuildPlan, Image, Unit};
use crate::ui::Ui;

/// The form of the equivalent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A Compose file.
    Compose,
    /// A script for Podman.
    Podman,
    /// Pods for `podman kube play`.
    Kube,
}

/// Shorter values are taken for secrets only where they are the whole value of a variable that is one.
const SHORT: usize = 6;

/// Prints the equivalent of a plan. Secrets are in it only if they are to be `revealed`.
pub fn print(ui: &Ui, plan: &RunPlan, form: Form, reveal: bool) {
    ui.exact(&text(plan, form, reveal));
}

fn text(plan: &RunPlan, form: Form, reveal: bool) -> String {
    let draft = Draft::new(plan, reveal);
    match form {
        Form::Compose => compose::text(&draft),
        Form::Podman => podman::text(&draft),
        Form::Kube => kube::text(&draft),
    }
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Plain(String),
    /// A secret, by the name of the variable that holds its value.
    Secret(String),
}

/// What the forms are made of.
struct Draft<'a> {
    plan: &'a RunPlan,
    /// What everything of the run is called by.
    name: String,
    /// Secret values with the names of the variables that stand for them, the longest first.
    secrets: Vec<(String, String)>,
    reveal: bool,
}

impl<'a> Draft<'a> {
    fn new(plan: &'a RunPlan, reveal: bool) -> Self {
        let mut secrets: Vec<(String, String)> = Vec::new();
        // Those of components first, since their names are the ones that people know.
        let (own, others): (Vec<_>, Vec<_>) =
            secrets_of(plan).partition(|(of, ..)| plan.wanted().any(|unit| unit.name == *of));
        for (unit, name, value) in own.into_iter().chain(others) {
            if !secrets.iter().any(|(known, _)| known == value) {
                let is_taken = secrets.iter().any(|(_, taken)| taken == name);
                let name = if is_taken { variable(&format!("{unit}_{name}")) } else { name.to_owned() };
                secrets.push((value.to_owned(), name));
            }
        }
        secrets.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
        let first = plan.wanted().next().map_or("run", |unit| &unit.name);
        Self { plan, name: format!("cki-{}", first.to_lowercase()), secrets, reveal }
    }

    /// A text with its secrets set apart.
    fn parts(&self, text: &str) -> Vec<Part> {
        let found = |rest: &str| {
            let long = self.secrets.iter().filter(|(value, _)| value.len() >= SHORT);
            long.filter_map(|(value, name)| Some((rest.find(value)?, value.len(), name.clone())))
                .min_by_key(|(at, ..)| *at)
        };
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((at, length, name)) = found(rest).filter(|_| !self.reveal) {
            if at > 0 {
                parts.push(Part::Plain(rest[..at].to_owned()));
            }
            parts.push(Part::Secret(name));
            rest = &rest[at + length..];
        }
        if !rest.is_empty() || parts.is_empty() {
            parts.push(Part::Plain(rest.to_owned()));
        }
        parts
    }

    /// The variables of a unit.
    fn environment(&self, unit: &'a Unit) -> Vec<(&'a str, Vec<Part>)> {
        let given = unit.environment.iter().map(|(name, value)| {
            let value = value.expose();
            let secret = secrets_of(self.plan).any(|(of, known, _)| of == unit.name && known == name);
            let hidden = self.secrets.iter().find(|(known, _)| secret && !self.reveal && known == value);
            let parts = match hidden {
                Some((_, stand_in)) => vec![Part::Secret(stand_in.clone())],
                None => self.parts(value),
            };
            (name.as_str(), parts)
        });
        // The last one counts.
        given.collect::<BTreeMap<_, _>>().into_iter().collect()
    }

    /// The variables whose values are not in the text.
    fn hidden(&self) -> BTreeSet<&str> {
        if self.reveal {
            BTreeSet::new()
        } else {
            self.secrets.iter().map(|(_, name)| name.as_str()).collect()
        }
    }

    /// The image of a unit; one that is built has a name that is always the same.
    fn image(unit: &Unit) -> String {
        match &unit.image {
            Image::Named(name) => name.clone(),
            Image::Built(_) => format!("localhost/cki/{}:local", unit.name.to_lowercase()),
            // Only `cki` has what is in it: whoever runs this has to put something in its place.
            Image::Own => format!("{}-of-cki", unit.name.to_lowercase()),
            Image::Unknown => "unknown".to_owned(),
        }
    }

    /// Units whose images are built.
    fn builds(&self) -> impl Iterator<Item = (&'a Unit, &'a BuildPlan)> {
        self.plan.units().filter_map(|unit| match (&unit.image, &unit.work.build) {
            (Image::Built(_), Some(build)) => Some((unit, build)),
            _ => None,
        })
    }

    /// Labels without those that would make it a run of `cki`, which would remove it.
    fn labels(unit: &Unit) -> [(&'static str, String); 3] {
        [(COMPONENT, unit.of.clone()), (ROLE, unit.role.as_str().to_owned()), (NAME, unit.name.clone())]
    }

    /// The ports of a unit that this machine is to reach.
    fn published(unit: &Unit) -> Vec<(u16, u16)> {
        let pair = |one: &Publish| (one.container, one.host.unwrap_or(one.container));
        unit.work.publish.iter().map(pair).collect()
    }

    /// Whether the network leads nowhere. Engines publish no ports on one that does not.
    fn is_closed(&self) -> bool {
        self.plan.network == Network::Isolated && !self.plan.publishes()
    }

    /// The table of hosts that keeps production out of reach, where the network is open.
    fn blocked(&self) -> impl Iterator<Item = (String, IpAddr)> {
        let is_open = !self.is_closed();
        self.plan.production.hosts().filter(move |_| is_open)
    }

    /// The same for builds that have a network.
    fn blocked_in_build(&self, build: &BuildPlan) -> impl Iterator<Item = (String, IpAddr)> {
        let is_open = build.network == BuildNetwork::Internet;
        self.plan.production.hosts_of_build().filter(move |_| is_open)
    }

    /// Comments that every form begins with: what it is, what it lacks, and where its secrets are.
    fn head(&self, how: &str, lacks: &[String]) -> String {
        let names: Vec<&str> = self.plan.wanted().map(|unit| unit.name.as_str()).collect();
        let mut lines =
            vec![format!("{} as `cki run-local` would run it, without `cki`.", names.join(" and "))];
        lines.push(how.to_owned());
        let hidden: Vec<&str> = self.hidden().into_iter().collect();
        if !hidden.is_empty() {
            let count = plural(hidden.len(), "secret");
            lines.push(format!("{count} must be in the environment; `--reveal` prints them here instead:"));
            lines.push(format!("  {}", hidden.join(" ")));
        }
        if self.plan.network == Network::Isolated && !self.is_closed() {
            lines.push("The network leads to the internet, or its ports could not be published.".to_owned());
        }
        for unit in self.plan.units().filter(|unit| unit.image == Image::Own) {
            lines.push(format!(
                "{} is played by `cki` itself: put an image of your own in its place.",
                unit.name
            ));
        }
        lines.extend(lacks.iter().cloned());
        lines.iter().fold(String::new(), |text, line| format!("{text}# {}\n", safe_line(line)))
    }

    /// The sentence about something that only `cki` asks.
    fn cannot_wait(unit: &Unit) -> Option<String> {
        match &unit.ready {
            Some(ready @ Ready::Log(_)) => {
                Some(format!("Nobody waits until {} is ready ({ready}): a log cannot be asked.", unit.name))
            }
            _ => None,
        }
    }
}

/// The secrets of a plan: unit, variable, value. Services hide all of theirs; what a component is told
/// openly is none.
fn secrets_of(plan: &RunPlan) -> impl Iterator<Item = (&str, &str, &str)> {
    let open: BTreeSet<&str> = plan
        .units()
        .flat_map(|unit| unit.environment.iter().filter(|(name, _)| !unit.secret.contains(name)))
        .map(|(_, value)| value.expose())
        .collect();
    plan.units().flat_map(move |unit| {
        let open = open.clone();
        let all = unit.environment.iter().filter(|(name, _)| unit.secret.contains(name));
        all.map(|(name, value)| (unit.name.as_str(), name.as_str(), value.expose()))
            .filter(move |(.., value)| !value.is_empty() && !open.contains(value))
    })
}

/// The name of a variable, from any text.
fn variable(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

/// A command that asks, in a container, whether something is ready there; `None` for what cannot be
/// asked so. Whatever is in the image is taken.
fn asking(ready: &Ready) -> Option<Vec<String>> {
    let shell = |script: String| Some(vec!["sh".to_owned(), "-c".to_owned(), script]);
    match ready {
        Ready::Exec(command) => Some(command.clone()),
        Ready::Tcp(port) => shell(format!(
            "nc -z 127.0.0.1 {port} 2>/dev/null || bash -c '</dev/tcp/127.0.0.1/{port}' 2>/dev/null"
        )),
        Ready::Http { path, port } => {
            let url = shell_words::quote(&format!("http://127.0.0.1:{port}{path}")).into_owned();
            shell(format!(
                "curl -fsS -o /dev/null {url} 2>/dev/null || wget -q -O /dev/null {url} 2>/dev/null"
            ))
        }
        Ready::Log(_) => None,
    }
}

/// A word of a shell's, in which secrets are variables that must be set.
fn shell_word(parts: &[Part]) -> String {
    parts
        .iter()
        .map(|part| match part {
            Part::Plain(text) => shell_words::quote(text).into_owned(),
            Part::Secret(name) => format!("\"${{{name}:?}}\""),
        })
        .collect()
}

#[cfg(test)]
mod tests;
