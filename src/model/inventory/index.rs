//! Look-ups in an inventory by category, by reference and by name, none of which walks all entries.
//! Which of several entries is meant by what a person typed is for `find`.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use super::{Category, Component};
use crate::model::reference::is_name;

/// The longest name of a directory, before what tells it from another.
const LONGEST: usize = 100;

/// The index of an inventory whose entries are sorted. What is about names is made when the first one
/// is looked up: most commands never do.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    categories: HashMap<String, usize>,
    /// The entries of each name, as [`plain`] writes it, in the order of the inventory.
    names: OnceLock<HashMap<String, Vec<u32>>>,
    /// The first entry of each name that can be run.
    runnable: OnceLock<HashMap<String, u32>>,
    /// The references in lower case.
    lower: OnceLock<Vec<String>>,
    /// The repositories by the name of a directory for their clone.
    repos: OnceLock<HashMap<String, Vec<String>>>,
}

/// A name as it is compared: people write `pipeline_herder` after the Python module.
pub(super) fn plain(name: &str) -> String {
    name.to_lowercase().replace(['_', '.'], "-")
}

impl Index {
    /// Knows the places of categories.
    pub(super) fn new(categories: &[Category]) -> Self {
        let mut index = Self::default();
        for (at, category) in categories.iter().enumerate() {
            index.categories.entry(category.id.clone()).or_insert(at);
        }
        index
    }

    /// Notes the place of a category; `false` if it is known already.
    pub(super) fn add_category(&mut self, id: &str, at: usize) -> bool {
        let is_new = !self.categories.contains_key(id);
        if is_new {
            self.categories.insert(id.to_owned(), at);
        }
        is_new
    }

    /// The place of a category.
    pub(super) fn category(&self, id: &str) -> Option<usize> {
        self.categories.get(id).copied()
    }

    /// The place of the entry with a reference, among entries that are sorted by category and name.
    pub(super) fn reference(&self, components: &[Component], category: &str, name: &str) -> Option<usize> {
        let wanted = (self.category(category)?, name);
        let order = |component: &Component| {
            count::one();
            let category = self.category(&component.reference.category).unwrap_or(usize::MAX);
            (category, component.name()).cmp(&wanted)
        };
        components.binary_search_by(order).ok()
    }

    /// The entries of a name, however it is written.
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

    /// The place of the first entry of exactly this name that can be run.
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

    /// The entries whose reference holds a text that is in lower case.
    pub(super) fn holding<'a>(&self, components: &'a [Component], part: &str) -> Vec<&'a Component> {
        let lower = || components.iter().map(|one| one.reference.to_string().to_lowercase()).collect();
        let lower = self.lower.get_or_init(lower).iter().zip(components);
        lower.filter(|(reference, _)| reference.contains(part)).map(|(_, component)| component).collect()
    }

    /// The repositories, each once, whose clones would be in a directory of the same short name.
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

/// The entries with their places.
fn short_places(components: &[Component]) -> impl Iterator<Item = (u32, &Component)> {
    components.iter().enumerate().map(|(at, component)| {
        count::one();
        (u32::try_from(at).unwrap_or(u32::MAX), component)
    })
}

/// The name of a repository's directory: its name in the inventory, or the last part of its address.
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

/// Whether a name is one that the inventory gives, fit for a directory.
#[must_use]
pub fn is_plain(repo: &str) -> bool {
    is_name(repo)
}

/// The order of entries: by category in its order, then by name.
pub(super) fn sort(components: &mut [Component], index: &Index) {
    let mut orders: Vec<usize> = Vec::with_capacity(components.len());
    let mut before: Option<&str> = None;
    for component in &*components {
        let category = component.reference.category.as_str();
        // Entries of a category mostly stand together.
        let order = match orders.last().filter(|_| before == Some(category)) {
            Some(order) => *order,
            None => index.category(category).unwrap_or(usize::MAX),
        };
        orders.push(order);
        before = Some(category);
    }
    // Entries are large, so their places are sorted first.
    let mut places: Vec<usize> = (0..components.len()).collect();
    places.sort_by(|a, b| {
        count::one();
        orders[*a].cmp(&orders[*b]).then_with(|| components[*a].name().cmp(components[*b].name()))
    });
    for at in 0..places.len() {
        // What stood at a place that has been filled is where it was swapped to.
        let mut from = places[at];
        while from < at {
            from = places[from];
        }
        places[at] = from;
        components.swap(at, from);
    }
}

/// How many entries were looked at, so that a test can see what grows how.
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

    /// How many were looked at by this thread while something was done.
    #[cfg(test)]
    pub(crate) fn during<T>(work: impl FnOnce() -> T) -> (T, usize) {
        let before = LOOKED_AT.with(std::cell::Cell::get);
        let result = work();
        (result, LOOKED_AT.with(std::cell::Cell::get) - before)
    }
}
