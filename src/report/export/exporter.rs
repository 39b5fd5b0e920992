//! Run plan in the terms that all forms of `--print` share: parts, with their environment, mounts and
//! secrets. Each form has a file of its own.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

use regex::{Regex, RegexBuilder};

use crate::base::text::{plural, safe_line};
use crate::model::identity::{COMPONENT, NAME, ROLE};
use crate::model::inventory::BuildNetwork;
use crate::model::probe::ReadinessProbe;
use crate::ops::run_local::plan::RunPlan;
use crate::ops::runtime::start::scope::Network;
use crate::ops::runtime::start::unit::{BuildPlan, Image, PlannedPort, Unit};

/// Minimum bytes of a value that is searched for in texts. A shorter secret is recognised only as the whole
/// value of a secret variable.
pub(super) const SHORT: usize = 6;

/// Piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fragment {
    Plain(String),
    /// Secret, by the name of the variable that holds its value.
    Secret(String),
}

/// Common input of all forms.
pub(super) struct Exporter<'a> {
    pub(super) plan: &'a RunPlan,
    /// Name of the run, from which all other names are derived.
    pub(super) name: String,
    /// Secret values, with the names of the variables that replace them.
    secrets: HashMap<&'a str, String>,
    /// Pattern of the secret values that may be part of a text.
    pub(super) long: Option<Regex>,
    /// Variables that hold secrets: the unit and the name.
    secret_variables: HashSet<(&'a str, &'a str)>,
    /// Units by name.
    pub(super) units: HashMap<&'a str, &'a Unit>,
    pub(super) reveal: bool,
}

impl<'a> Exporter<'a> {
    pub(super) fn new(plan: &'a RunPlan, reveal: bool) -> Self {
        let all = secrets_of(plan);
        let secret_variables = all.iter().map(|(unit, name, _)| (*unit, *name)).collect();
        let wanted: HashSet<&str> = plan.requested().map(|unit| unit.name.as_str()).collect();
        let (mut secrets, mut taken) = (HashMap::new(), HashSet::new());
        // Components first, since people know their names.
        let (own, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|(of, ..)| wanted.contains(of));
        for (unit, name, value) in own.into_iter().chain(others) {
            secrets.entry(value).or_insert_with(|| {
                let is_taken = taken.contains(name);
                let name = if is_taken { variable(&format!("{unit}_{name}")) } else { name.to_owned() };
                taken.insert(name.clone());
                name
            });
        }
        let first = plan.requested().next().map_or("run", |unit| &unit.name);
        let long = any_of(secrets.keys().copied().filter(|value| value.len() >= SHORT));
        let name = format!("cki-{}", first.to_lowercase());
        let units = plan.units().map(|unit| (unit.name.as_str(), unit)).collect();
        Self { plan, name, secrets, long, secret_variables, units, reveal }
    }

    /// Splits a text into plain parts and secrets.
    pub(super) fn parts(&self, text: &str) -> Vec<Fragment> {
        let (mut parts, mut from) = (Vec::new(), 0);
        for found in self.long.iter().filter(|_| !self.reveal).flat_map(|long| long.find_iter(text)) {
            let Some(name) = self.secrets.get(found.as_str()) else { continue };
            if found.start() > from {
                parts.push(Fragment::Plain(text[from..found.start()].to_owned()));
            }
            parts.push(Fragment::Secret(name.clone()));
            from = found.end();
        }
        if from < text.len() || parts.is_empty() {
            parts.push(Fragment::Plain(text[from..].to_owned()));
        }
        parts
    }

    /// Returns the variables of a unit.
    pub(super) fn environment(&self, unit: &'a Unit) -> Vec<(&'a str, Vec<Fragment>)> {
        let given = unit.environment.iter().map(|(name, value)| {
            let value = value.expose();
            let secret = self.secret_variables.contains(&(unit.name.as_str(), name.as_str()));
            let hidden = self.secrets.get(value).filter(|_| secret && !self.reveal);
            let parts = match hidden {
                Some(stand_in) => vec![Fragment::Secret(stand_in.clone())],
                None => self.parts(value),
            };
            (name.as_str(), parts)
        });
        // The last value counts.
        given.collect::<BTreeMap<_, _>>().into_iter().collect()
    }

