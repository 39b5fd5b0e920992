//! A pattern of hosts, as an inventory has it: a name with `*` for any part, an address, or a range of addresses.
//! The search for hosts in a text belongs in `deny`.

use std::net::IpAddr;

use ipnet::IpNet;

use super::address::is_within;
use super::host::{LONGEST, canonical, is_host_character};

/// Maximum bits in which the addresses of a narrow network differ.
const CHANCE: u8 = 8;

/// A pattern of hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HostPattern {
    /// Names in canonical form, with `*` for any part.
    Names(String),
    /// Network of addresses.
    Network(IpNet),
}

impl HostPattern {
    /// Parses a pattern as written; `None` if it is none.
    pub(super) fn parse(pattern: &str) -> Option<Self> {
        let (address, bits) = match pattern.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (pattern, None),
        };
        if let Ok(address) = address.trim_matches(['[', ']']).parse::<IpAddr>() {
            let bits = bits.map(str::parse::<u8>).transpose().ok()?;
            let network = bits.map_or(Some(IpNet::from(address)), |bits| IpNet::new(address, bits).ok())?;
            // An IPv4 network in the form of IPv6.
            let short = network.prefix_len().checked_sub(96).filter(|_| address.is_ipv6());
            let mapped = short.and_then(|bits| IpNet::new(address.to_canonical(), bits).ok());
            return Some(Self::Network(mapped.filter(|net| net.addr().is_ipv4()).unwrap_or(network)));
        }
        let pattern = canonical(pattern);
        let good = |c: char| is_host_character(c) || c == '*' || !c.is_ascii();
        let is_name = !pattern.is_empty() && pattern.len() <= LONGEST && pattern.chars().all(good);
        (is_name && bits.is_none()).then_some(Self::Names(pattern))
    }

    /// Returns whether it is about so few addresses that a number is none of them by chance.
    pub(super) fn is_narrow(&self) -> bool {
        matches!(self, Self::Network(network) if network.max_prefix_len() - network.prefix_len() <= CHANCE)
    }

    /// Returns whether it matches a host in canonical form.
    pub(super) fn matches_host(&self, host: &str) -> bool {
        match self {
            Self::Names(pattern) => wildcard_match(pattern.as_bytes(), host.as_bytes()),
            Self::Network(network) => host.parse().is_ok_and(|host| is_within(host, *network)),
        }
    }
}

/// Returns whether a text is a valid host pattern: a name with `*` for any part, an address, or a range
/// of addresses.
#[must_use]
pub fn is_host_pattern(text: &str) -> bool {
    HostPattern::parse(text).is_some()
}

/// Returns whether a name matches a pattern in which `*` stands for any part, even an empty one.
fn wildcard_match(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut again: Option<(usize, usize)> = None;
    while from < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                again = Some((at, from));
                at += 1;
            }
            Some(byte) if *byte == name[from] => (at, from) = (at + 1, from + 1),
            _ => match &mut again {
                Some((star, taken)) => {
                    *taken += 1;
                    (at, from) = (*star + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn is_host_pattern_accepts_hosts_and_networks_only() {
        for good in ["a.b", "*", "a-*.b_c", "10.0.0.0/8", "::1", "2001:db8::/32", "1.2.3.4", "ünï.test."] {
            assert!(is_host_pattern(good), "{good}");
        }
        for bad in ["", "https://a.b", "a.b:80", "a b", "10.0.0.0/33", "::/129", "a/8", "user@a.b"] {
            assert!(!is_host_pattern(bad), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn wildcard_match_agrees_with_regex(pattern in "[ab*.]{0,8}", name in "[ab.]{0,10}") {
            let regex = regex::Regex::new(&format!("^{}$", regex::escape(&pattern).replace("\\*", ".*")));
            prop_assert_eq!(wildcard_match(pattern.as_bytes(), name.as_bytes()), regex.expect("is one").is_match(&name));
        }
    }
}
