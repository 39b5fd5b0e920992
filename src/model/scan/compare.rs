//! Comparison of the variables that code reads with those that the component gets: missing, unused, and
//! probably misspelt ones. The display belongs in `report`.

use std::collections::{BTreeMap, BTreeSet};

use super::{EnvRead, Requirement, ScanRules};

/// Position of a read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReadSite {
    /// File, in the form to display.
    pub file: String,
    /// Line.
    pub line: usize,
    /// Consequence of a missing value.
    pub need: Requirement,
    /// Marks a read when an image is built, not when the component runs.
    pub build: bool,
    /// Marks a read in a test.
    pub test: bool,
    /// Marks code that the component shares with others.
    pub shared: bool,
}

impl ReadSite {
    /// Returns the position of a find in a file.
    #[must_use]
    pub fn new(file: &str, find: &EnvRead, test: bool, shared: bool) -> Self {
        let test = test || find.test;
        Self { file: file.to_owned(), line: find.line, need: find.need, build: find.build, test, shared }
    }

    /// Returns whether the component reads it when it runs.
    #[must_use]
    pub fn counts(&self) -> bool {
        !self.test && !self.build
    }
}

/// A variable that the component gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownVariable {
    /// Reason.
    pub reason: String,
    /// Position of the definition.
    pub place: Option<String>,
    /// Marks a variable with a value.
    pub has_value: bool,
    /// Marks a variable that every component gets.
    pub is_common: bool,
}

/// Inputs of the comparison.
#[derive(Debug, Clone, Default)]
pub struct CompareInput {
    /// Positions of the reads of each variable.
    pub reads: BTreeMap<String, Vec<ReadSite>>,
    /// Variables that the component gets.
    pub given: BTreeMap<String, KnownVariable>,
    /// Variables that the image or the code sets, with the position.
    pub set: BTreeMap<String, String>,
    /// Variables of the image build.
    pub build: BTreeSet<String>,
}

/// Result for one variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VarUsage {
    /// Name.
    pub name: String,
    /// State.
    pub state: UseState,
    /// Consequence of a missing value, at the strictest position.
    pub need: Option<Requirement>,
    /// Positions of the reads.
    pub places: Vec<ReadSite>,
    /// Definition of the variable.
    pub given: Option<KnownVariable>,
}

/// State of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UseState {
    /// Read and given.
    KnownVariable,
    /// Read, and given by the system, the image or the code itself.
    Itself {
        /// Position, if the system does not give it.
        place: Option<String>,
    },
    /// Read, and not given.
    Nowhere,
    /// Read and not given, but a variable with a similar name is given.
    Misspelt {
        /// Similar variable.
        given: String,
        /// Marks a similar variable that nothing reads.
        is_unread: bool,
    },
    /// Read only in tests.
    Tests,
    /// Read when an image is built, and not given to the build.
    Build,
    /// Read when an image is built, and given to the build.
    BuildGiven,
    /// Given, and never read.
    Unread,
    /// Given and never read, but a variable with a similar name is read.
    Meant {
        /// Similar variable.
        read: String,
    },
}

/// Result for all variables.
#[derive(Debug, Clone, Default)]
pub struct Comparison {
    /// Variables, sorted by name.
    pub uses: Vec<VarUsage>,
}

impl Comparison {
    /// Returns the variables that the component reads when it runs, each with its first position.
    pub fn reads(&self) -> impl Iterator<Item = (String, String)> {
        self.uses.iter().filter_map(|one| {
            let place = one.places.iter().find(|place| place.counts())?;
            Some((one.name.clone(), format!("{}:{}", place.file, place.line)))
        })
    }

    /// Returns the required variables that nothing gives.
    pub fn lacking(&self) -> impl Iterator<Item = &VarUsage> {
        self.uses.iter().filter(|one| {
            one.need == Some(Requirement::Required)
                && matches!(one.state, UseState::Nowhere | UseState::Misspelt { .. })
        })
    }
}

/// Compares reads with definitions.
#[must_use]
pub fn compare(known: &CompareInput, rules: &ScanRules) -> Comparison {
    let names: BTreeSet<&String> = known.reads.keys().chain(known.given.keys()).collect();
    let mut uses: Vec<VarUsage> = names.into_iter().map(|name| one(name, known, rules)).collect();
    let with = |uses: &[VarUsage], is: fn(&VarUsage) -> bool| -> Vec<String> {
        uses.iter().filter(|one| is(one)).map(|one| one.name.clone()).collect()
    };
    let unread = with(&uses, |one| one.state == UseState::Unread);
    let given = with(&uses, |one| one.given.is_some() && one.state != UseState::Unread);
    // A variable that nothing reads is the likelier meaning, and can be meant only once.
    let mut taken = BTreeMap::new();
    for one in uses.iter_mut().filter(|one| one.state == UseState::Nowhere && one.given.is_none()) {
        let free = || unread.iter().filter(|name| !taken.contains_key(*name));
        let (meant, is_unread) = match nearest(&one.name, free()) {
            Some(meant) => (Some(meant), true),
            None => (nearest(&one.name, given.iter()), false),
        };
        if let Some(meant) = meant {
            if is_unread {
                taken.insert(meant.clone(), one.name.clone());
            }
            one.state = UseState::Misspelt { given: meant, is_unread };
        }
    }
    for one in &mut uses {
        if let Some(read) = taken.get(&one.name) {
            one.state = UseState::Meant { read: read.clone() };
        }
    }
    Comparison { uses }
}

