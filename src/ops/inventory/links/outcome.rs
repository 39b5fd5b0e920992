//! Outcome of a check of links.

use crate::model::inventory::check::LinkFault;

/// Result for all links.
#[derive(Debug)]
pub struct CheckedLinks<'a> {
    /// Links with faults.
    pub faults: Vec<LinkFault<'a>>,
    /// State of the targets.
    pub report: LinkReport,
}

/// State of the targets of links, each target once.
#[derive(Debug, Clone, Default)]
pub struct LinkReport {
    /// The targets.
    pub targets: Vec<CheckedTarget>,
    /// Reason why no server at all was reached, if none was.
    pub no_network: Option<String>,
}

/// A target of links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedTarget {
    /// The target as people read it, without a login.
    pub target: String,
    /// Its state.
    pub state: TargetState,
    /// An earlier check found the state.
    pub is_cached: bool,
}

/// State of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetState {
    /// It is there.
    Reached,
    /// It is not there.
    Broken,
    /// It has another address.
    Moved,
    /// Its server has a fault, or does not answer.
    Unreachable,
    /// It was not checked.
    Unchecked(Unchecked),
}

/// Reason why a target was not checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unchecked {
    /// `--offline` was given.
    Offline,
    /// Its server shows it after a login only.
    NeedsLogin,
    /// Its server limits requests.
    RateLimited,
    /// Its repository has neither a clone nor a web page.
    NotCloned,
    /// Its address is none of the web.
    OtherScheme,
    /// The time for all links ran out.
    OutOfTime,
    /// No server was reached.
    NoNetwork,
}

impl Unchecked {
    /// Returns the reason in a few words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::NeedsLogin => "login needed",
            Self::RateLimited => "rate-limited",
            Self::NotCloned => "not cloned",
            Self::OtherScheme => "no web address",
            Self::OutOfTime => "out of time",
            Self::NoNetwork => "no network",
        }
    }
}

impl LinkReport {
    /// Returns the number of targets in a state.
    #[must_use]
    pub fn count(&self, is_counted: impl Fn(TargetState) -> bool) -> usize {
        self.targets.iter().filter(|one| is_counted(one.state)).count()
    }

    /// Returns whether the time for all links ran out.
    #[must_use]
    pub fn is_out_of_time(&self) -> bool {
        self.count(|state| state == TargetState::Unchecked(Unchecked::OutOfTime)) > 0
    }
}
