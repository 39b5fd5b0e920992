//! A string that hides itself: `Debug`, `Display` and JSON show only dots. Masking of secrets inside other
//! text is in `base::redact`.

use std::fmt;

/// Text shown in place of a secret.
pub const MASK: &str = "••••••••";

/// A secret value. It is shown as [`MASK`] everywhere, unless [`Secret::expose`] is called.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// Returns the value, for its recipient alone (a request header, a container's environment), never for
    /// a message.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl serde::Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(MASK)
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        // Best effort: overwrite this buffer.
        let mut bytes = std::mem::take(&mut self.0).into_bytes();
        bytes.fill(0);
        std::hint::black_box(&bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_is_masked_in_display_debug_and_json() {
        let secret = Secret::new("glpat-0123456789");
        assert_eq!(format!("{secret} {secret:?}"), format!("{MASK} {MASK}"));
        let json = serde_json::to_string(&secret).expect("a string serializes");
        assert_eq!(json, format!("\"{MASK}\""));
        assert_eq!(secret.expose(), "glpat-0123456789");
    }
}