    /// Returns the variables whose values are not in the text.
    pub(super) fn hidden(&self) -> BTreeSet<&str> {
        if self.reveal { BTreeSet::new() } else { self.secrets.values().map(String::as_str).collect() }
    }

    /// Returns the image of a unit; a built image has a constant name.
    pub(super) fn image(unit: &Unit) -> String {
        match &unit.image {
            Image::Named(name) => name.clone(),
            Image::Built(_) => format!("localhost/cki/{}:local", unit.name.to_lowercase()),
            // The image contains `cki` itself: the user has to replace it.
            Image::Own => format!("{}-of-cki", unit.name.to_lowercase()),
            Image::Unknown => "unknown".to_owned(),
        }
    }

    /// Returns the units with an image to build.
    pub(super) fn builds(&self) -> impl Iterator<Item = (&'a Unit, &'a BuildPlan)> {
        self.plan.units().filter_map(|unit| Some((unit, Self::build_of(unit)?)))
    }

    /// Returns the build of a unit's image.
    pub(super) fn build_of(unit: &Unit) -> Option<&BuildPlan> {
        unit.dev.build.as_ref().filter(|_| matches!(unit.image, Image::Built(_)))
    }

    /// Returns the labels without those that mark a run of `cki`, which would remove it.
    pub(super) fn labels(unit: &Unit) -> [(&'static str, String); 3] {
        [
            (COMPONENT, unit.component.clone()),
            (ROLE, unit.role.as_str().to_owned()),
            (NAME, unit.name.clone()),
        ]
    }

    /// Returns the published ports of a unit.
    pub(super) fn published(&self, unit: &Unit) -> Vec<(u16, u16)> {
        let pair = |one: &PlannedPort| (one.port, one.preferred);
        unit.dev.publish.iter().filter(|_| !self.is_closed()).map(pair).collect()
    }

    /// Returns whether the network is isolated. Engines publish no ports on an isolated network.
    pub(super) fn is_closed(&self) -> bool {
        self.plan.network == Network::Isolated && !self.plan.is_asked_to_publish()
    }

    /// Returns the hosts table that keeps production out of reach on an open network.
    pub(super) fn blocked(&self) -> impl Iterator<Item = (String, IpAddr)> {
        let is_open = !self.is_closed();
        self.plan.production.hosts().filter(move |_| is_open)
    }

    /// Returns the hosts table for builds with a network.
    pub(super) fn blocked_in_build(&self, build: &BuildPlan) -> impl Iterator<Item = (String, IpAddr)> {
        let is_open = build.network == BuildNetwork::Internet;
        self.plan.production.hosts_of_build().filter(move |_| is_open)
    }

    /// Returns the comments at the start of every form: its purpose, its limits, and the source of its
    /// secrets.
    pub(super) fn head(&self, purpose: &str, limitations: &[String]) -> String {
        let names: Vec<&str> = self.plan.requested().map(|unit| unit.name.as_str()).collect();
        let mut lines =
            vec![format!("{} as `cki run-local` would run it, without `cki`.", names.join(" and "))];
        lines.push(purpose.to_owned());
        let hidden: Vec<&str> = self.hidden().into_iter().collect();
        if !hidden.is_empty() {
            let count = plural(hidden.len(), "secret");
            lines.push(format!("{count} must be in the environment; `--reveal` prints them here instead:"));
            lines.push(format!("  {}", hidden.join(" ")));
        }
        if self.plan.network == Network::Isolated && !self.is_closed() {
            lines.push("The network leads to the internet, or its ports could not be published.".to_owned());
        }
        if self.is_closed() && self.plan.units().any(|unit| !unit.dev.publish.is_empty()) {
            lines.push(
                "Ports are not published: an engine publishes none on a closed network. `--publish PORT` does, \
                 on a network that leads to the internet."
                    .to_owned(),
            );
        }
        for unit in self.plan.units().filter(|unit| unit.image == Image::Own) {
            lines.push(format!(
                "{} is played by `cki` itself: put an image of your own in its place.",
                unit.name
            ));
        }
        lines.extend(limitations.iter().cloned());
        lines.iter().fold(String::new(), |text, line| format!("{text}# {}\n", safe_line(line)))
    }

    /// Returns the sentence about a probe that only `cki` can run.
    pub(super) fn cannot_wait(unit: &Unit) -> Option<String> {
        match &unit.ready {
            Some(ready @ ReadinessProbe::Log(_)) => {
                Some(format!("Nobody waits until {} is ready ({ready}): a log cannot be asked.", unit.name))
            }
            _ => None,
        }
    }
}

/// Returns the secrets of a plan: unit, variable, value. Services mark all their values as secret; a value
/// that any unit gets openly is not secret.
pub(super) fn secrets_of(plan: &RunPlan) -> Vec<(&str, &str, &str)> {
    let open: BTreeSet<&str> = plan
        .units()
        .flat_map(|unit| unit.environment.iter().filter(|(name, _)| !unit.secret.contains(name)))
        .map(|(_, value)| value.expose())
        .collect();
    let all = plan.units().flat_map(|unit| {
        let secret = unit.environment.iter().filter(|(name, _)| unit.secret.contains(name));
        secret.map(|(name, value)| (unit.name.as_str(), name.as_str(), value.expose()))
    });
    all.filter(|(.., value)| !value.is_empty() && !open.contains(value)).collect()
}

/// Builds a pattern that matches any of some texts in one pass, the longest at each place.
pub(super) fn any_of<'a>(texts: impl Iterator<Item = &'a str>) -> Option<Regex> {
    let mut texts: Vec<&str> = texts.collect();
    texts.sort_unstable_by_key(|text| (Reverse(text.len()), *text));
    let pattern = texts.iter().map(|text| regex::escape(text)).collect::<Vec<_>>().join("|");
    let length = pattern.len().max(1 << 16);
    let built = RegexBuilder::new(&pattern).size_limit(length.saturating_mul(256)).build();
    built.ok().filter(|_| !texts.is_empty())
}

