//! `cki list`: filters the components of an inventory.

use std::collections::BTreeSet;

use crate::base::text::{join_some, nearest};
use crate::model::inventory::{Component, Inventory};

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
