//! Readiness probes of components and backing services. Running a probe belongs in `ops`.

use serde::{Deserialize, Deserializer};

/// A readiness probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadinessProbe {
    /// Succeeds when a GET of this path on this port returns a status below 400.
    Http {
        /// Absolute path.
        path: String,
        /// Port.
        port: u16,
    },
    /// Succeeds when this port accepts a connection.
    Tcp(u16),
    /// Succeeds when this command, run inside the container, exits with 0.
    Exec(Vec<String>),
    /// Succeeds when a line of output contains this text.
    Log(String),
}

#[derive(Deserialize)]
struct RawProbe {
    http: Option<String>,
    port: Option<u16>,
    tcp: Option<u16>,
    exec: Option<Vec<String>>,
    log: Option<String>,
}

impl<'de> Deserialize<'de> for ReadinessProbe {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = RawProbe::deserialize(deserializer)?;
        match written {
            RawProbe { http: Some(path), port: Some(port), tcp: None, exec: None, log: None } => {
                let path = if path.starts_with('/') { path } else { format!("/{path}") };
                Ok(Self::Http { path, port })
            }
            RawProbe { tcp: Some(port), http: None, port: None, exec: None, log: None } => {
                Ok(Self::Tcp(port))
            }
            RawProbe { exec: Some(command), http: None, port: None, tcp: None, log: None }
                if !command.is_empty() =>
            {
                Ok(Self::Exec(command))
            }
            RawProbe { log: Some(text), http: None, port: None, tcp: None, exec: None }
                if !text.is_empty() =>
            {
                Ok(Self::Log(text))
            }
            _ => Err(serde::de::Error::custom(
                "`ready` takes one of `http` with `port`, `tcp`, `exec` or `log`",
            )),
        }
    }
}

impl ReadinessProbe {
    /// Returns the text for a label, in the YAML form of the inventory.
    #[must_use]
    pub fn to_label(&self) -> String {
        let written = match self {
            Self::Http { path, port } => serde_json::json!({"http": path, "port": port}),
            Self::Tcp(port) => serde_json::json!({"tcp": port}),
            Self::Exec(command) => serde_json::json!({"exec": command}),
            Self::Log(text) => serde_json::json!({"log": text}),
        };
        written.to_string()
    }

    /// Parses a label; returns `None` for an unknown text.
    #[must_use]
    pub fn from_label(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

impl std::fmt::Display for ReadinessProbe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Http { path, port } => write!(f, "HTTP {path} on port {port}"),
            Self::Tcp(port) => write!(f, "port {port} accepts connections"),
            Self::Exec(command) => write!(f, "`{}` succeeds", shell_words::join(command)),
            Self::Log(text) => write!(f, "the log says `{text}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readiness_probe_accepts_exactly_one_kind() {
        let parse =
            |text: &str| crate::base::yaml::parse::<ReadinessProbe>("x", text).map(|(ready, _)| ready);
        assert_eq!(
            parse("{http: metrics, port: 80}").ok(),
            Some(ReadinessProbe::Http { path: "/metrics".into(), port: 80 })
        );
        assert_eq!(parse("{tcp: 5672}").ok(), Some(ReadinessProbe::Tcp(5672)));
        for text in ["{http: /x, port: 1}", "{tcp: 2}", "{exec: [a, 'b c']}", "{log: ready now}"] {
            let ready = parse(text).expect("is one");
            assert_eq!(ReadinessProbe::from_label(&ready.to_label()), Some(ready));
        }
        assert_eq!(ReadinessProbe::from_label("{}"), None);
        for wrong in ["{}", "{http: /x}", "{tcp: 1, log: x}", "{exec: []}"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
