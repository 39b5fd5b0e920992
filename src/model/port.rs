//! TCP ports: those that an entry declares, those that a user wants published, and those that are published.
//! Choosing and binding ports of this machine belongs in `ops::runtime::ports`.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// Maximum number of ports in a label.
const MOST: usize = 256;
/// Suffix of a port that speaks HTTP.
const HTTP: &str = "/http";

/// A port on which a component listens, as an entry or a deployment declares it: `5432`, `8080/http`, or
/// `8080:80/http` with the port of this machine on which it is published if that is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeclaredPort {
    /// Number.
    pub number: u16,
    /// It speaks HTTP.
    pub is_http: bool,
    /// The preferred port of this machine.
    pub host: Option<u16>,
}

impl From<u16> for DeclaredPort {
    fn from(number: u16) -> Self {
        Self { number, is_http: false, host: None }
    }
}

impl fmt::Display for DeclaredPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(host) = self.host {
            write!(f, "{host}:")?;
        }
        write!(f, "{}{}", self.number, if self.is_http { HTTP } else { "" })
    }
}

impl Serialize for DeclaredPort {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(self.number)
    }
}

impl<'de> Deserialize<'de> for DeclaredPort {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = DeclaredPort;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a port, as `5432`, `8080/http` or `8080:80/http`")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<DeclaredPort, E> {
                self.visit_str(&number.to_string())
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<DeclaredPort, E> {
                let (number, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
                let is_http = match protocol {
                    "http" => Some(true),
                    "tcp" => Some(false),
                    _ => None,
                };
                let (host, number) = match number.split_once(':') {
                    Some((host, number)) => (number_of(host).map(Some), number),
                    None => (Some(None), number),
                };
                match (number_of(number), is_http, host) {
                    (Some(number), Some(is_http), Some(host)) => Ok(DeclaredPort { number, is_http, host }),
                    _ => Err(E::custom(
                        "a port is a number from 1 to 65535, with `/http` if it speaks HTTP, and after `HOST_PORT:` if it has another one on this machine",
                    )),
                }
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// A port to publish at the user's request: `[HOST_PORT:][NAME:]CONTAINER_PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishRequest {
    /// The component or backing service that listens; `None` for the requested component.
    pub name: Option<String>,
    /// The port of this machine; `None` for the same number or the next free one.
    pub host: Option<u16>,
    /// The port on which it listens.
    pub container: u16,
}

impl FromStr for PublishRequest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let usage =
            "it is `[HOST_PORT:][NAME:]CONTAINER_PORT`, as in `8080`, `9000:8080` or `6379:redis:6379`";
        let port = |part: &str| match number_of(part) {
            Some(port) => Ok(port),
            None if part.contains('-') && part.starts_with(|c: char| c.is_ascii_digit()) => {
                Err("give each port of a range separately".to_owned())
            }
            None => Err(format!("`{part}` is no port from 1 to 65535; {usage}")),
        };
        let (parts, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        if protocol != "tcp" {
            return Err("`cki` publishes ports of TCP only".to_owned());
        }
        let mut parts: Vec<&str> = parts.split(':').collect();
        if let [address, _, ..] = parts.as_slice()
            && (address.contains('.') && address.parse::<Ipv4Addr>().is_ok() || *address == "localhost")
        {
            if !matches!(*address, "127.0.0.1" | "localhost") {
                return Err("`cki` publishes ports on 127.0.0.1 only, so leave the address out".to_owned());
            }
            parts.remove(0);
        }
        let is_name = |part: &str| part.starts_with(|c: char| c.is_ascii_alphabetic());
        let named = |part: &str| Some(part.to_owned());
        let (host, name, container) = match parts.as_slice() {
            [container] => (None, None, *container),
            [name, container] if is_name(name) => (None, named(name), *container),
            [host, container] => (Some(*host), None, *container),
            [host, name, container] if is_name(name) => (Some(*host), named(name), *container),
            _ => return Err(usage.to_owned()),
        };
        if is_name(container) {
            return Err(format!(
                "`{container}` is no port; a component is not the value of this option, and {usage}"
            ));
        }
        Ok(Self { name, host: host.map(port).transpose()?, container: port(container)? })
    }
}

impl fmt::Display for PublishRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.host.map_or_else(String::new, |host| format!("{host}:"));
        let name = self.name.as_deref().map_or_else(String::new, |name| format!("{name}:"));
        write!(f, "{host}{name}{}", self.container)
    }
}

