//! Other components that a variable names: `AD_SERVICE_ADDR` is the address of `ad`. Where such a component runs is up to
//! the run.

use super::write::DraftedComponent;

/// Endings of variables that hold the address of another component, or a part of one; longer ones come first.
const ENDINGS: [(&str, AddressPart); 12] = [
    ("_ADDRESS", AddressPart::HostAndPort),
    ("_ADDR", AddressPart::HostAndPort),
    ("_ENDPOINT", AddressPart::HostAndPort),
    ("_HOSTNAME", AddressPart::Host),
    ("_HOST", AddressPart::Host),
    ("_PORT", AddressPart::Port),
    ("_BASE_URL", AddressPart::Url),
    ("_URL", AddressPart::Url),
    ("_BASE_URI", AddressPart::Url),
    ("_URI", AddressPart::Url),
    ("_SERVER", AddressPart::HostAndPort),
    ("_TARGET", AddressPart::HostAndPort),
];

/// Part of an address that a variable holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AddressPart {
    Host,
    Port,
    HostAndPort,
    Url,
}

/// A component that others may name in their variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressOwner {
    /// Name.
    pub name: String,
    /// Its port, if it has one only.
    pub port: Option<u16>,
    /// Its port speaks HTTP.
    pub is_http: bool,
}

impl AddressOwner {
    /// Returns a drafted component as an owner.
    #[must_use]
    pub fn of(component: &DraftedComponent) -> Self {
        let port = match component.ports.as_slice() {
            [only] => Some(*only),
            _ => None,
        };
        let (number, is_http) = (port.map(|port| port.number), port.is_some_and(|port| port.is_http));
        Self { name: component.name.clone(), port: number, is_http }
    }

    /// Returns the owner whose address a variable holds, and its value in a run, as far as that is known.
    #[must_use]
    pub fn named_by<'a>(variable: &str, owners: &'a [Self]) -> Option<(&'a Self, Option<String>)> {
        let upper = variable.to_ascii_uppercase();
        let (stem, part) =
            ENDINGS.iter().find_map(|(ending, part)| Some((upper.strip_suffix(ending)?, *part)))?;
        let (name, short) = (plain(stem), plain(stem.strip_suffix("_SERVICE").unwrap_or(stem)));
        // A whole name comes before one without `service`.
        let is_called = |wanted: &str, one: &Self| !wanted.is_empty() && plain(&one.name) == *wanted;
        let without = |one: &Self| plain(&one.name).strip_suffix("service") == Some(short.as_str());
        let found = owners
            .iter()
            .find(|one| is_called(&name, one))
            .or_else(|| owners.iter().find(|one| is_called(&short, one)))
            .or_else(|| owners.iter().find(|one| !short.is_empty() && without(one)))?;
        Some((found, part.value(found)))
    }
}

/// Returns whether a variable holds a port, and no other one holds the rest of its address: it may as well be the port on
/// which the component itself listens.
#[must_use]
pub fn is_port_alone<'a>(variable: &str, others: impl IntoIterator<Item = &'a str>) -> bool {
    let split = |name: &str| {
        let upper = name.to_ascii_uppercase();
        ENDINGS.iter().find_map(|(ending, part)| Some((upper.strip_suffix(ending)?.to_owned(), *part)))
    };
    match split(variable) {
        Some((stem, AddressPart::Port)) => !others
            .into_iter()
            .filter_map(split)
            .any(|(other, part)| other == stem && part != AddressPart::Port),
        _ => false,
    }
}

impl AddressPart {
    fn value(self, of: &AddressOwner) -> Option<String> {
        let AddressOwner { name, port, is_http } = of;
        match self {
            Self::Host => Some(name.clone()),
            Self::Port => port.map(|port| port.to_string()),
            Self::HostAndPort => port.map(|port| format!("{name}:{port}")),
            Self::Url => port.filter(|_| *is_http).map(|port| format!("http://{name}:{port}")),
        }
    }
}

/// Returns a name in a form in which those that differ in case and separators only are equal.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|one| one.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_names_a_component_only_together_with_its_host() {
        for (others, is_alone) in [
            (&["FLOWER_PORT", "FLOWER_USER", "WEB_HOST"][..], true),
            (&["FLOWER_PORT", "FLOWER_HOST"], false),
            (&["flower_url"], false),
            (&[], true),
        ] {
            assert_eq!(is_port_alone("FLOWER_PORT", others.iter().copied()), is_alone, "{others:?}");
        }
        assert!(!is_port_alone("FLOWER_HOST", []));
    }

    #[test]
    fn variables_name_owners_by_their_names() {
        let owner = |name: &str, port| AddressOwner { name: name.to_owned(), port, is_http: name == "ad" };
        let all = [owner("ad", Some(9555)), owner("product-catalog", None), owner("cartservice", Some(70))];
        let named = |variable: &str| {
            let (found, value) = AddressOwner::named_by(variable, &all)?;
            Some(format!("{} {}", found.name, value.unwrap_or_default()))
        };
        for (variable, expected) in [
            ("AD_SERVICE_ADDR", Some("ad ad:9555")),
            ("AD_ADDR", Some("ad ad:9555")),
            ("AD_PORT", Some("ad 9555")),
            ("AD_SERVICE_HOST", Some("ad ad")),
            ("AD_URL", Some("ad http://ad:9555")),
            ("PRODUCT_CATALOG_SERVICE_ADDR", Some("product-catalog ")),
            ("CART_SERVICE_ADDR", Some("cartservice cartservice:70")),
            ("CART_URL", Some("cartservice ")),
            ("CART_HOST", Some("cartservice cartservice")),
            ("LOAD_ADDR", None),
            ("SERVICE_ADDR", None),
            ("_HOST", None),
            ("AD", None),
            ("ADDR", None),
        ] {
            assert_eq!(named(variable).as_deref(), expected, "{variable}");
        }
    }
}
