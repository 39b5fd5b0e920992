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
    #[error("`{query}` could be {}", text::join_and(&candidates.iter().map(|c| format!("`{c}`")).collect::<Vec<_>>()))]
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
    pub fn find(&self, query: &str) -> Result<&Component, LookupError> {
        let typed = query.trim().trim_matches('/');
        if let Some(exact) = self.components.iter().find(|c| c.reference.to_string() == typed) {
            return Ok(exact);
        }
        let by = |matches: &dyn Fn(&Component) -> bool| -> Vec<&Component> {
            self.components.iter().filter(|component| matches(component)).collect()
        };
        let lower = typed.to_lowercase();
        let stages: [&dyn Fn(&Component) -> bool; 3] = [
            &|c| c.name().eq_ignore_ascii_case(typed),
            // People write `pipeline_herder` after the Python module.
            &|c| c.name().replace(['_', '.'], "-") == lower.replace(['_', '.'], "-"),
            &|c| !lower.is_empty() && c.reference.to_string().to_lowercase().contains(&lower),
        ];
        for stage in stages {
            match by(stage).as_slice() {
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
