//! Look-ups in an inventory by category, reference and name, without walking all entries. The
//! interpretation of what a user typed belongs in `find`.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use super::{Category, Component};
use crate::model::reference::is_name;

/// Maximum length of a directory name, without the suffix that makes it unique.
const LONGEST: usize = 100;

/// Index of an inventory with sorted entries. The maps by name are built on first use, since most
/// commands need none.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    categories: HashMap<String, usize>,
    /// Entries of each name in the form of [`plain`], in the order of the inventory.
    names: OnceLock<HashMap<String, Vec<u32>>>,
    /// First runnable entry of each name.
    runnable: OnceLock<HashMap<String, u32>>,
    /// References in lower case.
    lower: OnceLock<Vec<String>>,
    /// Repositories by the directory name of their clone.
    repos: OnceLock<HashMap<String, Vec<String>>>,
}

/// Returns the form of a name for comparison: users write `pipeline_herder` after the Python module.
pub(super) fn plain(name: &str) -> String {
    name.to_lowercase().replace(['_', '.'], "-")
}

/// Returns whether two names have the same form for comparison.
pub(super) fn is_same_name(one: &str, other: &str) -> bool {
    one.len() == other.len() && plain(one) == plain(other)
}

impl Index {
    /// Builds the index of categories.
    pub(super) fn new(categories: &[Category]) -> Self {
        let mut index = Self::default();
        for (at, category) in categories.iter().enumerate() {
            index.categories.entry(category.id.clone()).or_insert(at);
        }
        index
    }

    /// Adds the position of a category; returns `false` if the category is already known.
    pub(super) fn add_category(&mut self, id: &str, at: usize) -> bool {
        let is_new = !self.categories.contains_key(id);
        if is_new {
            self.categories.insert(id.to_owned(), at);
        }
        is_new
    }

    /// Returns the position of a category.
    pub(super) fn category(&self, id: &str) -> Option<usize> {
        self.categories.get(id).copied()
    }

    /// Returns the position of a reference, among entries sorted by category and name.
    pub(super) fn reference(&self, components: &[Component], category: &str, name: &str) -> Option<usize> {
        let wanted = (self.category(category)?, name);
        let order = |component: &Component| {
            count::one();
            let category = self.category(&component.reference.category).unwrap_or(usize::MAX);
            (category, component.name()).cmp(&wanted)
        };
        components.binary_search_by(order).ok()
    }

    /// Returns the entries of a name in any of its spellings.
    pub(super) fn named<'a>(
        &self,
        components: &'a [Component],
        name: &str,
    ) -> impl Iterator<Item = &'a Component> {
        let found = self.names(components).get(&plain(name)).map(Vec::as_slice).unwrap_or_default();
        found.iter().map(|at| {
            count::one();
            &components[*at as usize]
        })
    }

    /// Returns the position of the first runnable entry of exactly this name.
    pub(super) fn runnable(&self, components: &[Component], name: &str) -> Option<usize> {
        count::one();
        let runnable = self.runnable.get_or_init(|| {
            let mut runnable = HashMap::with_capacity(components.len());
            for (at, component) in short_places(components) {
                if component.is_runnable() {
                    runnable.entry(component.name().to_owned()).or_insert(at);
                }
            }
            runnable
        });
        runnable.get(name).map(|at| *at as usize)
    }

    /// Returns the entries whose reference contains a text in lower case.
    pub(super) fn holding<'a>(&self, components: &'a [Component], part: &str) -> Vec<&'a Component> {
        let lower = || components.iter().map(|one| one.reference.to_string().to_lowercase()).collect();
        let lower = self.lower.get_or_init(lower).iter().zip(components);
        lower.filter(|(reference, _)| reference.contains(part)).map(|(_, component)| component).collect()
    }

    /// Returns the repositories, each once, whose clones have the same directory name.
    pub(super) fn repos<'a>(
        &'a self,
        name: &str,
        all: impl Iterator<Item = &'a str>,
    ) -> impl Iterator<Item = &'a str> {
        let repos = self.repos.get_or_init(|| {
            let mut seen = HashSet::new();
            let mut repos: HashMap<String, Vec<String>> = HashMap::new();
            for repo in all.filter(|repo| seen.insert(*repo)) {
                count::one();
                repos.entry(short_name(repo)).or_default().push(repo.to_owned());
            }
            repos
        });
        let found = repos.get(name).map(Vec::as_slice).unwrap_or_default();
        found.iter().map(|repo| {
            count::one();
            repo.as_str()
        })
    }

    fn names(&self, components: &[Component]) -> &HashMap<String, Vec<u32>> {
        self.names.get_or_init(|| {
            let mut names: HashMap<String, Vec<u32>> = HashMap::with_capacity(components.len());
            for (at, component) in short_places(components) {
                names.entry(plain(component.name())).or_default().push(at);
            }
            names
        })
    }
}

