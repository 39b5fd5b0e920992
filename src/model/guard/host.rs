//! Hosts in texts, as a connecting program reads them: the canonical form of each name, and all
//! addresses that a spelling stands for. The list of production hosts belongs in `deny`, the decoding of
//! texts in `decodings`.

use std::net::{IpAddr, Ipv4Addr};

use idna::uts46::{AsciiDenyList, Hyphens, Uts46};

use super::address::ipv4_readings;

/// Maximum length of a host name in bytes (RFC 1035, section 2.3.4).
pub(super) const LONGEST: usize = 255;
/// Words that mark a nearby number as the address of a host.
const HINTS: [&str; 14] = [
    "host", "addr", "server", "url", "uri", "endpoint", "broker", "proxy", "peer", "gateway", "upstream",
    "target", "dns", "node",
];

/// Words that mark a nearby number as no address, without a final `s`.
const NUMBERS: [&str; 63] = [
    "version",
    "release",
    "revision",
    "build",
    "python",
    "java",
    "timeout",
    "time",
    "interval",
    "duration",
    "delay",
    "second",
    "minute",
    "hour",
    "day",
    "date",
    "year",
    "timestamp",
    "epoch",
    "age",
    "ttl",
    "ratio",
    "rate",
    "percent",
    "threshold",
    "factor",
    "weight",
    "score",
    "probability",
    "size",
    "byte",
    "memory",
    "cpu",
    "limit",
    "quota",
    "count",
    "number",
    "num",
    "max",
    "min",
    "level",
    "port",
    "id",
    "seed",
    "latitude",
    "longitude",
    "price",
    "retrie",
    "phone",
    "telephone",
    "tel",
    "mobile",
    "fax",
    "sms",
    "account",
    "order",
    "invoice",
    "customer",
    "serial",
    "isbn",
    "vat",
    "balance",
    "amount",
];

/// Returns whether a variable of this name may hold a host, so that a number in it may be an address.
pub(super) fn hints_at_host(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    HINTS.iter().any(|hint| name.contains(hint)) || name.split(['_', '-', '.']).any(|part| part == "ip")
}

/// Meaning of a number with fewer than four parts in a value, such as `10.5` or `167838211`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberMeaning {
    /// It is an address wherever it stands.
    Address,
    /// It is an address if it is the whole value.
    Unknown,
    /// It is a number.
    Number,
}

impl NumberMeaning {
    /// Returns the meaning in the value of a variable; without a name, in a command.
    pub(super) fn of(name: Option<&str>) -> Self {
        let is_number = |name: &str| {
            let name = name.to_ascii_lowercase();
            name.split(['_', '-', '.']).any(|part| NUMBERS.contains(&part.trim_end_matches('s')))
        };
        match name {
            Some(name) if hints_at_host(name) => Self::Address,
            Some(name) if is_number(name) => Self::Number,
            Some(_) => Self::Unknown,
            None => Self::Address,
        }
    }
}

/// Returns whether a character can be part of a host name.
pub(super) fn is_host_character(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '.' | '_')
}

/// Returns the canonical form of a name: mapped as browsers do (UTS 46), in Unicode, without the final
/// dot. A text that cannot be a name is only lower-cased.
pub(super) fn canonical(host: &str) -> String {
    let host = host.trim_matches(['[', ']']).trim_end_matches('.');
    match mapped(host) {
        (name, true) => name.trim_end_matches('.').to_owned(),
        (_, false) => host.to_lowercase(),
    }
}

/// Returns the name as sent to DNS, if that form differs.
pub(super) fn ascii(host: &str) -> Option<String> {
    let made = Uts46::new().to_ascii(
        host.as_bytes(),
        AsciiDenyList::EMPTY,
        Hyphens::Allow,
        idna::uts46::DnsLength::Ignore,
    );
    made.ok().map(std::borrow::Cow::into_owned)
}

/// Maps a text by UTS 46, and returns whether all of it may be part of a name.
fn mapped(text: &str) -> (String, bool) {
    if text.is_ascii() && !text.to_ascii_lowercase().contains("xn--") {
        return (text.to_ascii_lowercase(), true);
    }
    let (mapped, good) = Uts46::new().to_unicode(text.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow);
    (mapped.into_owned(), good.is_ok())
}

/// Maps a name as older clients do (IDNA 2003), if the result differs.
fn older(name: &str) -> Option<String> {
    let differs = |c| matches!(c, 'ß' | 'ς' | '\u{200c}' | '\u{200d}');
    name.contains(differs)
        .then(|| name.replace('ß', "ss").replace('ς', "σ").replace(['\u{200c}', '\u{200d}'], ""))
}

