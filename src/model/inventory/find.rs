//! The search for the component that a user typed. Look-ups by exact name belong in `index`.

use super::{Component, Inventory};
use crate::base::text;

/// Failed search: no component, or more than one, matches.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// Nothing matches.
    #[error("there is no component `{query}` in the inventory ({inventory})")]
    Unknown {
        /// Text that the user typed.
        query: String,
        /// Label of the inventory.
        inventory: String,
        /// Nearest names.
        nearest: Vec<String>,
    },
    /// Several components match.
    #[error("`{query}` could be {}", text::join_some(candidates.iter().map(|one| format!("`{one}`"))))]
    Ambiguous {
        /// Text that the user typed.
        query: String,
        /// References of the matches.
        candidates: Vec<String>,
    },
}

impl Inventory {
    /// Finds a component by `category/name`, by name, or by an unambiguous part of the name.
    ///
    /// # Errors
    /// Fails when no component or several match.
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
