//! The hosts of production, kept out of reach of a run whose network is open: their names lead to
//! an address to which nobody can connect. That is done in the table of hosts of each container,
//! where only whole names can stand. Of a pattern, those names stand there that are known: that the
//! inventory mentions, or the environment or the command of one of the run's units.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use crate::base::text::{join_and, plural};
use crate::model::guard::DenyList;
use crate::model::inventory::{Inventory, host_names};
use crate::ops::run_local::plan::RunPlan;

/// A connection there fails at once, whatever the network.
const NOWHERE: Ipv4Addr = Ipv4Addr::BROADCAST;
/// More patterns than this are counted and not named.
const NAMED: usize = 3;

/// Hosts that are out of reach.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Production {
    /// Whole names.
    names: BTreeSet<String>,
    /// Patterns that stand for other names, too.
    patterns: Vec<String>,
}

impl Production {
    /// Those that are known to a run. A value that names one may have been allowed; the host itself
    /// never is.
    pub(super) fn of(inventory: &Inventory, plan: &RunPlan) -> Self {
        let denied = DenyList::from(inventory);
        let mut production = Self { names: denied.literal_hosts().collect(), patterns: Vec::new() };
        let patterns = denied.rules().filter(|rule| rule.host().is_none());
        production.patterns.extend(patterns.map(|rule| rule.pattern.clone()));
        let environment = plan.units().flat_map(|unit| &unit.environment).map(|(_, value)| value.expose());
        let commands = plan.units().flat_map(|unit| unit.command.iter().flatten()).map(String::as_str);
        let of_units = environment.chain(commands).flat_map(host_names);
        for name in inventory.mentioned_hosts().chain(of_units) {
            let name = name.to_ascii_lowercase();
            if denied.denies(&name).is_some() {
                production.names.insert(name);
            }
        }
        // What the table of hosts holds are names.
        production.names.retain(|name| name.parse::<IpAddr>().is_err());
        production
    }

    /// What a container's table of hosts says of them. Those who ask for the other kind of address
    /// only must find one as well, or they would go on asking elsewhere.
    pub(super) fn hosts(&self) -> impl Iterator<Item = (String, IpAddr)> {
        let both = [IpAddr::from(NOWHERE), IpAddr::from(NOWHERE.to_ipv6_mapped())];
        self.names.iter().flat_map(move |name| both.map(|address| (name.clone(), address)))
    }

    /// What of this machine's reach is left, in words.
    pub(super) fn reach(&self) -> String {
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
        let some = |names: &[&str], patterns: &[&str]| Production {
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
        assert_eq!(hosts, ["a.org 255.255.255.255", "a.org ::ffff:255.255.255.255"]);
    }
}