/// Returns a variable name made from any text.
pub(super) fn variable(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

/// Returns a command that probes readiness inside of a container, with the programs in its image; `None`
/// for probes that no command can run.
pub(super) fn asking(ready: &ReadinessProbe) -> Option<Vec<String>> {
    let shell = |script: String| Some(vec!["sh".to_owned(), "-c".to_owned(), script]);
    match ready {
        ReadinessProbe::Exec(command) => Some(command.clone()),
        ReadinessProbe::Tcp(port) => shell(format!(
            "nc -z 127.0.0.1 {port} 2>/dev/null || bash -c '</dev/tcp/127.0.0.1/{port}' 2>/dev/null"
        )),
        ReadinessProbe::Http { path, port } => {
            let url = shell_words::quote(&format!("http://127.0.0.1:{port}{path}")).into_owned();
            shell(format!(
                "curl -fsS -o /dev/null {url} 2>/dev/null || wget -q -O /dev/null {url} 2>/dev/null"
            ))
        }
        ReadinessProbe::Log(_) => None,
    }
}

/// Quotes a word for a shell, in which secrets are variables that must be set.
pub(super) fn shell_word(parts: &[Fragment]) -> String {
    parts
        .iter()
        .map(|part| match part {
            Fragment::Plain(text) => shell_words::quote(text).into_owned(),
            Fragment::Secret(name) => format!("\"${{{name}:?}}\""),
        })
        .collect()
}
