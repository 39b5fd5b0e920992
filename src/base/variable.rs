//! Names of environment variables, checked where they are read: what comes out of a file or a flag
//! may later stand in a shell's script, in a file with variables or in a manifest.

use std::collections::BTreeMap;

use serde::de::{Deserialize, Deserializer, Error};

/// Whether a shell can have a variable of this name.
#[must_use]
pub fn is_variable_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Signs that a name may have beside letters and digits: engines take them, and no shell or file with
/// variables acts on one.
const SIGNS: &str = "_.-/:@%+,[]";

/// How bash exports a function: whoever starts bash with such a variable has it run what is in it.
const FUNCTION: &str = "BASH_FUNC_";

/// Whether a text can name a variable in the environment of a program. Engines take more than a shell
/// does: `discovery.type`, `my-flag`. What a shell or a file with variables would act on is taken nowhere,
/// and neither is a function for bash.
#[must_use]
pub fn is_environment_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && !text.starts_with(FUNCTION)
        && text.chars().all(|c| c.is_alphanumeric() || SIGNS.contains(c))
}

/// Reads the name of a variable.
///
/// # Errors
/// Fails when no program could have it in its environment.
pub fn name<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    check(&text).map_err(Error::custom)?;
    Ok(text)
}

/// Reads a mapping whose keys are names of variables.
///
/// # Errors
/// Fails when one of them is none.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_act_on_is_no_name() {
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