/// Returns everything in a text that may be a host: names and addresses in canonical form. Each host is
/// complete, so that a part of a longer one does not count. With `hinted`, a number may be an address.
pub(super) fn hosts(text: &str, hinted: bool) -> Vec<String> {
    let hinted = hinted || hints_at_host(text);
    let mut found = Vec::new();
    collect(text, hinted, &mut found);
    if !text.is_ascii() {
        // Full-width letters, dots of other scripts and ignored characters are mapped only between
        // characters that no mapping makes part of a name.
        let is_apart = |c: char| c.is_ascii() && !is_host_character(c);
        for run in text.split(is_apart).filter(|run| !run.is_ascii()) {
            collect(&mapped(run).0, hinted, &mut found);
        }
    }
    let older: Vec<String> = found.iter().filter_map(|name| older(name)).collect();
    found.extend(older);
    found
}

/// Collects the hosts of a text in which every character stands for itself.
fn collect(text: &str, hinted: bool, found: &mut Vec<String>) {
    let mut at = 0;
    for run in text.split(|c| !is_host_character(c)) {
        let (before, after) = (&text[..at], &text[at + run.len()..]);
        at += run.len() + after.chars().next().map_or(0, char::len_utf8);
        if run.is_empty() {
            continue;
        }
        // Some programs accept `-hname`.
        let mut characters = run.chars();
        let glued = (characters.next() == Some('-') && characters.next().is_some_and(char::is_alphabetic))
            .then_some(characters.as_str());
        for name in [glued, Some(run)].into_iter().flatten() {
            let name = name.trim_matches(['.', '-']);
            if !name.is_empty() && name.len() <= LONGEST {
                found.push(canonical(name));
            }
        }
        let has_port =
            after.strip_prefix(':').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let is_place = has_port || before.ends_with("//") || before.ends_with('@');
        let addresses = ipv4_readings(run.trim_matches(['.', '-']), hinted || is_place);
        found.extend(addresses.iter().map(ToString::to_string));
    }
    let runs = text.split(|c: char| !c.is_ascii_hexdigit() && c != ':' && c != '.');
    for run in runs.filter(|run| run.matches(':').count() >= 2) {
        let tries = [run, run.strip_prefix(':').unwrap_or(run), run.trim_end_matches(['.', ':'])];
        let address = tries.into_iter().find_map(|text| text.parse::<IpAddr>().ok());
        found.extend(address.map(|address| address.to_string()));
    }
}

