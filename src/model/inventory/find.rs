//! Which component is meant by what a person typed.

use super::{Component, Inventory};
use crate::base::text;

/// No component, or more than one, is meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// Nothing matches.
    #[error("there is no component `{query}` in the inventory ({inventory})")]
    Unknown {
        /// What was typed.
        query: String,
        /// Which inventory.
        inventory: String,
        /// The nearest names.
        nearest: Vec<String>,
    },
    /// Several match.
    #[error("`{query}` could be {}", text::join_some(candidates.iter().map(|one| format!("`{one}`"))))]
    Ambiguous {
        /// What was typed.
        query: String,
        /// The references of those that match.
        candidates: Vec<String>,
    },
}

impl Inventory {
    /// The component that is meant: by `category/name`, by name, or by a part of the name that no
    /// other has.
    ///
    /// # Errors
    /// When none or several are meant.
    pub fn find<'a>(&'a self, query: &str) -> Result<&'a Component, LookupError> {
        let typed = query.trim().trim_matches('/');
        if let Some((category, name)) = typed.split_once('/')
            && let Some(at) = self.index.reference(&self.components, category, name)
        {
            return Ok(&self.components[at]);
        }
        let named: Vec<&Component> = self.index.named(&self.components, typed).collect();
        let same: Vec<&Component> =
            named.iter().copied().filter(|one| one.name().eq_ignore_ascii_case(typed)).collect();
        let lower = typed.to_lowercase();
        let by_part = || match lower.is_empty() {
            true => Vec::new(),
            false => self.index.holding(&self.components, &lower),
        };
        let stages: [&dyn Fn() -> Vec<&'a Component>; 3] = [&|| same.clone(), &|| named.clone(), &by_part];
        for stage in stages {
            match stage().as_slice() {
                [] => {}
                [one] => return Ok(one),
                many => {
                    return Err(LookupError::Ambiguous {
                        query: query.to_owned(),
                        candidates: many.iter().map(|c| c.reference.to_string()).collect(),
                    });
                }
            }
        }
        Err(LookupError::Unknown {
            query: query.to_owned(),
            inventory: self.label(),
            nearest: self.nearest(typed),
        })
    }
}
