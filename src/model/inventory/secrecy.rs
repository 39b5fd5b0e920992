//! The statement of a component's table about a variable as a secret: two decisions, whether its value is masked and
//! whether a placeholder replaces it. What names and values suggest belongs in `model::environment`.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// Statement of a table about a variable: `secret: true`, `keep` or `false`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrecy {
    /// A secret, which a placeholder replaces.
    Replaced,
    /// A secret whose value in the deployment is used unchanged.
    Kept,
    /// No secret, whatever its name suggests.
    Open,
}

impl Secrecy {
    /// Word for a secret that is kept.
    pub const KEEP: &str = "keep";

    /// Returns whether the value must be masked.
    #[must_use]
    pub fn is_hidden(self) -> bool {
        self != Self::Open
    }
}

impl From<bool> for Secrecy {
    fn from(secret: bool) -> Self {
        if secret { Self::Replaced } else { Self::Open }
    }
}

impl fmt::Display for Secrecy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Replaced => "true",
            Self::Kept => Self::KEEP,
            Self::Open => "false",
        })
    }
}

impl<'de> Deserialize<'de> for Secrecy {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(SecrecyVisitor)
    }
}

struct SecrecyVisitor;

impl Visitor<'_> for SecrecyVisitor {
    type Value = Secrecy;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`true`, `false` or `keep`")
    }

    fn visit_bool<E: Error>(self, secret: bool) -> Result<Secrecy, E> {
        Ok(secret.into())
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Secrecy, E> {
        if word == Secrecy::KEEP {
            Ok(Secrecy::Kept)
        } else {
            Err(E::invalid_value(serde::de::Unexpected::Str(word), &self))
        }
    }
}
