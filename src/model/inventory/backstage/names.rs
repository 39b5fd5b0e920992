//! References of the entries of entities. Backstage tells entities apart by kind, namespace and name, an inventory by
//! category and name: so two entities may claim one reference, and one of them gets another.

use std::collections::HashSet;

use super::annotations::REFERENCE;
use super::entity::{BackstageEntity, DEFAULT, EntityKey};
use crate::base::yaml::tree::Node;
use crate::model::reference::{Reference, is_name};

/// Returns the reference of each entity's entry, which depends neither on the order of the entities nor on that of their
/// files; an error is a text that is no name. Two entities that are one for Backstage claim the same reference.
pub(super) fn references(entities: &[BackstageEntity]) -> Vec<Result<Reference, String>> {
    let mut order: Vec<usize> = (0..entities.len()).collect();
    order.sort_by_cached_key(|at| precedence(&entities[*at]));
    let mut taken: HashSet<Reference> = HashSet::new();
    let mut references: Vec<Result<Reference, String>> =
        entities.iter().map(|_| Err(String::new())).collect();
    let mut before: Option<(EntityKey, usize)> = None;
    for at in order {
        let entity = &entities[at];
        let same = before.replace((entity.key(), at)).filter(|(key, _)| *key == entity.key());
        references[at] = match same {
            Some((_, first)) if written(entity).is_none() => references[first].clone(),
            _ => claim(entity, &mut taken),
        };
    }
    references
}

/// Returns the precedence of an entity: first those that name their reference, then those of whose kind the category
/// is, then those of the default namespace.
fn precedence(entity: &BackstageEntity) -> (bool, bool, bool, EntityKey) {
    let is_guest = matches!(entity.kind.as_str(), "component" | "user");
    (written(entity).is_none(), is_guest, !is_of_default(entity), entity.key())
}

fn is_of_default(entity: &BackstageEntity) -> bool {
    entity.namespace.eq_ignore_ascii_case(DEFAULT)
}

/// Returns the reference that an export has written.
fn written(entity: &BackstageEntity) -> Option<Reference> {
    entity.annotation(REFERENCE).and_then(Node::text).and_then(Reference::parse)
}

/// Claims the first reference that is free: `NAME`, then `NAME.KIND`.
fn claim(entity: &BackstageEntity, taken: &mut HashSet<Reference>) -> Result<Reference, String> {
    if let Some(reference) = written(entity) {
        taken.insert(reference.clone());
        return Ok(reference);
    }
    let category = match entity.kind.as_str() {
        "component" => {
            entity.spec("type").and_then(Node::text).filter(|name| is_name(name)).unwrap_or("component")
        }
        "group" | "user" => "people",
        kind => kind,
    };
    let name = match is_of_default(entity) {
        true => entity.name.clone(),
        false => format!("{}.{}", entity.namespace, entity.name),
    };
    let plain = [name.clone(), format!("{name}.{}", entity.kind)].into_iter();
    let numbered = (2..).map(|number| format!("{name}.{}.{number}", entity.kind));
    for candidate in plain.chain(numbered) {
        if !is_name(&candidate) {
            return Err(candidate);
        }
        let reference = Reference::new(category, candidate);
        if taken.insert(reference.clone()) {
            return Ok(reference);
        }
    }
    Err(name)
}
