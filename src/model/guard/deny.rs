//! Hosts of production, from the inventory, and the search for them in a text. Single patterns
//! belong in `host_pattern`, the parsing of hosts in `host`, the decoding of texts in `decodings`.

use std::collections::HashMap;

use super::decodings::decoded_variants;
use super::host::{NumberMeaning, ascii, canonical, hosts, short_address};
use super::host_pattern::HostPattern;
use crate::model::inventory::{Inventory, SourceMap};
use crate::model::reference::Reference;

/// One host pattern of the inventory.
#[derive(Debug, Clone)]
pub struct DenyRule {
    /// The pattern as written.
    pub pattern: String,
    /// Entry that contains the pattern; `None` for `production.hosts`.
    pub entry: Option<Reference>,
    matches: HostPattern,
    source_map: SourceMap,
    path: String,
}

impl DenyRule {
    /// Returns `file:line` of the pattern.
    #[must_use]
    pub fn place(&self) -> String {
        self.source_map.place(&self.path)
    }

    /// Returns whether the pattern matches this host: a name without port, or an address.
    #[must_use]
    pub fn is_about(&self, host: &str) -> bool {
        self.matches.matches_host(&canonical(host))
    }

    /// Returns the host, if the pattern matches a single one.
    #[must_use]
    pub fn host(&self) -> Option<String> {
        match &self.matches {
            HostPattern::Names(name) => (!name.contains('*')).then(|| name.clone()),
            HostPattern::Network(network) => {
                (network.prefix_len() == network.max_prefix_len()).then(|| network.addr().to_string())
            }
        }
    }
}

/// Hosts that no value of a local run may name: `production.hosts`, and the hosts of entries in
/// production categories.
#[derive(Debug, Clone, Default)]
pub struct DenyList {
    rules: Vec<DenyRule>,
    /// First rule of each literal name.
    names: HashMap<String, usize>,
    /// First rule of each suffix, for patterns whose only `*` is at the beginning.
    ends: HashMap<String, usize>,
    /// Rules to try one by one.
    others: Vec<usize>,
}

impl From<&Inventory> for DenyList {
    fn from(inventory: &Inventory) -> Self {
        let rule = |pattern: &String, entry: Option<&Reference>, written: &SourceMap, path: String| {
            let matches = HostPattern::parse(pattern)?;
            let (pattern, written) = (pattern.clone(), written.clone());
            Some(DenyRule { pattern, entry: entry.cloned(), matches, source_map: written, path })
        };
        let head = inventory.production.hosts.iter().enumerate().filter_map(|(index, pattern)| {
            rule(pattern, None, &inventory.source_map, format!("production.hosts.{index}"))
        });
        let entries = inventory.components.iter().filter(|component| {
            let category = &component.reference.category;
            inventory.category(category).is_some_and(super::super::inventory::Category::is_production)
        });
        let entries = entries.flat_map(|component| {
            component.hosts.iter().enumerate().filter_map(move |(index, pattern)| {
                rule(pattern, Some(&component.reference), &component.source_map, format!("hosts.{index}"))
            })
        });
        let mut list = Self { rules: head.chain(entries).collect(), ..Self::default() };
        for (at, rule) in list.rules.iter().enumerate() {
            let first = |map: &mut HashMap<String, usize>, name: &str| {
                map.entry(name.to_owned()).or_insert(at);
            };
            match &rule.matches {
                HostPattern::Names(name) if !name.contains('*') => first(&mut list.names, name),
                HostPattern::Names(name) if name.rfind('*') == Some(0) => first(&mut list.ends, &name[1..]),
                _ => list.others.push(at),
            }
        }
        list
    }
}

impl DenyList {
    /// Returns all rules.
    pub fn rules(&self) -> impl Iterator<Item = &DenyRule> {
        self.rules.iter()
    }

    /// Returns the rule that matches a host: a name without port, or an address.
    #[must_use]
    pub fn denies(&self, host: &str) -> Option<&DenyRule> {
        self.matching(&canonical(host))
    }

