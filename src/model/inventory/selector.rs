//! Selectors: words such as `kind=service`, `owner!=infra` or `uses=rabbitmq,redis` that choose components by their
//! facts. The search for the one component that a user named belongs in `find`.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

use super::{Component, Inventory, LookupError};
use crate::base::text::{join_some, nearest};

/// A fact by which a selector chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SelectorKey {
    /// The kind.
    Kind,
    /// A responsible person or team.
    Owner,
    /// The category.
    Category,
    /// The infrastructure.
    Infrastructure,
    /// Target of a dependency, infrastructure, or need of a run, by its full name or its name.
    Uses,
    /// A repository of its sources, build or deployment.
    Repo,
}

use SelectorKey::{Category, Infrastructure, Kind, Owner, Repo, Uses};

impl SelectorKey {
    /// All keys, as they are typed.
    pub const ALL: [(&'static str, Self); 6] = [
        ("kind", Kind),
        ("owner", Owner),
        ("category", Category),
        ("infrastructure", Infrastructure),
        ("uses", Uses),
        ("repo", Repo),
    ];

    fn parse(text: &str) -> Option<Self> {
        // Entries call owners `people`.
        let text = if text == "people" { "owner" } else { text };
        Self::ALL.iter().find(|(name, _)| *name == text).map(|(_, key)| *key)
    }

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, key)| *key == self).map(|(name, _)| *name).unwrap_or_default()
    }

    /// Returns the values of this fact for a component. The values of `uses` are full names, except those of needs.
    #[must_use]
    pub fn values(self, component: &Component) -> Vec<String> {
        let one = |value: &Option<Cow<'_, str>>| value.iter().map(ToString::to_string).collect();
        match self {
            Kind => one(&component.kind),
            Owner => component.people.iter().map(ToString::to_string).collect(),
            Category => vec![component.reference.category.clone()],
            Infrastructure => one(&component.infrastructure),
            Uses => uses(component).collect(),
            Repo => component.repos().into_iter().map(str::to_owned).collect(),
        }
    }

    /// Returns whether a component has the value, without allocating.
    fn has(self, component: &Component, value: &str) -> bool {
        let is = |text: &str| text.eq_ignore_ascii_case(value);
        match self {
            Kind => component.kind.as_deref().is_some_and(is),
            Owner => component.people.iter().any(|one| is(one)),
            Category => is(&component.reference.category),
            Infrastructure => component.infrastructure.as_deref().is_some_and(is),
            Uses => uses(component).any(|one| names(&one, value)),
            Repo => component.repos().into_iter().any(is),
        }
    }
}

/// Returns what a component uses: targets of dependencies, its infrastructure, and the names of its needs.
fn uses(component: &Component) -> impl Iterator<Item = String> {
    let targets = component.dependencies.iter().map(|one| one.target.to_string());
    let place = component.infrastructure_reference().map(|place| place.to_string());
    let needs = component.run.iter().flat_map(|run| &run.needs).map(|need| need.name.clone());
    targets.chain(place).chain(needs)
}

/// Returns whether a full name, or its last part, is a value.
fn names(used: &str, value: &str) -> bool {
    used.eq_ignore_ascii_case(value)
        || used.rsplit_once('/').is_some_and(|(_, name)| name.eq_ignore_ascii_case(value))
}

/// A part of a selector.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Term {
    /// A fact that has, or has not, one of some values.
    Fact { key: SelectorKey, values: Vec<String>, is_negated: bool },
    /// A text in lower case that the full name or the description contains.
    Text(String),
}

/// A choice of components; all of its parts must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ComponentSelector {
    terms: Vec<Term>,
}

/// A word with a key that selects nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` selects by nothing that `cki` knows; it knows {}", keys())]
pub struct SelectorError {
    /// The word.
    pub word: String,
}

fn keys() -> String {
    join_some(SelectorKey::ALL.iter().map(|(name, _)| format!("`{name}=`")))
}

/// Cuts a word that is a selector at commas before another key, as in `kind=service,owner=infra`: the commas of
/// `kubectl`. Other commas are between values.
fn terms(word: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut begin = 0;
    if split(word).is_some() {
        for (at, _) in word.match_indices(',') {
            let next = word[at + 1..].split(',').next().unwrap_or_default();
            if split(next).is_some_and(|(key, ..)| SelectorKey::parse(key).is_some()) {
                found.push(&word[begin..at]);
                begin = at + 1;
            }
        }
    }
    found.push(&word[begin..]);
    found
}

