//! Paths in a git configuration file that libgit2 opens on its own: included files, and files with patterns
//! and attributes. Does not evaluate settings: an ineffective one costs at worst a path too many.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

/// Last parts of the keys, in lower case.
const KEYS: [&[u8]; 3] = [b"path", b"excludesfile", b"attributesfile"];

/// Finds the values of keys that may name a file to open, in the order of the text.
pub(super) fn paths_in(text: &[u8]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for at in memchr::memchr_iter(b'=', text) {
        let key = text[..at].trim_ascii_end();
        let is_key = |name: &&[u8]| {
            let Some(start) = key.len().checked_sub(name.len()) else { return false };
            key[start..].eq_ignore_ascii_case(name)
        };
        if KEYS.iter().any(is_key) {
            let value = value(&text[at + 1..]);
            if !value.is_empty() {
                found.push(PathBuf::from(OsString::from_vec(value)));
            }
        }
    }
    found
}

/// Reads a value up to the end of its line; treats quotes, escapes, comments and continued lines as git does.
fn value(text: &[u8]) -> Vec<u8> {
    let (mut value, mut is_quoted, mut bytes) = (Vec::new(), false, text.iter().copied());
    // Trailing blanks belong to the value only if something follows.
    let mut length = 0;
    while let Some(byte) = bytes.next() {
        match byte {
            b'\n' => break,
            b'"' => {
                is_quoted = !is_quoted;
                length = value.len();
            }
            b'#' | b';' if !is_quoted => break,
            b'\\' => {
                match bytes.next() {
                    Some(b'\n') | None => {}
                    Some(b'\r') => drop(bytes.next()),
                    Some(b'n') => value.push(b'\n'),
                    Some(b't') => value.push(b'\t'),
                    Some(b'b') => value.push(8),
                    Some(other) => value.push(other),
                }
                length = value.len();
            }
            b' ' | b'\t' | b'\r' if !is_quoted => {
                if length > 0 {
                    value.push(byte);
                }
            }
            byte => {
                value.push(byte);
                length = value.len();
            }
        }
    }
    value.truncate(length);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        paths_in(text.as_bytes()).into_iter().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn config_paths_handle_quotes_and_comments() {
        for (text, expected) in [
            ("[include]\n\tpath = /a b # why\n", vec!["/a b"]),
            ("[include] PATH=\"/a;b\" ; x", vec!["/a;b"]),
            ("[core]\nexcludesFile = \"/a\" b\\\nc\n[x]\nattributesfile=d\r\n", vec!["/a bc", "d"]),
            ("[includeIf \"gitdir:/x\"]\npath\t= ../\\\"y\n", vec!["../\"y"]),
            ("[a]\nb = path\npath =\n", vec![]),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }
}
