//! `cki list`: filters the components of an inventory, and its backing services.

use std::collections::BTreeSet;

use crate::base::assets::Assets;
use crate::base::text::{join_some, nearest};
use crate::model::guard::Guard;
use crate::model::inventory::{Component, Inventory};
use crate::ops::shared::need_error::NeedError;
use crate::ops::shared::services::{ServiceDetails, Users, details};

/// A filter; all of its parts must match.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Words that the name or the description contains. `kind=cronjob`, `owner=…`, `infrastructure=…` and
    /// `category=…` are filters too.
    pub words: Vec<String>,
    /// The kind.
    pub kind: Option<String>,
    /// The owner.
    pub owner: Option<String>,
    /// The category.
    pub category: Option<String>,
    /// The infrastructure.
    pub infrastructure: Option<String>,
    /// Only components that can be run.
    pub runnable: bool,
}

/// Returns the matching components, in the order of the inventory.
#[must_use]
pub fn list<'a>(inventory: &'a Inventory, filter: &Filter) -> Vec<&'a Component> {
    inventory.components.iter().filter(|component| fits(component, filter)).collect()
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

/// Returns the parts of a filter that match no component, each with the existing values.
#[must_use]
pub fn unknown(inventory: &Inventory, filter: &Filter) -> Vec<String> {
    type Values = for<'a> fn(&'a Component) -> Vec<&'a str>;
    let options = [
        ("kind", &filter.kind),
        ("owner", &filter.owner),
        ("category", &filter.category),
        ("infrastructure", &filter.infrastructure),
    ];
    let options = options.into_iter().filter_map(|(what, wanted)| Some((what, wanted.as_deref()?)));
    let words = filter.words.iter().filter_map(|word| word.split_once('='));
    let sentence = |(key, wanted): (&str, &str)| {
        let (what, values): (&str, Values) = match key {
            "kind" => ("kind", |one| one.kind.as_deref().into_iter().collect()),
            "owner" | "people" => ("owner", |one| one.people.iter().map(String::as_str).collect()),
            "infrastructure" => ("infrastructure", |one| one.infrastructure.as_deref().into_iter().collect()),
            "category" => ("category", |one| vec![&one.reference.category]),
            _ => return None,
        };
        let known: BTreeSet<&str> = inventory.components.iter().flat_map(values).collect();
        if known.iter().any(|one| one.eq_ignore_ascii_case(wanted)) {
            return None;
        }
        let there = join_some(known.iter().map(|one| format!("`{one}`")));
        let there = match nearest(wanted, known.iter().copied()).first() {
            _ if known.is_empty() => format!("none has any {what}"),
            Some(near) => format!("did you mean `{near}`? There is {there}"),
            None => format!("there is {there}"),
        };
        Some(format!("no component has the {what} `{wanted}`; {there}"))
    };
    options.chain(words).filter_map(sentence).collect()
}

/// Returns whether a word has the form `key=value`, with an unknown key.
#[must_use]
pub fn has_unknown_key(word: &str) -> bool {
    let Some((key, _)) = word.split_once('=') else { return false };
    let is_key =
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    is_key && !matches!(key, "kind" | "owner" | "people" | "infrastructure" | "category")
}

fn fits(component: &Component, filter: &Filter) -> bool {
    let is = |field: &Option<String>, wanted: &str| {
        field.as_deref().is_some_and(|value| value.eq_ignore_ascii_case(wanted))
    };
    let owned = |wanted: &str| component.people.iter().any(|one| one.eq_ignore_ascii_case(wanted));
    let in_category = |wanted: &str| component.reference.category.eq_ignore_ascii_case(wanted);
    let word_fits = |word: &String| match word.split_once('=') {
        Some(("kind", wanted)) => is(&component.kind, wanted),
        Some(("owner" | "people", wanted)) => owned(wanted),
        Some(("infrastructure", wanted)) => is(&component.infrastructure, wanted),
        Some(("category", wanted)) => in_category(wanted),
        _ => {
            let word = word.to_lowercase();
            component.reference.to_string().to_lowercase().contains(&word)
                || component.description.as_deref().is_some_and(|text| text.to_lowercase().contains(&word))
        }
    };
    filter.kind.as_deref().is_none_or(|wanted| is(&component.kind, wanted))
        && filter.owner.as_deref().is_none_or(owned)
        && filter.category.as_deref().is_none_or(in_category)
        && filter.infrastructure.as_deref().is_none_or(|wanted| is(&component.infrastructure, wanted))
        && (!filter.runnable || component.is_runnable())
        && filter.words.iter().all(word_fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_requires_every_filter_to_match() {
        let inventory = crate::ops::shared::inventory::load(None).expect("loads");
        let names =
            |filter: Filter| -> Vec<&str> { list(&inventory, &filter).iter().map(|c| c.name()).collect() };
        let words = |words: &[&str]| Filter {
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            ..Filter::default()
        };
        assert_eq!(names(words(&["lookaside", "s3"])), ["lookaside-static"]);
        assert_eq!(names(words(&["kind=cronjob"])).len(), 8);
        assert_eq!(names(words(&["owner=INFRA"])), ["lookaside-static"]);
        let filter = Filter { infrastructure: Some("aws".into()), ..Filter::default() };
        assert_eq!(names(filter), ["webhook-receiver"]);
        assert!(names(words(&["nothing-like-this"])).is_empty());
        let filter = Filter { kind: Some("foo".into()), owner: Some("infra".into()), ..Filter::default() };
        let said = unknown(&inventory, &filter);
        assert!(
            matches!(said.as_slice(), [one] if one.contains("the kind `foo`") && one.contains("`cronjob`")),
            "{said:?}"
        );
        let said = unknown(&inventory, &words(&["category=servce", "people=nobody", "kind=cronjob"]));
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].contains("the category `servce`; did you mean `service`? There is "), "{said:?}");
        assert!(said[1].contains("the owner `nobody`; there is "), "{said:?}");
    }
}