/// Returns the entries with their positions.
fn short_places(components: &[Component]) -> impl Iterator<Item = (u32, &Component)> {
    components.iter().enumerate().map(|(at, component)| {
        count::one();
        (u32::try_from(at).unwrap_or(u32::MAX), component)
    })
}

/// Returns the directory name of a repository: its name in the inventory, or the last part of its
/// address.
#[must_use]
pub fn short_name(repo: &str) -> String {
    if is_plain(repo) {
        return repo.to_owned();
    }
    let last = repo.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or(repo);
    let name = last.strip_suffix(".git").unwrap_or(last);
    let name = name.trim_start_matches(|first: char| !first.is_ascii_alphanumeric());
    let fit = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' };
    let name: String = name.chars().map(fit).take(LONGEST).collect();
    if name.is_empty() { "repository".to_owned() } else { name }
}

/// Returns whether a repository is given by its inventory name, which is valid as a directory name.
#[must_use]
pub fn is_plain(repo: &str) -> bool {
    is_name(repo)
}

/// Sorts entries by category, in the order of the categories, then by name.
pub(super) fn sort(components: &mut [Component], index: &Index) {
    let mut orders: Vec<usize> = Vec::with_capacity(components.len());
    let mut before: Option<&str> = None;
    for component in &*components {
        let category = component.reference.category.as_str();
        // Entries of one category are mostly adjacent, so the last order is tried first.
        let order = match orders.last().filter(|_| before == Some(category)) {
            Some(order) => *order,
            None => index.category(category).unwrap_or(usize::MAX),
        };
        orders.push(order);
        before = Some(category);
    }
    // Entries are large, so their positions are sorted first.
    let mut places: Vec<usize> = (0..components.len()).collect();
    places.sort_by(|a, b| {
        count::one();
        orders[*a].cmp(&orders[*b]).then_with(|| components[*a].name().cmp(components[*b].name()))
    });
    for at in 0..places.len() {
        // Follows the swaps: the entry of a position that has been filled was swapped away.
        let mut from = places[at];
        while from < at {
            from = places[from];
        }
        places[at] = from;
        components.swap(at, from);
    }
}

/// Counter of visited entries, with which tests check how the work grows.
pub(crate) mod count {
    #[cfg(test)]
    thread_local! {
        static LOOKED_AT: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    }

    /// Counts one more entry, in tests only.
    #[inline]
    pub(in super::super) fn one() {
        #[cfg(test)]
        LOOKED_AT.with(|count| count.set(count.get() + 1));
    }

    /// Returns how many entries this thread visited during some work.
    #[cfg(test)]
    pub(crate) fn during<T>(work: impl FnOnce() -> T) -> (T, usize) {
        let before = LOOKED_AT.with(std::cell::Cell::get);
        let result = work();
        (result, LOOKED_AT.with(std::cell::Cell::get) - before)
    }
}
