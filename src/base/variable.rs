//! Names of environment variables, checked while they are parsed: a name from a file or a flag may end up
//! in a shell script, in an environment file or in a manifest.

use std::collections::BTreeMap;

use serde::de::{Deserialize, Deserializer, Error};

/// Returns whether a shell accepts the name of a variable.
#[must_use]
pub fn is_variable_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Characters allowed in a name in addition to letters and digits: engines accept them, and they have no
/// meaning in shells and environment files.
const SIGNS: &str = "_.-/:@%+,[]";

/// Prefix of functions that bash exports: bash would execute the value of such a variable.
const FUNCTION: &str = "BASH_FUNC_";

/// Returns whether a text can name a variable in a program's environment. Engines accept more than a shell
/// does: `discovery.type`, `my-flag`. Rejects characters with a meaning in shells or environment files, and
/// names of bash functions.
#[must_use]
pub fn is_environment_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && !text.starts_with(FUNCTION)
        && text.chars().all(|c| c.is_alphanumeric() || SIGNS.contains(c))
}

/// Minimum characters of a name that may be a part of a key.
const SHORTEST_KEY: usize = 16;

/// Returns whether a text that stands where a name is expected may be a part of a key instead, so that it must not be
/// shown: base64 without separators, or a long hexadecimal number.
#[must_use]
pub fn is_like_key(text: &str) -> bool {
    let has = |what: fn(&u8) -> bool| text.bytes().any(|byte| what(&byte));
    let (lower, upper) = (has(u8::is_ascii_lowercase), has(u8::is_ascii_uppercase));
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.len() >= SHORTEST_KEY
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
        && has(u8::is_ascii_digit)
        && (lower && upper || is_hex || has(|byte| b"+/".contains(byte)))
}

/// Deserialises the name of a variable.
///
/// # Errors
/// Fails if no environment can contain it.
pub fn name<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    check(&text).map_err(Error::custom)?;
    Ok(text)
}

/// Deserialises a mapping whose keys are names of variables.
///
/// # Errors
/// Fails if a key is not such a name.
pub fn keys<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<BTreeMap<String, T>, D::Error> {
    let all = BTreeMap::<String, T>::deserialize(from)?;
    all.keys().try_for_each(|key| check(key)).map_err(Error::custom)?;
    Ok(all)
}

fn check(name: &str) -> Result<(), String> {
    if is_environment_name(name) {
        return Ok(());
    }
    let shown = super::text::safe_line(name);
    if name.starts_with(FUNCTION) {
        return Err(format!("`{shown}` cannot be the name of a variable: bash runs what is in it"));
    }
    Err(format!(
        "`{shown}` cannot be the name of a variable: letters, digits and `{SIGNS}` can, without `-` first"
    ))
}

/// Returns whether two different names are equal to a program that ignores case, in either folding: `ſ`
/// becomes `S` in upper case, and the Kelvin sign becomes `k` in lower case.
#[must_use]
pub fn differ_by_case_only(one: &str, other: &str) -> bool {
    let folded = |name: &str| name.to_lowercase().to_uppercase();
    one != other && folded(one) == folded(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_keys_are_no_names() {
        for key in ["MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "a1b2c3d4e5f60718", "Qx+y/Zq0Qx+y/Zq0=="] {
            assert!(is_like_key(key), "{key}");
        }
        for name in
            ["DB_PASSWORD_2", "springDatasourceUrl", "OAUTH2CLIENTIDENTIFIER", "a.b-c", "my1Var", "Server"]
        {
            assert!(!is_like_key(name), "{name}");
        }
    }

    #[test]
    fn environment_name_rejects_shell_metacharacters() {
        for name in ["A", "discovery.type", "my-flag", "_x", "1A", "ä", "a/b", "npm_config_@scope:registry"]
        {
            assert!(is_environment_name(name), "{name}");
        }
        for name in [
            "",
            "A=B",
            "A B",
            "A;touch x;B",
            "A\nB",
            "A\0",
            "X$(id)",
            "A`id`",
            "A&B",
            "A|B",
            "a>b",
            "#",
            "-e",
            "A\u{202e}",
            "'",
            "\"",
            "BASH_FUNC_ls%%",
            "BASH_FUNC_x",
        ] {
            assert!(!is_environment_name(name), "{name:?}");
        }
    }
}
