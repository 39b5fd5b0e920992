//! `cki list`: filters the components of an inventory, and its backing services.

use crate::base::assets::Assets;
use crate::model::guard::Guard;
use crate::model::inventory::{Component, ComponentSelector, Inventory};
use crate::ops::shared::need_error::NeedError;
use crate::ops::shared::services::{ServiceDetails, Users, details};

/// Returns the matching components, in the order of the inventory.
#[must_use]
pub fn list<'a>(
    inventory: &'a Inventory,
    selector: &ComponentSelector,
    only_runnable: bool,
) -> Vec<&'a Component> {
    let matching = inventory.components.iter().filter(|component| selector.matches(component));
    matching.filter(|component| !only_runnable || component.is_runnable()).collect()
}

/// First word of a filter that means backing services, not components.
pub const SERVICES: &str = "services";

/// Returns the backing services whose name, description, image or variables contain all words, and the errors of
/// those whose templates are invalid.
pub fn services<'a>(
    inventory: &'a Inventory,
    assets: &Assets,
    guard: &Guard,
    words: &[&str],
) -> (Vec<ServiceDetails<'a>>, Vec<NeedError>) {
    let users = Users::find(inventory);
    let (mut found, mut invalid) = (Vec::new(), Vec::new());
    for name in &inventory.backing_services {
        match details(name, inventory, assets, guard, &users) {
            Ok(one) if words.iter().all(|word| holds_word(&one, word)) => found.push(one),
            Ok(_) => {}
            Err(error) => invalid.push(error),
        }
    }
    (found, invalid)
}

fn holds_word(service: &ServiceDetails<'_>, word: &str) -> bool {
    let word = word.to_lowercase();
    let texts = [Some(service.name.as_str()), service.description.as_deref(), Some(&service.image)];
    let variables = service.provided.iter().map(|one| one.name.as_str());
    texts.into_iter().flatten().chain(variables).any(|text| text.to_lowercase().contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_selects_from_the_built_in_inventory() {
        let inventory = crate::ops::shared::inventory::load(&Default::default()).expect("loads");
        let names = |words: &[&str]| -> Vec<&str> {
            let selector = ComponentSelector::parse(words.iter().copied()).expect("is a selector");
            list(&inventory, &selector, false).iter().map(|one| one.name()).collect()
        };
        assert_eq!(names(&["lookaside", "s3"]), ["lookaside-static"]);
        assert_eq!(names(&["kind=cronjob"]).len(), 8);
        assert_eq!(names(&["owner=INFRA"]), ["lookaside-static"]);
        assert_eq!(names(&["infrastructure=aws"]), ["webhook-receiver"]);
        assert!(names(&["nothing-like-this"]).is_empty());
    }
}
