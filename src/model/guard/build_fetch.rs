//! Steps of a build file by which the engine itself fetches something (`ADD https://…`): neither the network of the
//! build nor its hosts file holds for them. What the commands of a build reach is decided by its network.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::address::{embedded, ipv4_readings};
use super::deny::DenyList;
use super::host::canonical;
use crate::model::scan::{build_pairs, expand_build_values, instructions_of};

/// A step that must not be run, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedFetch {
    /// The address, as far as it is known.
    pub address: String,
    /// The reason, as the end of a sentence.
    pub why: String,
}

/// Limits of what an engine may fetch for a build.
#[derive(Debug, Clone, Copy)]
pub struct FetchLimits<'a> {
    /// The build is closed: it fetches nothing.
    pub closed: bool,
    /// Names of this machine inside containers.
    pub own_names: &'a [&'a str],
    /// Hosts of production.
    pub denied: &'a DenyList,
}

impl FetchLimits<'_> {
    /// Returns the first address in the `ADD` instructions of a build file that breaks the limits. `args` are the
    /// values of its build arguments. Redirects of a server are not known here.
    #[must_use]
    pub fn broken_by(&self, text: &str, args: &BTreeMap<String, String>) -> Option<RefusedFetch> {
        let mut known: BTreeMap<String, String> = BTreeMap::new();
        for (keyword, rest) in instructions_of(text) {
            let rest = rest.replace("\\\n", " ");
            match keyword.as_str() {
                "ARG" | "ENV" => {
                    for (name, value) in build_pairs(&rest) {
                        let value = args.get(&name).filter(|_| keyword == "ARG").cloned().unwrap_or(value);
                        let value = expand_build_values(&value, &known);
                        known.insert(name, value);
                    }
                }
                "ADD" => {
                    let refused = sources(&rest)
                        .into_iter()
                        .find_map(|source| self.check(&expand_build_values(&source, &known)));
                    if refused.is_some() {
                        return refused;
                    }
                }
                _ => {}
            }
        }
        None
    }

    fn check(&self, source: &str) -> Option<RefusedFetch> {
        let lower = source.to_ascii_lowercase();
        let after = lower.split_once("://").map(|(_, rest)| rest);
        let is_address = after.is_some() || lower.starts_with("git@");
        let is_unknown = lower.starts_with('$') || is_address && lower.contains('$');
        let refused = |why: String| Some(RefusedFetch { address: source.to_owned(), why });
        if !is_address && !is_unknown {
            return None;
        }
        if self.closed {
            return refused("`build.network` is `none`".to_owned());
        }
        if is_unknown {
            return refused("only the engine knows what it stands for".to_owned());
        }
        if let Some(rule) = self.denied.names_production(source) {
            return refused(format!("that is a host of production ({})", rule.place()));
        }
        let authority = after.unwrap_or_default().split(['/', '?', '#', '\\']).next().unwrap_or_default();
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let host = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
            Some((address, _)) => address,
            None => host.split(':').next().unwrap_or_default(),
        };
        is_of_this_machine(&canonical(host), self.own_names)
            .then(|| refused("that is this machine".to_owned()))
            .flatten()
    }
}

/// Returns whether a host is this machine, in any spelling that an engine may read as one of its addresses.
fn is_of_this_machine(host: &str, own_names: &[&str]) -> bool {
    let is_own =
        |address: Ipv4Addr| address.is_loopback() || address.is_unspecified() || address.is_link_local();
    if let Ok(address) = host.parse::<Ipv6Addr>() {
        let is_own_v6 = address.is_loopback() || address.is_unspecified() || address.is_unicast_link_local();
        return is_own_v6 || embedded(address).into_iter().any(is_own);
    }
    let is_name = host == "localhost" || host.ends_with(".localhost") || own_names.contains(&host);
    is_name || ipv4_readings(host, true).into_iter().any(is_own)
}

/// Returns the sources of an `ADD` instruction: all words but options and the last one.
fn sources(rest: &str) -> Vec<String> {
    let words = serde_json::from_str::<Vec<String>>(rest.trim())
        .unwrap_or_else(|_| rest.split_whitespace().map(|word| word.replace(['"', '\''], "")).collect());
    let mut words: Vec<String> = words.into_iter().filter(|word| !word.starts_with("--")).collect();
    words.pop();
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::inventory::{Inventory, InventoryDocument};

    fn refused(text: &str, closed: bool) -> Option<String> {
        let head = "production: {hosts: [prod.example]}\n";
        let head = InventoryDocument { file: "i.yaml".into(), text: head.into(), reference: None };
        let inventory = Inventory::read("here", vec![head]).expect("reads");
        let denied = DenyList::from(&inventory);
        let limits = FetchLimits { closed, own_names: &["host.docker.internal"], denied: &denied };
        let args = BTreeMap::from([("MIRROR".to_owned(), "http://127.1".to_owned())]);
        limits.broken_by(text, &args).map(|refused| format!("{}: {}", refused.address, refused.why))
    }

    #[test]
    fn build_fetch_finds_addresses_in_every_form() {
        for text in [
            "ADD http://a.example/x /x",
            "ADD --checksum=sha256:0 \\\n  HTTPS://a.example/x /x",
            "add [\"https://a.example/a b\", \"/x\"]",
            "ARG U=https://a.example\nADD $U/x /x",
            "ENV U https://a.example\nADD ${U}/x /x",
            "ADD git@a.example:b.git /x",
            "ADD $UNKNOWN /x",
            "ADD a b ssh://a.example/b /x",
        ] {
            assert!(refused(&format!("FROM x\n{text}\n"), true).is_some(), "{text}");
        }
        for text in [
            "ADD a.tar /x",
            "ADD . https://x",
            "COPY http: /x",
            "RUN curl https://a.example",
            "# ADD http://a /x",
        ] {
            assert_eq!(refused(&format!("FROM x\n{text}\n"), true), None, "{text}");
        }
    }

    #[test]
    fn build_fetch_of_open_builds_refuses_this_machine_and_production() {
        for host in [
            "127.0.0.1:8080",
            "localhost",
            "LOCALHOST",
            "a.localhost",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "0.0.0.0",
            "2130706433",
            "169.254.169.254",
            "u:p@127.0.0.1",
            "host.docker.internal",
            "prod.example",
            "PROD.example.",
            "a@prod.example:1",
        ] {
            assert!(refused(&format!("ADD http://{host}/x /x\n"), false).is_some(), "{host}");
        }
        assert!(refused("ARG MIRROR=https://a.example\nADD $MIRROR/x /x\n", false).is_some());
        assert!(refused("ADD https://$WHO.example/x /x\n", false).is_some());
        for host in ["a.example", "10.1.2.3", "[2001:db8::1]:8080"] {
            assert_eq!(refused(&format!("ADD http://{host}/x /x\n"), false), None, "{host}");
        }
    }
}