    /// Returns all spellings of a name that a hosts file needs so that no resolver is asked: as sent to
    /// DNS and in Unicode, with and without the final dot.
    #[must_use]
    pub fn spellings(host: &str) -> Vec<String> {
        let name = canonical(host);
        let mut all: Vec<String> = ascii(&name).into_iter().chain([name]).collect();
        all.dedup();
        let dotted: Vec<String> = all.iter().map(|name| format!("{name}.")).collect();
        all.extend(dotted);
        all
    }

    /// Returns the hosts that are written out, without `*` or a range.
    pub fn literal_hosts(&self) -> impl Iterator<Item = String> {
        self.rules.iter().filter_map(DenyRule::host)
    }

    /// Returns the rule about a host that a text names: alone, in an address, in a list, in JSON, or
    /// encoded.
    #[must_use]
    pub fn names_production(&self, text: &str) -> Option<&DenyRule> {
        self.find(text, NumberMeaning::Unknown).map(|(_, rule)| rule)
    }

    /// Returns the host and its rule like [`Self::names_production`], with a meaning of numbers in the text.
    #[must_use]
    pub fn find(&self, text: &str, numbers: NumberMeaning) -> Option<(String, &DenyRule)> {
        if self.rules.is_empty() {
            return None;
        }
        let views = decoded_variants(text);
        let named = views.iter().find_map(|view| {
            hosts(view, numbers == NumberMeaning::Address).into_iter().find_map(|host| {
                let rule = self.matching(&host)?;
                Some((host, rule))
            })
        });
        let short =
            || views.iter().find_map(|view| self.short(view)).filter(|_| numbers == NumberMeaning::Unknown);
        named.or_else(short)
    }

    /// Returns the address that a whole value in a short form stands for, and its rule. A value that may be a version
    /// or a count is compared with rules about few addresses alone.
    fn short(&self, value: &str) -> Option<(String, &DenyRule)> {
        let (addresses, is_number) = short_address(value);
        addresses.iter().find_map(|address| {
            let address = address.to_string();
            let mut rules = self.others.iter().map(|at| &self.rules[*at].matches);
            let rule = self.matching(&address)?;
            let is_meant = !is_number || rules.any(|rule| rule.is_narrow() && rule.matches_host(&address));
            is_meant.then_some((address, rule))
        })
    }

    /// Returns the hosts of production that a text names.
    #[must_use]
    pub fn named_in(&self, text: &str) -> Vec<String> {
        let all = decoded_variants(text).iter().flat_map(|view| hosts(view, false)).collect::<Vec<_>>();
        all.into_iter().filter(|host| self.matching(host).is_some()).collect()
    }

