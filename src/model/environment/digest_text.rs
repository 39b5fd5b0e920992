//! Text of a given length that a digest determines, for placeholder secrets.

use minijinja::ErrorKind;

/// Maximum length of a placeholder in bytes.
const LONGEST: usize = 64 << 10;

/// Returns so many characters of a text that is repeated.
pub(super) fn take(text: &str, count: usize) -> String {
    text.chars().cycle().take(count).collect()
}

/// Returns the length of a placeholder, if it is within the limit.
pub(super) fn bounded(count: usize) -> Result<usize, minijinja::Error> {
    if count <= LONGEST {
        return Ok(count);
    }
    let message = format!("{count} characters are too many: {LONGEST} at most");
    Err(minijinja::Error::new(ErrorKind::InvalidOperation, message))
}

/// Returns letters and digits that a digest determines.
pub(super) fn alphanumeric(bytes: &[u8; 32], count: usize) -> String {
    const ALPHABET: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    bytes.iter().cycle().take(count).map(|byte| char::from(ALPHABET[usize::from(*byte) % 62])).collect()
}

/// Returns decimal digits that a digest determines.
pub(super) fn digits(bytes: &[u8; 32], count: usize) -> String {
    bytes.iter().cycle().take(count).map(|byte| char::from(b'0' + byte % 10)).collect()
}
