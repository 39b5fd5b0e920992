//! The hosts of production, kept out of reach of a run or a build whose network is open: their names
//! lead to an address to which nobody can connect. That is done in the table of hosts of each
//! container, where only whole names can stand, each in all the spellings that are asked for. Of a
//! pattern, those names stand there that are known: that the inventory mentions, or the environment or
//! the command of one of the run's units, or the build file.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use crate::base::text::{join_and, plural};
use crate::model::guard::DenyList;
use crate::model::inventory::Inventory;

/// A connection there fails at once, whatever the network.
const NOWHERE: Ipv4Addr = Ipv4Addr::BROADCAST;
/// More patterns than this are counted and not named.
const NAMED: usize = 3;

/// By these names engines know this machine.
const OWN_NAMES: [&str; 4] =
    ["host.docker.internal", "gateway.docker.internal", "host.containers.internal", "host.lima.internal"];

/// The addresses of a name that leads nowhere.
fn blocked(name: &str) -> [(String, IpAddr); 2] {
    let both = [IpAddr::from(NOWHERE), IpAddr::from(NOWHERE.to_ipv6_mapped())];
    both.map(|address| (name.to_owned(), address))
}

/// Hosts that are out of reach.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockedHosts {
    /// Whole names.
    names: BTreeSet<String>,
    /// Patterns that stand for other names, too.
    patterns: Vec<String>,
}

impl BlockedHosts {
    /// Those that are known from texts. A value that names one may have been allowed; the host itself
    /// never is.
    #[must_use]
    pub fn of<'a>(inventory: &'a Inventory, texts: impl IntoIterator<Item = &'a str>) -> Self {
        let denied = DenyList::from(inventory);
        let mut production = Self { names: denied.literal_hosts().collect(), patterns: Vec::new() };
        let patterns = denied.rules().filter(|rule| rule.host().is_none());
        production.patterns.extend(patterns.map(|rule| rule.pattern.clone()));
        for text in inventory.mentioned_hosts().chain(texts) {
            production.names.extend(denied.named_in(text));
        }
        // What the table of hosts holds are names.
        production.names.retain(|name| name.parse::<IpAddr>().is_err());
        production
    }

    /// What a container's table of hosts says of them. Those who ask for the other kind of address
    /// only must find one as well, or they would go on asking elsewhere.
    pub fn hosts(&self) -> impl Iterator<Item = (String, IpAddr)> {
        self.spellings().flat_map(|name| blocked(&name))
    }

    /// The same for a build, in which this machine has no name either.
    pub fn hosts_of_build(&self) -> impl Iterator<Item = (String, IpAddr)> {
        let own = OWN_NAMES.iter().map(|name| (*name).to_owned());
        self.spellings().chain(own).flat_map(|name| blocked(&name))
    }

    /// Every spelling of every name.
    pub fn spellings(&self) -> impl Iterator<Item = String> {
        self.names.iter().flat_map(|name| DenyList::spellings(name))
    }

    /// What of this machine's reach is left, in words.
    #[must_use]
    pub fn reach(&self) -> String {
        let mut words = "whatever this machine reaches".to_owned();
        if !self.names.is_empty() {
            words = format!("{words} except {} of production", plural(self.names.len(), "known host"));
        }
        if !self.patterns.is_empty() {
            let which = if self.patterns.len() > NAMED {
                format!("{} patterns", self.patterns.len())
            } else {
                join_and(&self.patterns.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>())
            };
            words = format!("{words}; other hosts of {which} are in reach");
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_reach_is_said() {
        let some = |names: &[&str], patterns: &[&str]| BlockedHosts {
            names: names.iter().map(|one| (*one).to_owned()).collect(),
            patterns: patterns.iter().map(|one| (*one).to_owned()).collect(),
        };
        assert_eq!(some(&[], &[]).reach(), "whatever this machine reaches");
        assert_eq!(
            some(&["a.org"], &[]).reach(),
            "whatever this machine reaches except 1 known host of production"
        );
        assert_eq!(
            some(&["a.org", "b.org"], &["*.a.org"]).reach(),
            "whatever this machine reaches except 2 known hosts of production; other hosts of `*.a.org` are in reach"
        );
        let hosts: Vec<String> =
            some(&["a.org"], &[]).hosts().map(|(name, address)| format!("{name} {address}")).collect();
        assert_eq!(
            hosts,
            [
                "a.org 255.255.255.255",
                "a.org ::ffff:255.255.255.255",
                "a.org. 255.255.255.255",
                "a.org. ::ffff:255.255.255.255"
            ]
        );
        assert!(some(&[], &[]).hosts_of_build().any(|(name, _)| name == "host.docker.internal"));
    }
}
