//! What is wrong with an inventory without making it unusable. It is noted as it is found; its place
//! and what may be meant instead are looked for only when a person is told.

use std::collections::BTreeMap;

use super::Written;
use crate::base::text;
use crate::base::yaml::Position;

/// Something in the inventory that is wrong, but does not hinder its use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file.
    pub file: String,
    /// Where in it.
    pub position: Option<Position>,
    /// What is wrong.
    pub message: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.position {
            Some(at) => write!(f, "{}:{}:{}: {}", self.file, at.line, at.column, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

/// A finding before anybody asks for it.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub(super) written: Written,
    /// The path from the top of the file.
    pub(super) path: String,
    pub(super) what: What,
}

/// What is wrong.
#[derive(Debug, Clone)]
pub(super) enum What {
    /// A key that nothing reads, and those that could stand there.
    UnknownKey { key: String, known: &'static [&'static str] },
    /// A repository that the inventory does not name.
    UnknownRepository(String),
    /// What stands for no host.
    NoHost(String),
}

impl Problem {
    /// A problem with a part of what is written, such as `sources.0.repo`.
    pub(super) fn of(written: &Written, part: &str, what: What) -> Self {
        Self { written: written.clone(), path: written.path(part), what }
    }

    /// What a person is told, given the repositories of the inventory.
    pub(super) fn finding(&self, repos: &BTreeMap<String, String>) -> Finding {
        Finding {
            file: self.written.file().to_owned(),
            position: self.written.position_of(&self.path),
            message: self.message(repos),
        }
    }

    fn message(&self, repos: &BTreeMap<String, String>) -> String {
        match &self.what {
            What::UnknownKey { key, known } => {
                let nearest = text::nearest(key, known.iter().copied());
                let there = text::join_some(known.iter().map(|key| format!("`{key}`")));
                let instead = match nearest.is_empty() && !known.is_empty() {
                    true => format!("; the keys there are {there}"),
                    false => did_you_mean(&nearest),
                };
                format!("the key `{}` is unknown{instead}", self.path)
            }
            What::UnknownRepository(repo) => {
                let nearest = text::nearest(repo, repos.keys().map(String::as_str));
                format!("there is no repository `{repo}`{}", did_you_mean(&nearest))
            }
            What::NoHost(host) => format!(
                "`{host}` is no host: write a name, with `*` for any part, an address, or a range as in `10.0.0.0/8`"
            ),
        }
    }
}

fn did_you_mean(nearest: &[&str]) -> String {
    nearest.first().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}
