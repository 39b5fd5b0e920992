//! Blocks the hosts of production in a run or a build whose network is open: their names lead to an
//! address to which nobody can connect. The hosts file of each container does that. It can hold only
//! whole names, so it has every spelling of each. For a pattern, it has the known names: those in the
//! inventory, in the environment or the command of one of the run's units, or in the build file.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use crate::base::text::{join_and, plural};
use crate::model::guard::DenyList;
use crate::model::inventory::Inventory;

/// An address where a connection fails at once, on any network.
const NOWHERE: Ipv4Addr = Ipv4Addr::BROADCAST;
/// Maximum number of patterns to name in a message; the rest are counted.
const NAMED: usize = 3;

/// The names of this machine in containers.
pub const OWN_NAMES: [&str; 4] =
    ["host.docker.internal", "gateway.docker.internal", "host.containers.internal", "host.lima.internal"];

/// Returns the hosts file's entries that block a name.
fn blocked(name: &str) -> [(String, IpAddr); 2] {
    let both = [IpAddr::from(NOWHERE), IpAddr::from(NOWHERE.to_ipv6_mapped())];
    both.map(|address| (name.to_owned(), address))
}

/// The blocked hosts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockedHosts {
    /// Whole names.
    names: BTreeSet<String>,
    /// Patterns that stand for other names, too.
    patterns: Vec<String>,
}

impl BlockedHosts {
    /// Returns the hosts that occur in texts. An allowed value may name a host; the host itself stays
    /// blocked.
    #[must_use]
    pub fn of<'a>(inventory: &'a Inventory, texts: impl IntoIterator<Item = &'a str>) -> Self {
        let denied = DenyList::from(inventory);
        let mut production = Self { names: denied.literal_hosts().collect(), patterns: Vec::new() };
        let patterns = denied.rules().filter(|rule| rule.host().is_none());
        production.patterns.extend(patterns.map(|rule| rule.pattern.clone()));
        for text in inventory.mentioned_hosts().chain(texts) {
            production.names.extend(denied.named_in(text));
        }
        // A hosts file holds names only.
        production.names.retain(|name| name.parse::<IpAddr>().is_err());
        production
    }

    /// Returns the entries for a container's hosts file. Each name has an address of either family, since
    /// a program that asks for the missing family would go on to ask a name server.
    pub fn hosts(&self) -> impl Iterator<Item = (String, IpAddr)> {
        self.spellings().flat_map(|name| blocked(&name))
    }

    /// Returns the same entries for a build, in which the names of this machine are blocked too.
    pub fn hosts_of_build(&self) -> impl Iterator<Item = (String, IpAddr)> {
        let own = OWN_NAMES.iter().map(|name| (*name).to_owned());
        self.spellings().chain(own).flat_map(|name| blocked(&name))
    }

    /// Returns every spelling of every name.
    pub fn spellings(&self) -> impl Iterator<Item = String> {
        self.names.iter().flat_map(|name| DenyList::spellings(name))
    }

    /// Describes the hosts that are still reachable.
    #[must_use]
    pub fn reach(&self) -> String {
        let mut words = "everything that this machine reaches".to_owned();
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
    fn reach_describes_blocked_hosts() {
        let some = |names: &[&str], patterns: &[&str]| BlockedHosts {
            names: names.iter().map(|one| (*one).to_owned()).collect(),
            patterns: patterns.iter().map(|one| (*one).to_owned()).collect(),
        };
        assert_eq!(some(&[], &[]).reach(), "everything that this machine reaches");
        assert_eq!(
            some(&["a.org"], &[]).reach(),
            "everything that this machine reaches except 1 known host of production"
        );
        assert_eq!(
            some(&["a.org", "b.org"], &["*.a.org"]).reach(),
            "everything that this machine reaches except 2 known hosts of production; other hosts of `*.a.org` are in reach"
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