/// Returns the key, the values and whether they are excluded, if a word has the form `key=value,value` or
/// `key!=value`. Any other word is a text.
fn split(word: &str) -> Option<(&str, &str, bool)> {
    let (key, values) = word.split_once('=')?;
    // `kind==service` is the same, as for `kubectl`.
    let values = values.strip_prefix('=').unwrap_or(values);
    let (key, is_negated) = key.strip_suffix('!').map_or((key, false), |key| (key, true));
    let is_key =
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    is_key.then_some((key, values, is_negated))
}

/// Returns whether a word is part of a selector by its form, and so no name of a component.
#[must_use]
pub fn is_selector(word: &str) -> bool {
    split(word).is_some()
}

impl ComponentSelector {
    /// Parses the words of a selector.
    ///
    /// # Errors
    /// Fails when a word has an unknown key.
    pub fn parse<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, SelectorError> {
        let mut selector = Self::default();
        for word in words.into_iter().flat_map(terms) {
            let Some((key, values, is_negated)) = split(word) else {
                selector.terms.push(Term::Text(word.to_lowercase()));
                continue;
            };
            let key = SelectorKey::parse(key).ok_or_else(|| SelectorError { word: word.to_owned() })?;
            selector.add(key, values, is_negated);
        }
        Ok(selector)
    }

    /// Adds a fact that must, or must not, have one of some values with commas between them.
    pub fn add(&mut self, key: SelectorKey, values: &str, is_negated: bool) {
        let values = values.split(',').map(|value| value.trim().to_owned()).collect();
        self.terms.push(Term::Fact { key, values, is_negated });
    }

    /// Returns whether a component has everything that is selected.
    #[must_use]
    pub fn matches(&self, component: &Component) -> bool {
        self.terms.iter().all(|term| match term {
            Term::Fact { key, values, is_negated } => {
                values.iter().any(|value| key.has(component, value)) != *is_negated
            }
            Term::Text(text) => {
                component.reference.to_string().to_lowercase().contains(text)
                    || component
                        .description
                        .as_deref()
                        .is_some_and(|description| description.to_lowercase().contains(text))
            }
        })
    }

    /// Returns a sentence for each value that no component has, with the existing values.
    #[must_use]
    pub fn unknown_values(&self, inventory: &Inventory) -> Vec<String> {
        let mut sentences = Vec::new();
        for term in &self.terms {
            let Term::Fact { key, values, .. } = term else { continue };
            let is_there = |value: &String| inventory.components.iter().any(|one| key.has(one, value));
            for value in values.iter().filter(|value| !is_there(value)) {
                sentences.push(unknown(*key, value, inventory));
            }
        }
        sentences
    }
}

/// Words that choose no component.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    /// A name is not that of one component.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// A selector has an unknown key.
    #[error(transparent)]
    Selector(#[from] SelectorError),
    /// No component has everything that is selected.
    #[error("no component matches `{words}`{}", unknown.iter().map(|one| format!("; {one}")).collect::<String>())]
    Nothing {
        /// The selectors.
        words: String,
        /// Sentences about values that no component has.
        unknown: Vec<String>,
    },
}

impl Inventory {
    /// Returns the components that words choose, each once: those that are named, in that order, and then those that
    /// match all of the selectors, if there are any.
    ///
    /// # Errors
    /// Fails when a name is unknown or ambiguous, or the selectors match nothing.
    pub fn choose(&self, words: &[String]) -> Result<Vec<&Component>, ChoiceError> {
        let (selectors, names): (Vec<&str>, Vec<&str>) =
            words.iter().map(String::as_str).partition(|word| is_selector(word));
        let mut chosen = Vec::new();
        let mut seen = HashSet::new();
        for name in names {
            let component = self.find(name)?;
            if seen.insert(&component.reference) {
                chosen.push(component);
            }
        }
        if selectors.is_empty() {
            return Ok(chosen);
        }
        let selector = ComponentSelector::parse(selectors.iter().copied())?;
        let matching: Vec<&Component> = self.components.iter().filter(|one| selector.matches(one)).collect();
        if matching.is_empty() {
            let unknown = selector.unknown_values(self);
            return Err(ChoiceError::Nothing { words: selectors.join(" "), unknown });
        }
        chosen.extend(matching.into_iter().filter(|one| seen.insert(&one.reference)));
        Ok(chosen)
    }
}