fn one(name: &str, known: &CompareInput, rules: &ScanRules) -> VarUsage {
    let mut places = known.reads.get(name).cloned().unwrap_or_default();
    places.sort();
    places.dedup();
    let given = known.given.get(name).cloned();
    let need = places.iter().filter(|place| place.counts()).map(|place| place.need).max();
    let has_value = given.as_ref().is_some_and(|given| given.has_value);
    let state = if need.is_some() {
        match known.set.get(name) {
            _ if has_value => UseState::KnownVariable,
            Some(place) => UseState::Itself { place: Some(place.clone()) },
            None if rules.is_of_system(name) => UseState::Itself { place: None },
            None => UseState::Nowhere,
        }
    } else if given.as_ref().is_some_and(|given| !given.is_common) {
        UseState::Unread
    } else if given.is_some() {
        UseState::KnownVariable
    } else if places.iter().any(|place| place.build && !place.test) {
        let is_given = known.build.contains(name)
            || rules.is_of_system(name)
            || places.iter().all(|place| place.need == Requirement::Default);
        if is_given { UseState::BuildGiven } else { UseState::Build }
    } else {
        UseState::Tests
    };
    VarUsage { name: name.to_owned(), state, need, places, given }
}

/// Returns the name that a misspelt one probably means.
fn nearest<'a>(wrong: &str, names: impl Iterator<Item = &'a String>) -> Option<String> {
    let scored = names.filter_map(|name| Some((distance(wrong, name)?, name)));
    scored.min().map(|(_, name)| name.clone())
}

/// Returns the distance between two names, if one may be a misspelling of the other: they differ only in
/// case and underscores, in the order of their words, or by one slip in one word, that is an extra,
/// missing, different or swapped letter; a long word may have two slips.
fn distance(left: &str, right: &str) -> Option<usize> {
    let (left, right) = (left.to_ascii_uppercase(), right.to_ascii_uppercase());
    if left.replace('_', "") == right.replace('_', "") {
        return Some(0);
    }
    let (left, right): (Vec<&str>, Vec<&str>) = (left.split('_').collect(), right.split('_').collect());
    let sorted = |words: &[&str]| {
        let mut words = words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        words.sort();
        words
    };
    if sorted(&left) == sorted(&right) {
        return Some(1);
    }
    if left.len() != right.len() {
        return None;
    }
    let mut differ = left.iter().zip(&right).filter(|(left, right)| left != right);
    let (left, right) = differ.next()?;
    let is_number = |word: &str| word.chars().any(|c| c.is_ascii_digit());
    if differ.next().is_some() || is_number(left) || is_number(right) {
        return None;
    }
    let shorter = left.len().min(right.len());
    let allowed = match shorter {
        0..=2 => 0,
        3..=7 => 1,
        _ => 2,
    };
    let distance = strsim::damerau_levenshtein(left, right);
    (distance <= allowed).then_some(distance + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_detects_typos_only() {
        for (wrong, right) in [
            ("SENTRY_SDN", "SENTRY_DSN"),
            ("LOGLEVEL", "LOG_LEVEL"),
            ("log_level", "LOG_LEVEL"),
            ("URL_DATAWAREHOUSE", "DATAWAREHOUSE_URL"),
            ("DATAWARHOUSE_URL", "DATAWAREHOUSE_URL"),
            ("GITLAB_TOKEN", "GITLAB_TOKENS"),
            ("RABBITMQ_PASWORD", "RABBITMQ_PASSWORD"),
        ] {
            assert!(distance(wrong, right).is_some(), "{wrong} {right}");
        }
        for (one, other) in [
            ("RABBITMQ_HOST", "RABBITMQ_PORT"),
            ("BUCKET_1", "BUCKET_2"),
            ("S3_KEY", "S4_KEY"),
            ("API_URL", "APP_URI"),
            ("A", "B"),
            ("TOKEN", "API_TOKEN"),
        ] {
            assert_eq!(distance(one, other), None, "{one} {other}");
        }
    }
}