    /// Returns the first rule about a host in canonical form.
    fn matching(&self, host: &str) -> Option<&DenyRule> {
        let whole = self.names.get(host);
        let ends = host.char_indices().map(|(at, _)| at).chain([host.len()]);
        let by_end = ends.filter_map(|at| self.ends.get(&host[at..])).min();
        let other = self.others.iter().find(|at| self.rules[**at].matches.matches_host(host));
        [whole, by_end, other].into_iter().flatten().min().map(|at| &self.rules[*at])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::inventory::InventoryDocument;
    use base64::Engine as _;
    use proptest::prelude::*;

    const SAMPLE: &str = "\
categories: [{id: cloud, production: true}, {id: external, production: false}]
production:
  hosts: [gitlab.com, '*.example.org', 10.0.0.0/8, '2001:db8::/32', 192.0.2.7]
components:
  - {name: bus, category: cloud, hosts: [Bus.Test, 'mq-*.test']}
  - {name: free, category: external, hosts: [free.test]}
  - name: vpn
    category: infrastructure
    hosts:
      - vpn.test
";

    fn list() -> DenyList {
        let head = InventoryDocument { file: "i.yaml".into(), text: SAMPLE.into(), reference: None };
        let inventory = Inventory::read("here", vec![head]).expect("reads");
        assert_eq!(inventory.findings(9), []);
        DenyList::from(&inventory)
    }

    /// Returns texts that contain the host.
    fn around(host: &str) -> Vec<String> {
        let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        vec![
            host.to_owned(),
            host.to_uppercase(),
            format!("{host}."),
            format!("{host}:5672"),
            format!("https://{host}/a/b?c=d#e"),
            format!("amqps://user:pa%40ss@{host}:5671/%2F"),
            format!("me@{host}"),
            format!("localhost, {host},other"),
            format!("localhost {host} other"),
            format!("{{\"{host}\": \"GITLAB_TOKEN\"}}"),
            format!("{{\"a\": \"{{\\\"url\\\": \\\"http:\\\\/\\\\/{host}\\\"}}\"}}"),
            format!("servers:\n- {{host: '{host}', port: 1}}\n"),
            format!("http%3A%2F%2F{}%2Fx", host.replace('.', "%2e")),
            encode(&format!("amqp://a:b@{host}:5672/")),
            encode(&encode(&format!("http://{host}/"))),
            format!("https://{host}|key|secret|bucket|prefix/"),
            format!("-h{host}"),
            format!("--server={host}"),
            host.replace('.', "&period;"),
            host.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":"),
            format!("{:?}", format!("tcp://{host}").as_bytes()),
        ]
    }

    #[test]
    fn deny_list_finds_host_in_any_context() {
        let list = list();
        for host in
            ["gitlab.com", "a.b.example.org", "10.1.2.3", "192.0.2.7", "bus.test", "mq-1.test", "vpn.test"]
        {
            for text in around(host) {
                let (found, _) = list.find(&text, NumberMeaning::Unknown).unwrap_or_else(|| panic!("{text}"));
                assert_eq!(found, host, "{text}");
            }
        }
        for text in [
            "2001:db8::1",
            "[2001:DB8:0::7]:5672",
            "amqp://u:p@[2001:db8::1]:5672/",
            "host:2001:db8::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(list.names_production(text).is_some(), "{text}");
        }
    }

    #[test]
    fn deny_list_finds_alternative_spellings() {
        let list = list();
        for text in [
            "https://ｇｉｔｌａｂ．ｃｏｍ／x",
            "https：／／gitlab。com",
            "git\u{ad}lab.com",
            "http://git\u{200b}lab.com.:443/",
            "https://git\tlab\n.com/",
            "GİTLAB.com a.b.EXAMPLE.org",
            "gitlab\\x2ecom",
            "http://0x0a.1/",
            "http://167838211:80",
            "amqp://me@10.66051",
            "[::ffff:a01:203]",
            "http://[64:ff9b::10.1.2.3%25eth0]/",
            "2002:a01:203::",
            "«gitlab.com»",
            "name=xn--gitlab-.com,x.xn--bcher-kva.example.org",
            "https&colon;&sol;&sol;gitlab&period;com",
            "gitlab&amp;period;com",
            "67:69:74:6c:61:62:2e:63:6f:6d",
            "62 75 73 2e 74 65 73 74",
            "YnVzLnRlc3Q=",
            "192.519",
            "0300.0.2.7",
            "0xC0.519",
            "3221225991",
            "10.66051",
        ] {
            assert!(list.names_production(text).is_some(), "{text}");
        }
        let text = "production: {hosts: ['bücher.test', 'xn--mnchen-3ya.test', '::ffff:10.2.0.0/112', '*.ÉCOLE.test']}";
        let head = InventoryDocument { file: "i.yaml".into(), text: text.into(), reference: None };
        let list = DenyList::from(&Inventory::read("here", vec![head]).expect("reads"));
        for text in [
            "xn--bcher-kva.test",
            "https://BU\u{308}CHER.test/",
            "münchen.test",
            "10.2.3.4",
            "a.école.test",
            "a.xn--cole-9oa.test",
        ] {
            assert!(list.names_production(text).is_some(), "{text}");
        }
        assert_eq!(
            DenyList::spellings("Bücher.test."),
            ["xn--bcher-kva.test", "bücher.test", "xn--bcher-kva.test.", "bücher.test."]
        );
        assert_eq!(DenyList::spellings("a.test"), ["a.test", "a.test."]);
    }