fn unknown(key: SelectorKey, value: &str, inventory: &Inventory) -> String {
    let known: BTreeSet<String> = inventory.components.iter().flat_map(|one| key.values(one)).collect();
    let what = match key {
        Uses => "dependency",
        Repo => "repository",
        _ => key.name(),
    };
    let there = join_some(known.iter().map(|one| format!("`{one}`")));
    let there = match nearest(value, known.iter().map(String::as_str)).first() {
        _ if known.is_empty() => format!("none has any {what}"),
        Some(near) => format!("did you mean `{near}`? There is {there}"),
        None => format!("there is {there}"),
    };
    format!("no component has the {what} `{value}`; {there}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::inventory::InventoryDocument;
    use proptest::prelude::*;

    fn inventory() -> Inventory {
        let text = "components:
- {name: web, category: service, kind: service, people: [infra, web], dependencies: [{verb: reads, target: storage/db}]}
- {name: nightly, category: cronjob, kind: cronjob, people: [Infra], infrastructure: cloud, sources: [{repo: 'https://x.test/y'}], run: {needs: [redis]}}
- {name: db, category: storage, description: Keeps what the WEB site shows.}
";
        let document = InventoryDocument { file: "i.yaml".into(), text: text.into(), reference: None };
        Inventory::read("here", vec![document]).expect("reads")
    }

    fn selected(words: &str) -> Vec<String> {
        let inventory = inventory();
        let selector = ComponentSelector::parse(words.split_whitespace()).expect("is a selector");
        let found = inventory.components.iter().filter(|one| selector.matches(one));
        found.map(|one| one.name().to_owned()).collect()
    }

    #[test]
    fn selector_requires_every_word() {
        for (words, names) in [
            ("kind=service", &["web"][..]),
            ("kind=service,cronjob owner=infra", &["nightly", "web"]),
            ("owner=INFRA owner=web", &["web"]),
            ("kind!=service", &["nightly", "db"]),
            ("uses=storage/db", &["web"]),
            ("uses=DB", &["web"]),
            ("uses!=db kind!=cronjob", &["db"]),
            ("infrastructure=cloud", &["nightly"]),
            ("uses=cloud", &["nightly"]),
            ("uses=redis", &["nightly"]),
            ("repo=https://x.test/y", &["nightly"]),
            ("web", &["web", "db"]),
            ("people=web category=service", &["web"]),
            ("kind=", &[]),
            ("kind==service", &["web"]),
            ("kind=service,cronjob,owner=infra", &["nightly", "web"]),
            ("kind!=service,category==storage", &["db"]),
        ] {
            let mut found = selected(words);
            let mut names = names.to_vec();
            found.sort_unstable();
            names.sort_unstable();
            assert_eq!(found, names, "{words}");
        }
    }

    #[test]
    fn selector_names_unknown_keys_and_values() {
        let error = ComponentSelector::parse(["knd=x"]).expect_err("is unknown").to_string();
        assert!(
            error.starts_with("`knd=x` selects by nothing that `cki` knows; it knows `kind=`, "),
            "{error}"
        );
        let selector =
            ComponentSelector::parse(["kind=servce,cronjob", "uses=nothing"]).expect("is a selector");
        assert_eq!(
            selector.unknown_values(&inventory()),
            [
                "no component has the kind `servce`; did you mean `service`? There is `cronjob` and `service`",
                "no component has the dependency `nothing`; there is `infrastructure/cloud`, `redis` and `storage/db`",
            ]
        );
    }

    #[test]
    fn choose_takes_names_and_selectors() {
        let inventory = inventory();
        let choose = |words: &str| {
            let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
            let names =
                |chosen: Vec<&Component>| chosen.iter().map(|one| one.name()).collect::<Vec<_>>().join(" ");
            inventory.choose(&words).map(names).map_err(|error| error.to_string())
        };
        assert_eq!(choose("db owner=infra kind=service,cronjob").as_deref(), Ok("db web nightly"));
        assert_eq!(choose("web kind=service").as_deref(), Ok("web"));
        assert_eq!(
            choose("kind=servic").expect_err("is unknown"),
            "no component matches `kind=servic`; no component has the kind `servic`; did you mean `service`? \
             There is `cronjob` and `service`"
        );
        assert!(choose("nobody").expect_err("is unknown").contains("no component `nobody`"));
    }

    proptest! {
        #[test]
        fn selector_takes_any_words_and_negation_is_the_complement(
            key in prop::sample::select(vec!["kind", "owner", "category", "uses", "repo"]),
            values in "\\PC{0,12}",
            text in "\\PC{0,12}",
        ) {
            let inventory = inventory();
            let count = |word: String| {
                let selector = ComponentSelector::parse([word.as_str()]).expect("is a selector");
                inventory.components.iter().filter(|one| selector.matches(one)).count()
            };
            let all = count(format!("{key}={values}")) + count(format!("{key}!={values}"));
            prop_assert_eq!(all, inventory.components.len());
            let _ = ComponentSelector::parse([text.as_str()]).map(|selector| selector.unknown_values(&inventory));
        }
    }
}
