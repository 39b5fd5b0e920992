//! Names that were probably meant. Comparing each unknown name with all known ones is quadratic, so the number of
//! comparisons in a check is limited; beyond it, a finding has no suggestion.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::repair::{NameSet, certain};
use crate::base::text;
use crate::model::inventory::Inventory;

/// Maximum number of comparisons in a check: those of twenty unknown names in an inventory of 10,000 entries.
const MOST: usize = 200_000;

/// A name that was probably meant.
#[derive(Debug, Clone)]
pub(super) struct Suggestion {
    pub(super) name: String,
    /// No other name can be meant.
    pub(super) is_certain: bool,
}

impl Suggestion {
    /// Returns the name if no other one can be meant.
    pub(super) fn certain(suggestion: Option<&Self>) -> Option<String> {
        suggestion.filter(|near| near.is_certain).map(|near| near.name.clone())
    }
}

/// Suggestions so far.
#[derive(Default)]
pub(super) struct Suggestions<'a> {
    spent: usize,
    known: HashMap<(&'static str, String), Option<Suggestion>>,
    references: OnceCell<Vec<String>>,
    categories: OnceCell<HashMap<&'a str, Vec<&'a str>>>,
}

impl<'a> Suggestions<'a> {
    /// Returns the name of a set that is most similar to a wrong one.
    pub(super) fn nearest<'b>(
        &mut self,
        set: &'static str,
        wrong: &str,
        count: usize,
        names: impl Iterator<Item = &'b str> + Clone,
    ) -> Option<Suggestion> {
        if let Some(known) = self.known.get(&(set, wrong.to_owned())) {
            return known.clone();
        }
        if self.spent + count > MOST {
            return None;
        }
        self.spent += count;
        let only = certain(wrong, names.clone(), NameSet::Open);
        let near = only.or_else(|| text::nearest(wrong, names).first().copied());
        let near = near.map(|name| Suggestion { name: name.to_owned(), is_certain: only.is_some() });
        self.known.insert((set, wrong.to_owned()), near.clone());
        near
    }

    /// Returns the most similar reference of an entry.
    pub(super) fn reference(&mut self, inventory: &'a Inventory, wrong: &str) -> Option<Suggestion> {
        let references = std::mem::take(&mut self.references);
        let all = references
            .get_or_init(|| inventory.components.iter().map(|one| one.reference.to_string()).collect());
        let near = self.nearest("reference", wrong, all.len(), all.iter().map(String::as_str));
        self.references = references;
        near
    }

    /// Returns the most similar name of an entry in a category.
    pub(super) fn in_category(
        &mut self,
        inventory: &'a Inventory,
        category: &'static str,
        wrong: &str,
    ) -> Option<Suggestion> {
        let categories = std::mem::take(&mut self.categories);
        let by_category = categories.get_or_init(|| {
            let mut names: HashMap<&str, Vec<&str>> = HashMap::new();
            for one in &inventory.components {
                names.entry(&one.reference.category).or_default().push(one.name());
            }
            names
        });
        let names = by_category.get(category).map(Vec::as_slice).unwrap_or_default();
        let near = self.nearest(category, wrong, names.len(), names.iter().copied());
        self.categories = categories;
        near
    }
}
