//! What is read, against what is given: what is missing, what is for nothing, and what is probably
//! the one written as the other.

use std::collections::{BTreeMap, BTreeSet};

use super::{Find, Need, ScanRules};

/// Where something is read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, as people are to read it.
    pub file: String,
    /// The line.
    pub line: usize,
    /// What happens there without a value.
    pub need: Need,
    /// When an image is built, not when the component runs.
    pub build: bool,
    /// In a test.
    pub test: bool,
    /// In code that the component shares with others.
    pub shared: bool,
}

impl Place {
    /// Of a find in a file.
    #[must_use]
    pub fn new(file: &str, find: &Find, test: bool, shared: bool) -> Self {
        let test = test || find.test;
        Self { file: file.to_owned(), line: find.line, need: find.need, build: find.build, test, shared }
    }

    fn counts(&self) -> bool {
        !self.test && !self.build
    }
}

/// What the component is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The reason.
    pub reason: String,
    /// Where that is written.
    pub place: Option<String>,
    /// Whether it has a value, too.
    pub has_value: bool,
    /// Whether every component is given it.
    pub is_common: bool,
}

/// All that is known about variables.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Where each is read.
    pub reads: BTreeMap<String, Vec<Place>>,
    /// What the component is given.
    pub given: BTreeMap<String, Given>,
    /// What the image or the code itself sets, with the place.
    pub set: BTreeMap<String, String>,
    /// What is given to a build.
    pub build: BTreeSet<String>,
}

/// One variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Its name.
    pub name: String,
    /// How it stands.
    pub state: UseState,
    /// What happens without a value, at the worst place.
    pub need: Option<Need>,
    /// Where it is read.
    pub places: Vec<Place>,
    /// What it is given by.
    pub given: Option<Given>,
}

/// How a variable stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UseState {
    /// It is read and given.
    Given,
    /// It is read, and the system, the image or the code itself gives it.
    Itself {
        /// Where, if it is not the system.
        place: Option<String>,
    },
    /// It is read, and nothing gives it a value.
    Nowhere,
    /// Like that, and something that is given has nearly its name.
    Misspelt {
        /// What is given.
        given: String,
        /// And whether nothing reads that.
        is_unread: bool,
    },
    /// Only tests read it.
    Tests,
    /// It is read when an image is built, and not given there.
    Build,
    /// The same, and it is given there.
    BuildGiven,
    /// It is given, and nothing reads it.
    Unread,
    /// Like that, and something that is read has nearly its name.
    Meant {
        /// What is read.
        read: String,
    },
}

/// All variables.
#[derive(Debug, Clone, Default)]
pub struct Comparison {
    /// Sorted by name.
    pub uses: Vec<Use>,
}

impl Comparison {
    /// What the component reads when it runs, each with the first place.
    pub fn reads(&self) -> impl Iterator<Item = (String, String)> {
        self.uses.iter().filter_map(|one| {
            let place = one.places.iter().find(|place| place.counts())?;
            Some((one.name.clone(), format!("{}:{}", place.file, place.line)))
        })
    }

    /// Those that the component fails without, and nothing gives.
    pub fn lacking(&self) -> impl Iterator<Item = &Use> {
        self.uses.iter().filter(|one| {
            one.need == Some(Need::Required)
                && matches!(one.state, UseState::Nowhere | UseState::Misspelt { .. })
        })
    }
}

/// Compares.
#[must_use]
pub fn compare(known: &Known, rules: &ScanRules) -> Comparison {
    let names: BTreeSet<&String> = known.reads.keys().chain(known.given.keys()).collect();
    let mut uses: Vec<Use> = names.into_iter().map(|name| one(name, known, rules)).collect();
    let with = |uses: &[Use], is: fn(&Use) -> bool| -> Vec<String> {
        uses.iter().filter(|one| is(one)).map(|one| one.name.clone()).collect()
    };
    let unread = with(&uses, |one| one.state == UseState::Unread);
    let given = with(&uses, |one| one.given.is_some() && one.state != UseState::Unread);
    // What nothing reads is the likelier meaning, and can be meant once.
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

fn one(name: &str, known: &Known, rules: &ScanRules) -> Use {
    let mut places = known.reads.get(name).cloned().unwrap_or_default();
    places.sort();
    places.dedup();
    let given = known.given.get(name).cloned();
    let need = places.iter().filter(|place| place.counts()).map(|place| place.need).max();
    let has_value = given.as_ref().is_some_and(|given| given.has_value);
    let state = if need.is_some() {
        match known.set.get(name) {
            _ if has_value => UseState::Given,
            Some(place) => UseState::Itself { place: Some(place.clone()) },
            None if rules.is_of_system(name) => UseState::Itself { place: None },
            None => UseState::Nowhere,
        }
    } else if given.as_ref().is_some_and(|given| !given.is_common) {
        UseState::Unread
    } else if given.is_some() {
        UseState::Given
    } else if places.iter().any(|place| place.build && !place.test) {
        let is_given = known.build.contains(name)
            || rules.is_of_system(name)
            || places.iter().all(|place| place.need == Need::Default);
        if is_given { UseState::BuildGiven } else { UseState::Build }
    } else {
        UseState::Tests
    };
    Use { name: name.to_owned(), state, need, places, given }
}

/// The name that another one is probably meant to be.
fn nearest<'a>(wrong: &str, names: impl Iterator<Item = &'a String>) -> Option<String> {
    let scored = names.filter_map(|name| Some((distance(wrong, name)?, name)));
    scored.min().map(|(_, name)| name.clone())
}

/// How far two names are apart, if one may be meant to be the other. They are the same but for
/// capitals and underscores, or for the order of their words, or for one slip in one word: a letter
/// too many, too few, another one, or two in the wrong order; two slips in a long word.
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
    fn slips_are_seen_and_other_names_are_not() {
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