/// Returns the addresses that a whole value in a short form stands for, and whether the value may as well be a plain
/// number or a version.
pub(super) fn short_address(value: &str) -> (Vec<Ipv4Addr>, bool) {
    let text = value.trim_matches(|c: char| !is_host_character(c)).trim_matches(['.', '-']);
    let parts: Vec<&str> = text.split('.').collect();
    let is_plain = |part: &&str| {
        *part == "0" || part.bytes().all(|byte| byte.is_ascii_digit()) && !part.starts_with('0')
    };
    let is_version = parts.iter().all(is_plain) && parts.iter().all(|part| part.parse::<u8>().is_ok());
    // A colour or a mask.
    let is_single = parts.len() == 1;
    let all = if parts.len() < 4 && !text.contains(|c: char| !c.is_ascii()) {
        ipv4_readings(text, true)
    } else {
        Vec::new()
    };
    // Small numbers stand for addresses of no host.
    let all = all.into_iter().filter(|address| address.octets()[0] != 0).collect();
    (all, is_version || is_single)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;
    use crate::model::guard::address::embedded;
    use proptest::prelude::*;

    #[test]
    fn host_name_spellings_normalise_to_one_form() {
        for (spelling, name) in [
            ("GitLab.COM.", "gitlab.com"),
            ("xn--bcher-kva.example", "bücher.example"),
            ("XN--BCHER-KVA.example", "bücher.example"),
            ("bu\u{308}cher.example", "bücher.example"),
            ("BÜCHER。example", "bücher.example"),
            ("ｇｉｔｌａｂ．com", "gitlab.com"),
            ("git\u{ad}lab\u{200b}.com", "gitlab.com"),
            ("ⓖitlab.com", "gitlab.com"),
            ("a_b.test", "a_b.test"),
        ] {
            assert_eq!(canonical(spelling), name, "{spelling}");
        }
        assert_eq!(ascii("bücher.example").as_deref(), Some("xn--bcher-kva.example"));
        assert_eq!(hosts("x=straße.test", false).last().map(String::as_str), Some("strasse.test"));
    }

    #[test]
    fn ipv4_spellings_parse_to_one_address() {
        let one = Ipv4Addr::new(10, 1, 2, 3);
        for text in [
            "10.1.2.3",
            "0x0a.1.2.3",
            "012.1.2.3",
            "0xA.0x1.02.3",
            "10.1.515",
            "10.66051",
            "167838211",
            "0x0a010203",
            "01200201003",
            "0000010.1.2.3",
            "012.000001.2.3",
        ] {
            assert!(ipv4_readings(text, true).contains(&one), "{text}");
        }
        for text in ["10.66051", "167838211", "10.1.515"] {
            assert_eq!(ipv4_readings(text, false), [Ipv4Addr::LOCALHOST; 0], "{text}");
            assert!(hosts(&format!("http://{text}/x"), false).contains(&one.to_string()), "{text}");
            assert!(hosts(&format!("u@{text}"), false).contains(&one.to_string()), "{text}");
            assert!(hosts(&format!("{text}:5672"), false).contains(&one.to_string()), "{text}");
            assert!(hosts(&format!("--host={text}"), false).contains(&one.to_string()), "{text}");
        }
        for text in ["10.1.2.3.4", "10.1.2.256", "4294967296", "0xg.1.2.3", "", "a.b.c.d", "10..2.3"] {
            assert_eq!(ipv4_readings(text, true), [Ipv4Addr::LOCALHOST; 0], "{text}");
        }
        for text in [
            "::ffff:10.1.2.3",
            "::ffff:a01:203",
            "::10.1.2.3",
            "64:ff9b::a01:203",
            "2002:a01:203::1",
            "fe80::5efe:a01:203",
            "2001:db8::200:5efe:10.1.2.3",
            "::ffff:0:10.1.2.3",
            "64:ff9b:1::a01:203",
        ] {
            let address: Ipv6Addr = text.parse().expect("is one");
            assert!(embedded(address).contains(&one), "{text}");
        }
        assert_eq!(embedded("2001:db8::a01:203".parse().expect("is one")), [Ipv4Addr::LOCALHOST; 0]);
    }

    #[test]
    fn short_addresses_tell_versions_apart() {
        let read = |text: &str| {
            let (all, is_number) = short_address(text);
            (all.first().map(ToString::to_string).unwrap_or_default(), is_number)
        };
        for (text, address, is_number) in [
            ("10.1", "10.0.0.1", true),
            ("10.1.2", "10.1.0.2", true),
            ("10.66051", "10.1.2.3", false),
            ("0x0a.1", "10.0.0.1", false),
            ("012.1", "10.0.0.1", false),
            (" '10.66051'\n", "10.1.2.3", false),
            ("167838211", "10.1.2.3", true),
            ("0x0a010203", "10.1.2.3", true),
            ("3600", "", true),
            ("0.5", "", true),
            ("10.1.2.3", "", true),
            ("a.b", "", false),
            ("10.66051 and more", "", false),
        ] {
            assert_eq!(read(text), (address.to_owned(), is_number), "{text}");
        }
        for (name, meaning) in [
            (Some("BACKEND"), NumberMeaning::Unknown),
            (Some("BACKEND_URL"), NumberMeaning::Address),
            (Some("PYTHON_VERSION"), NumberMeaning::Number),
            (Some("MAX_RETRIES"), NumberMeaning::Number),
            (Some("SUPPORT_PHONE"), NumberMeaning::Number),
            (Some("PHONE_GATEWAY"), NumberMeaning::Address),
            (None, NumberMeaning::Address),
        ] {
            assert_eq!(NumberMeaning::of(name), meaning, "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn hosts_never_panic(text in "\\PC{0,80}", hinted: bool) {
            let _ = hosts(&text, hinted);
        }

        #[test]
        fn hosts_parse_every_ipv4_radix(bits: u32, first in 0usize..4, radix in prop::collection::vec(0usize..3, 4)) {
            let address = Ipv4Addr::from(bits);
            let octets = address.octets();
            let write = |number: u32, radix: usize| match radix {
                0 => number.to_string(),
                1 => format!("0{number:o}"),
                _ => format!("0x{number:x}"),
            };
            let mut parts: Vec<String> =
                octets[..first].iter().zip(&radix).map(|(octet, radix)| write((*octet).into(), *radix)).collect();
            let mask = u32::MAX.checked_shr(8 * u32::try_from(first).expect("is small")).unwrap_or(0);
            parts.push(write(bits & mask, radix[3]));
            prop_assert!(ipv4_readings(&parts.join("."), true).contains(&address));
        }
    }
}