/// A published port: connections to a port of 127.0.0.1 lead to a port of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublishedPort {
    /// The port of this machine.
    pub local: u16,
    /// The port of the instance.
    pub port: u16,
    /// It speaks HTTP.
    pub is_http: bool,
}

impl PublishedPort {
    /// The address of this machine at which ports are published.
    pub const HOST: &'static str = "127.0.0.1";

    /// Returns the address for people: a URL if the port speaks HTTP.
    #[must_use]
    pub fn address(&self) -> String {
        self.url().unwrap_or_else(|| format!("{}:{}", Self::HOST, self.local))
    }

    /// Returns the URL of a port that speaks HTTP.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        self.is_http.then(|| format!("http://{}:{}", Self::HOST, self.local))
    }

    /// Formats ports for a label.
    #[must_use]
    pub fn to_label(ports: &[Self]) -> String {
        let texts = ports.iter().map(|Self { local, port, is_http }| {
            format!("{local}:{}", DeclaredPort { is_http: *is_http, ..DeclaredPort::from(*port) })
        });
        texts.collect::<Vec<_>>().join(",")
    }

    /// Parses a label; ignores entries that `cki` would not write.
    #[must_use]
    pub fn from_label(text: &str) -> Vec<Self> {
        let one = |text: &str| {
            let (local, rest) = text.split_once(':')?;
            let port = rest.strip_suffix(HTTP);
            Some(Self {
                local: number_of(local)?,
                port: number_of(port.unwrap_or(rest))?,
                is_http: port.is_some(),
            })
        };
        text.split(',').filter_map(one).take(MOST).collect()
    }
}

fn number_of(text: &str) -> Option<u16> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| is_plain && *number != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn publish_request_parses_docker_forms() {
        let parse = |text: &str| text.parse::<PublishRequest>();
        let of = |host, name: Option<&str>, container| {
            Ok(PublishRequest { host, name: name.map(str::to_owned), container })
        };
        assert_eq!(parse("8080"), of(None, None, 8080));
        assert_eq!(parse("9000:8080"), of(Some(9000), None, 8080));
        assert_eq!(parse("127.0.0.1:9000:8080/tcp"), of(Some(9000), None, 8080));
        assert_eq!(parse("localhost:8080"), of(None, None, 8080));
        assert_eq!(parse("redis:6379"), of(None, Some("redis"), 6379));
        assert_eq!(parse("16379:redis:6379"), of(Some(16379), Some("redis"), 6379));
        for (wrong, why) in [
            ("0.0.0.0:80:80", "on 127.0.0.1 only"),
            ("53:53/udp", "TCP only"),
            ("80-90:80-90", "each port of a range"),
            ("guestbook", "`guestbook` is no port"),
            ("0:80", "`0` is no port"),
            ("70000", "`70000` is no port"),
            ("+80", "`+80` is no port"),
            ("", "is no port"),
            ("1:2:3", "[HOST_PORT:]"),
            ("1:a:2:3", "[HOST_PORT:]"),
            ("a:b", "`b` is no port"),
        ] {
            let error = parse(wrong).expect_err(wrong);
            assert!(error.contains(why), "{wrong}: {error}");
        }
    }

    #[test]
    fn published_ports_round_trip_as_label() {
        let ports = [
            PublishedPort { local: 8081, port: 8080, is_http: true },
            PublishedPort { local: 5432, port: 5432, is_http: false },
        ];
        assert_eq!(PublishedPort::to_label(&ports), "8081:8080/http,5432:5432");
        assert_eq!(PublishedPort::from_label(&PublishedPort::to_label(&ports)), ports);
        assert_eq!(ports.map(|port| port.address()), ["http://127.0.0.1:8081", "127.0.0.1:5432"]);
        assert!(PublishedPort::from_label("x,1,1:,0:1,1:0,1:2/ftp,1:99999,+1:2").is_empty());
    }

    #[test]
    fn declared_ports_say_whether_they_speak_http() {
        let parse =
            |text: &str| crate::base::yaml::parse::<Vec<DeclaredPort>>("x", text).map(|(ports, _)| ports);
        let ports = parse("[5432, 8080/http, 81/tcp, '9']").expect("are ports");
        let texts: Vec<String> = ports.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["5432", "8080/http", "81", "9"]);
        for wrong in ["[0]", "[65536]", "[-1]", "[80/udp]", "[http]", "[[80]]", "[1.5]", "[{a: b}]"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
