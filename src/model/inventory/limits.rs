//! Limits of a component's container, as an entry sets them. Their use belongs in `model::container`.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::base::text::parse_bytes;

/// An amount of memory that is enough to start a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory(u64);

impl Default for Memory {
    fn default() -> Self {
        Self(4 << 30)
    }
}

impl Memory {
    /// Minimum in bytes: engines refuse much smaller amounts.
    const LEAST: u64 = 8 << 20;

    /// Parses an amount such as `512MiB`; returns `None` below the minimum.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        parse_bytes(text).filter(|bytes| *bytes >= Self::LEAST).map(Self)
    }

    /// Returns the amount in bytes.
    #[must_use]
    pub fn bytes(self) -> u64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Memory {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| D::Error::custom("an amount of memory is like `512MiB`, and 8 MiB at least"))
    }
}

/// A capability (capabilities(7)) to keep, without `CAP_`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capability(&'static str);

impl Capability {
    /// Capabilities that have no effect outside of a container. The others would break the isolation, or
    /// let a component impersonate another one on its network.
    const KNOWN: [&'static str; 11] = [
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "IPC_LOCK",
        "KILL",
        "NET_BIND_SERVICE",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    ];
    /// Capabilities for backing services that start as root and switch to another user.
    pub const OF_SERVICES: [Self; 9] = [
        Self("CHOWN"),
        Self("DAC_OVERRIDE"),
        Self("FOWNER"),
        Self("FSETID"),
        Self("KILL"),
        Self("NET_BIND_SERVICE"),
        Self("SETGID"),
        Self("SETUID"),
        Self("SYS_CHROOT"),
    ];

    /// Returns the forms of the names in an entry, without and with `CAP_`.
    pub(super) fn known() -> Vec<String> {
        Self::KNOWN.iter().flat_map(|name| [(*name).to_owned(), format!("CAP_{name}")]).collect()
    }

    /// Returns the name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0
    }
}

impl<'de> Deserialize<'de> for Capability {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let name = text.strip_prefix("CAP_").unwrap_or(&text);
        let known = Self::KNOWN.into_iter().find(|known| *known == name);
        known.map(Self).ok_or_else(|| {
            D::Error::custom(format!(
                "a capability that a component may keep is one of {}",
                Self::KNOWN.join(", ")
            ))
        })
    }
}

/// An absolute path in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerPath(String);

impl ContainerPath {
    /// Returns the path.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for ContainerPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let path = text.trim_end_matches('/');
        let plain = |part: &str| !part.is_empty() && part != "." && part != "..";
        let good = path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(plain));
        if good && !path.contains(|c: char| c.is_control() || c == ':') {
            return Ok(Self(path.to_owned()));
        }
        Err(D::Error::custom("a directory of a container is a whole path, as `/var/lib/app`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
        crate::base::yaml::parse::<T>("x", text).ok().map(|(value, _)| value)
    }

    #[test]
    fn limits_reject_invalid_values() {
        assert_eq!(parse::<Memory>("64MiB").map(Memory::bytes), Some(64 << 20));
        for wrong in ["1MiB", "much", "-1", "[]"] {
            assert_eq!(parse::<Memory>(wrong), None, "{wrong}");
        }
        for name in ["CHOWN", "CAP_CHOWN"] {
            assert_eq!(parse::<Capability>(name).map(Capability::name), Some("CHOWN"));
        }
        for wrong in ["SYS_ADMIN", "NET_RAW", "NET_ADMIN", "ALL", "chown", "''"] {
            assert_eq!(parse::<Capability>(wrong), None, "{wrong}");
        }
        assert_eq!(parse::<ContainerPath>("/var/lib/app/").expect("is good").path(), "/var/lib/app");
        for wrong in ["/", "relative", "/a/../b", "/a//b", "''", "/a:/b"] {
            assert_eq!(parse::<ContainerPath>(wrong), None, "{wrong}");
        }
    }
}
