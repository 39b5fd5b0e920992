//! SHA-256 as lower-case hexadecimal, for names that must be stable for the same content.

use sha2::{Digest as _, Sha256};

/// Hashes a sequence of parts. Each part is preceded by its length, so that
/// `["ab", "c"]` and `["a", "bc"]` differ.
pub fn sha256_hex<I>(parts: I) -> String
where
    I: IntoIterator,
    I::Item: AsRef<[u8]>,
{
    hex(&bytes_of_parts(parts))
}

/// Returns the hash of [`sha256_hex`] as 32 raw bytes.
pub fn bytes_of_parts<I>(parts: I) -> [u8; 32]
where
    I: IntoIterator,
    I::Item: AsRef<[u8]>,
{
    let mut hasher = Sha256::new();
    for part in parts {
        let part = part.as_ref();
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// Formats bytes as lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_hex_separates_its_parts() {
        assert_ne!(sha256_hex(["ab", "c"]), sha256_hex(["a", "bc"]));
        assert_eq!(sha256_hex(["a"]).len(), 64);
    }
}
