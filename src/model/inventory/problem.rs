//! Faults in an inventory that do not make it unusable. They are recorded as found; their position and
//! suggestions are computed only for display. Faults that make an inventory unusable are errors in
//! `read`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::SourceMap;
use super::component::Component;
use crate::base::text;
use crate::base::yaml::Position;

/// A fault in the inventory that does not prevent its use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventoryFinding {
    /// File.
    pub file: String,
    /// Position in the file.
    pub position: Option<Position>,
    /// Description of the fault.
    pub message: String,
    /// The variable without a known value, if that is the fault: a value of the user's own mends it.
    pub variable: Option<String>,
}

impl std::fmt::Display for InventoryFinding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.position {
            Some(at) => write!(f, "{}:{}:{}: {}", self.file, at.line, at.column, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

/// A fault without its computed position and message.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub(super) source_map: SourceMap,
    /// Path of the faulty part from the top of the file.
    pub(super) path: String,
    pub(super) what: ProblemKind,
}

/// Kind of fault.
#[derive(Debug, Clone)]
pub(super) enum ProblemKind {
    /// A key that nothing reads, and the keys that are valid there.
    UnknownKey { key: String, known: &'static [&'static str] },
    /// A repository that the inventory does not name.
    UnknownRepository(String),
    /// A text that is not a host pattern.
    NoHost(String),
    /// A need that is neither one of these known backing services nor a runnable entry.
    UnknownNeed { need: String, services: Arc<[String]> },
    /// A file or a directory that is not read, or is empty.
    Unread(Cow<'static, str>),
}

impl Problem {
    /// Records a problem with a part of an entry, such as `sources.0.repo`.
    pub(super) fn of(written: &SourceMap, part: &str, what: ProblemKind) -> Self {
        Self { source_map: written.clone(), path: written.path(part), what }
    }

    /// Returns the finding to display, given the repositories and the entries of the inventory.
    pub(super) fn finding(
        &self,
        repos: &BTreeMap<String, String>,
        entries: &[Component],
    ) -> InventoryFinding {
        let location = self.source_map.location_of(&self.path);
        InventoryFinding {
            file: location.map_or(self.source_map.file(), |(file, _)| file).to_owned(),
            position: location.map(|(_, position)| position),
            message: self.message(repos, entries),
            variable: None,
        }
    }

    fn message(&self, repos: &BTreeMap<String, String>, entries: &[Component]) -> String {
        match &self.what {
            ProblemKind::UnknownKey { key, known } => {
                let nearest = text::nearest(key, known.iter().copied());
                let there = text::join_some(known.iter().map(|key| format!("`{key}`")));
                let instead = match nearest.is_empty() && !known.is_empty() {
                    true => format!("; the keys there are {there}"),
                    false => did_you_mean(&nearest),
                };
                format!("the key `{}` is unknown{instead}", self.path)
            }
            ProblemKind::UnknownRepository(repo) => {
                let nearest = text::nearest(repo, repos.keys().map(String::as_str));
                format!("there is no repository `{repo}`{}", did_you_mean(&nearest))
            }
            ProblemKind::UnknownNeed { need, services } => {
                let is_there = entries.iter().any(|one| match need.split_once('/') {
                    Some(_) => one.reference.to_string() == *need,
                    None => one.name() == need,
                });
                if is_there {
                    return format!(
                        "`{need}` cannot be started for another: its entry has no `run.command`, `image`, `build` or `deployment`"
                    );
                }
                let entries = entries.iter().map(Component::name);
                let nearest = text::nearest(need, services.iter().map(String::as_str).chain(entries));
                format!("there is no backing service or component `{need}`{}", did_you_mean(&nearest))
            }
            ProblemKind::Unread(why) => why.clone().into_owned(),
            ProblemKind::NoHost(host) => format!(
                "`{host}` is no host: write a name, with `*` for any part, an address, or a range as in `10.0.0.0/8`"
            ),
        }
    }
}

pub(super) fn did_you_mean(nearest: &[&str]) -> String {
    nearest.first().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}