    #[test]
    fn deny_list_accepts_other_hosts() {
        let list = list();
        for host in [
            "gitlab.company.test",
            "mygitlab.com",
            "gitlab.com.evil.test",
            "example.org",
            "notexample.org.evil",
            "11.1.2.3",
            "192.0.2.70",
            "free.test",
            "bus",
            "localhost",
        ] {
            for text in around(host) {
                assert_eq!(list.find(&text, NumberMeaning::Unknown).map(|(host, _)| host), None, "{text}");
            }
        }
        for text in ["10.5", "10.0.5", "167838211", "0x0a010203", "192.520", "62 75 73", "gitlab&period.com"]
        {
            assert!(list.names_production(text).is_none(), "{text}");
        }
        for text in ["", "12:30:45", "00:11:22:33:44:55", "2001:db9::1", "false", "10.0.0", "git lab.com"] {
            assert!(list.names_production(text).is_none(), "{text}");
        }
    }

    #[test]
    fn deny_rules_report_their_location() {
        let list = list();
        let at = |text: &str| list.names_production(text).map(|rule| (rule.pattern.clone(), rule.place()));
        assert_eq!(at("x.example.org"), Some(("*.example.org".into(), "i.yaml:3".into())));
        assert_eq!(at("vpn.test"), Some(("vpn.test".into(), "i.yaml:10".into())));
        let literal: Vec<String> = list.literal_hosts().collect();
        assert_eq!(literal, ["gitlab.com", "192.0.2.7", "bus.test", "vpn.test"]);
        assert!(list.denies("[2001:db8::5]").is_some() && list.denies("GitLab.com.").is_some());
        assert!(list.denies("gitlab.com:443").is_none(), "a host has no port");
    }

    proptest! {
        #[test]
        fn deny_list_index_agrees_with_linear_search(
            patterns in proptest::collection::vec("[*]?[ab]{0,2}[.]?[ab*]{1,2}", 1..8),
            host in "[ab.]{0,6}",
        ) {
            let hosts = patterns.iter().map(|one| format!("'{one}'")).collect::<Vec<_>>().join(", ");
            let text = format!("production: {{hosts: [{hosts}]}}");
            let head = InventoryDocument { file: "i.yaml".into(), text: text.into(), reference: None };
            let list = DenyList::from(&Inventory::read("here", vec![head]).expect("reads"));
            let tried = list.rules.iter().find(|rule| rule.is_about(&host));
            prop_assert_eq!(list.denies(&host).map(|one| &one.pattern), tried.map(|one| &one.pattern));
        }

        #[test]
        fn deny_list_finds_any_subdomain_of_wildcard(labels in "[a-z0-9][a-z0-9-]{0,7}(\\.[a-z0-9]{1,6}){0,3}", text in 0usize..21) {
            let list = list();
            let host = format!("{}.example.org", labels.trim_end_matches('-'));
            prop_assert!(list.names_production(&around(&host)[text]).is_some());
        }

        #[test]
        fn deny_list_ignores_names_with_extra_characters(before in "[a-z0-9]{1,6}", after in "\\.[a-z]{2,6}", text in 0usize..21) {
            let list = list();
            for host in [format!("{before}gitlab.com"), format!("gitlab.com{after}"), format!("{before}gitlab.com{after}")] {
                // Characters without a separator between them form one name.
                prop_assert!(list.names_production(&around(&host)[text]).is_none(), "{host}");
            }
        }

        #[test]
        fn deny_list_find_never_panics(text in "\\PC{0,80}") {
            let _ = list().find(&text, NumberMeaning::Unknown);
        }
    }
}
