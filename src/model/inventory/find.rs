//! The search for the component or backing service that a user typed. Look-ups by exact name belong in `index`.

use super::{Component, Inventory};
use crate::base::text;

/// Prefix that makes a name that of a backing service. No component's name has a colon.
pub const SERVICE: &str = "service:";

/// A component or backing service that a user named.
#[derive(Debug, Clone, Copy)]
pub enum NamedEntry<'a> {
    /// A component.
    Component(&'a Component),
    /// A backing service, by its name.
    Service(&'a str),
}

/// Failed search: nothing, or more than one entry, matches.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// Nothing matches.
    #[error("there is no component{} `{}` in the inventory ({inventory})", if *with_services { " or backing service" } else { "" }, text::shown_name(query))]
    Unknown {
        /// Backing services were searched, too.
        with_services: bool,
        /// Text that the user typed.
        query: String,
        /// Label of the inventory.
        inventory: String,
        /// Nearest names.
        nearest: Vec<String>,
    },
    /// Several entries match.
    #[error("`{}` could be {}", text::shown_name(query), text::join_some(candidates.iter().map(|one| format!("`{one}`"))))]
    Ambiguous {
        /// Text that the user typed.
        query: String,
        /// References of the matches.
        candidates: Vec<String>,
    },
    /// A component is needed, and a backing service has the name.
    #[error("`{query}` is a backing service, not a component")]
    IsService {
        /// Text that the user typed.
        query: String,
        /// Text that names the service.
        service: String,
    },
    /// There is no such backing service.
    #[error("there is no backing service `{}`", text::shown_name(query))]
    UnknownService {
        /// Name without the prefix.
        query: String,
        /// Texts that name the nearest ones.
        nearest: Vec<String>,
    },
}

impl Inventory {
    /// Finds a component by `category/name`, by name, or by an unambiguous part of the name.
    ///
    /// # Errors
    /// Fails when no component or several match.
    pub fn find<'a>(&'a self, query: &str) -> Result<&'a Component, LookupError> {
        let typed = query.trim().trim_matches('/');
        match self.by_name(query, typed)?.map_or_else(|| self.by_part(query, typed), |one| Ok(Some(one)))? {
            Some(component) => Ok(component),
            None => Err(match self.service(query)? {
                Some(service) => {
                    LookupError::IsService { query: query.to_owned(), service: self.service_query(service) }
                }
                None => self.unknown(false, query, self.nearest(typed)),
            }),
        }
    }

    /// Finds a component like [`Self::find`], or a backing service by its name. Of equal names, the component's
    /// comes first, and `service:NAME` is always the service. A whole name comes before a part of one.
    ///
    /// # Errors
    /// Fails when nothing or several entries match.
    pub fn find_entry<'a>(&'a self, query: &str) -> Result<NamedEntry<'a>, LookupError> {
        let typed = query.trim().trim_matches('/');
        if let Some(component) = self.by_name(query, typed)? {
            return Ok(NamedEntry::Component(component));
        }
        if let Some(service) = self.service(query)? {
            return Ok(NamedEntry::Service(service));
        }
        if let Some(component) = self.by_part(query, typed)? {
            return Ok(NamedEntry::Component(component));
        }
        let mut nearest = self.nearest(typed);
        let services = text::nearest(typed, self.backing_services.iter().map(String::as_str));
        nearest.extend(services.into_iter().map(|name| self.service_query(name)));
        nearest.dedup();
        Err(self.unknown(true, query, nearest))
    }

    /// Returns the text by which a user names a backing service: its name, unless a component has it, too.
    #[must_use]
    pub fn service_query(&self, service: &str) -> String {
        match self.index.named(&self.components, service).next() {
            Some(_) => format!("{SERVICE}{service}"),
            None => service.to_owned(),
        }
    }

    /// Returns the text that names the backing service that has the name of a component, if there is one.
    #[must_use]
    pub fn service_of(&self, component: &Component) -> Option<String> {
        let name = component.name();
        self.backing_services.iter().any(|service| service == name).then(|| self.service_query(name))
    }

    fn unknown(&self, with_services: bool, query: &str, nearest: Vec<String>) -> LookupError {
        LookupError::Unknown { with_services, query: query.to_owned(), inventory: self.label(), nearest }
    }

    /// Finds a component by its reference or its whole name.
    fn by_name<'a>(&'a self, query: &str, typed: &str) -> Result<Option<&'a Component>, LookupError> {
        if let Some((category, name)) = typed.split_once('/')
            && let Some(at) = self.index.reference(&self.components, category, name)
        {
            return Ok(Some(&self.components[at]));
        }
        let named: Vec<&Component> = self.index.named(&self.components, typed).collect();
        let same: Vec<&Component> =
            named.iter().copied().filter(|one| one.name().eq_ignore_ascii_case(typed)).collect();
        only(query, if same.is_empty() { &named } else { &same })
    }

    /// Finds a component by a part of its reference.
    fn by_part<'a>(&'a self, query: &str, typed: &str) -> Result<Option<&'a Component>, LookupError> {
        match typed.to_lowercase() {
            part if part.is_empty() => Ok(None),
            part => only(query, &self.index.holding(&self.components, &part)),
        }
    }

    /// Finds a backing service by its whole name: alone, as `service:NAME`, or in the form of the labels of what
    /// runs, `services/NAME`.
    ///
    /// # Errors
    /// Fails when `service:NAME` names none.
    fn service(&self, query: &str) -> Result<Option<&str>, LookupError> {
        let typed = query.trim();
        let names = || self.backing_services.iter().map(String::as_str);
        let find = |name: &str| {
            names().find(|one| *one == name).or_else(|| names().find(|one| one.eq_ignore_ascii_case(name)))
        };
        match typed.strip_prefix(SERVICE) {
            Some(name) => find(name).map(Some).ok_or_else(|| {
                let nearest = text::nearest(name, names());
                let nearest = nearest.into_iter().map(|one| format!("{SERVICE}{one}")).collect();
                LookupError::UnknownService { query: name.to_owned(), nearest }
            }),
            None => {
                let name = typed.strip_prefix("services/").or_else(|| typed.strip_prefix("service/"));
                Ok(find(name.unwrap_or(typed)))
            }
        }
    }
}

/// Returns the only match, if there is one.
fn only<'a>(query: &str, found: &[&'a Component]) -> Result<Option<&'a Component>, LookupError> {
    match found {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        many => Err(LookupError::Ambiguous {
            query: query.to_owned(),
            candidates: many.iter().map(|c| c.reference.to_string()).collect(),
        }),
    }
}
