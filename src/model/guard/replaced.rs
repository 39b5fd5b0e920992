//! Commands that set or unset a locked variable before their program starts: with `env(1)`, or in the text that a
//! shell executes. What programs do in other ways is not seen. The refusal of such a command belongs in the gate and
//! in the plan of a run.

use std::collections::BTreeMap;

use super::PolicyViolation;

/// Programs that execute a text as a shell does, and the mark of such a health check.
const SHELLS: [&str; 24] = [
    "CMD-SHELL",
    "ash",
    "bash",
    "busybox",
    "csh",
    "dash",
    "elvish",
    "eval",
    "fish",
    "flock",
    "ksh",
    "mksh",
    "nu",
    "parallel",
    "rbash",
    "runuser",
    "script",
    "sh",
    "su",
    "tcsh",
    "toybox",
    "watch",
    "yash",
    "zsh",
];

/// Refuses a command of a component that replaces a locked variable.
///
/// # Errors
/// [`PolicyViolation::Replaced`].
pub fn check_replaced(
    component: &str,
    words: &[&str],
    locked: &BTreeMap<String, String>,
) -> Result<(), PolicyViolation> {
    match replaced_variable(words, locked) {
        Some(variable) => Err(PolicyViolation::Replaced {
            component: component.to_owned(),
            variable: variable.to_owned(),
            wanted: locked[variable].clone(),
        }),
        None => Ok(()),
    }
}

/// Returns the locked variable that a command sets to another value, or unsets. In the text of a shell, each mention of
/// the name counts, except where the shell only reads its value.
#[must_use]
pub fn replaced_variable<'a>(words: &[&str], locked: &'a BTreeMap<String, String>) -> Option<&'a str> {
    if locked.is_empty() {
        return None;
    }
    let words: Vec<String> = words.iter().map(|word| unquoted(word)).collect();
    let parts: Vec<&str> = words.iter().flat_map(|word| split(word)).collect();
    if let Some(name) = with_env(&parts, locked) {
        return Some(name);
    }
    let names_shell = |word: &String| split(word).any(|part| SHELLS.contains(&base_name(part)));
    let script = words.iter().skip_while(|word| !names_shell(word));
    let script = script.map(String::as_str).collect::<Vec<_>>().join("\n");
    locked.iter().find_map(|(name, wanted)| is_written(&script, name, wanted).then_some(name.as_str()))
}

/// Returns a word without the signs that a shell removes from a name: quotes, backslashes and continued lines.
fn unquoted(word: &str) -> String {
    word.replace("\\\r\n", "").replace("\\\n", "").replace(['"', '\'', '\\'], "")
}

fn split(word: &str) -> impl Iterator<Item = &str> {
    let is_end = |c: char| c.is_whitespace() || ";&|()`<>".contains(c);
    word.split(is_end).filter(|part| !part.is_empty())
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Finds assignments and options of `env(1)` among the parts of all words, and the names behind `unset`.
fn with_env<'a>(parts: &[&str], locked: &'a BTreeMap<String, String>) -> Option<&'a str> {
    let find = |name: &str| locked.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
    let any = || locked.keys().next().map(String::as_str);
    // The options of `env` end at its first other word.
    let mut in_env = false;
    for (at, part) in parts.iter().enumerate() {
        let before = at.checked_sub(1).map_or("", |before| parts[before]);
        let assigned = part.split_once('=').and_then(|(name, value)| Some((find(name)?, value)));
        if let Some(((name, wanted), value)) = assigned
            && !keeps(value, name, wanted)
        {
            return Some(name);
        }
        let unset = part.strip_prefix("--unset=").or_else(|| part.strip_prefix("-u"));
        let unset = unset.or_else(|| ["-u", "--unset", "unset"].contains(&before).then_some(*part));
        if let Some((name, _)) = unset.and_then(find) {
            return Some(name);
        }
        if in_env && clears(part) {
            return any();
        }
        let is_program = base_name(part) == "env";
        in_env = is_program || in_env && (part.starts_with('-') || part.contains('=') || before == "-u");
    }
    None
}

/// Returns whether an option of `env` removes all variables: `-`, `-i`, in a group of short options, too, and the long
/// option, however it is shortened.
fn clears(option: &str) -> bool {
    if let Some(long) = option.strip_prefix("--") {
        return !long.is_empty() && "ignore-environment".starts_with(long);
    }
    let Some(short) = option.strip_prefix('-') else { return false };
    // These take the rest of the word as their value.
    let group = short.split(['u', 'C']).next().unwrap_or_default();
    short.is_empty() || group.contains('i')
}

/// Returns whether an assigned value is the locked one, or the variable's own.
fn keeps(value: &str, name: &str, wanted: &str) -> bool {
    let own = value.strip_prefix('$').map(|own| own.strip_prefix('{').unwrap_or(own));
    value == wanted || own.is_some_and(|own| own.strip_suffix('}').unwrap_or(own) == name)
}

/// Returns whether the text of a shell mentions a name otherwise than in order to read its value: `$NAME`, `${NAME…}`
/// without `=`, `printenv NAME`, or an assignment of the same value. What else a mention means depends on the shell, so
/// that none is judged.
fn is_written(script: &str, name: &str, wanted: &str) -> bool {
    let (lower, sought) = (script.to_ascii_lowercase(), name.to_ascii_lowercase());
    let is_of_name = |c: char| c.is_alphanumeric() || c == '_';
    lower.match_indices(&sought).any(|(at, _)| {
        let (before, after) = (&script[..at], &script[at + name.len()..]);
        let is_whole = !before.ends_with(is_of_name) && !after.starts_with(is_of_name);
        // An option that is called alike: `--is_production`.
        let is_option = before.ends_with('-') && &script[at..at + name.len()] != name;
        if !is_whole || is_option {
            return false;
        }
        let is_read = match before.strip_suffix('{').or_else(|| before.strip_suffix("{#")) {
            Some(before) => before.ends_with('$') && !after.starts_with('=') && !after.starts_with(":="),
            None => before.ends_with('$'),
        };
        let is_printed = before.trim_end_matches([' ', '\t']).ends_with("printenv");
        let is_kept = after.strip_prefix('=').is_some_and(|value| {
            let value = split(value).next().filter(|part| value.starts_with(part)).unwrap_or_default();
            keeps(value, name, wanted)
        });
        !is_read && !is_printed && !is_kept
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaces(command: &[&str]) -> bool {
        let locked = BTreeMap::from([("IS_PRODUCTION".to_owned(), "false".to_owned())]);
        replaced_variable(command, &locked).is_some()
    }

    #[test]
    fn commands_that_set_or_unset_a_locked_variable_are_seen() {
        for command in [
            &["env", "IS_PRODUCTION=true", "app"][..],
            &["env", "is_production=1", "app"],
            &["env", "IS_PRODUCTION=IS_PRODUCTION", "app"],
            &["env", "-u", "IS_PRODUCTION", "app"],
            &["/usr/bin/env", "-i", "app"],
            &["env", "A=b", "-i", "app"],
            &["env", "-0i", "app"],
            &["env", "--ign", "app"],
            &["env", "-S", "-i app"],
            &["env", "-u", "A", "-", "app"],
            &["env", "-uIS_PRODUCTION", "app"],
            &["env", "--unset=IS_PRODUCTION", "app"],
            &["tini", "--", "su", "-c", "IS_PRODUCTION=true app"],
        ] {
            assert!(replaces(command), "{command:?}");
        }
        for script in [
            "unset IS_PRODUCTION; app",
            "A=b; export IS_PRODUCTION='true' && app",
            "IS_PRODUCTION=${X:-true} app",
            "for IS_PRODUCTION in true; do app; done",
            "read IS_PRODUCTION < f",
            "read -r A IS_PRODUCTION",
            "printf -v IS_PRODUCTION true",
            "IS_PRODUCTION+=x app",
            "export {IS_PRODUCTION,B}=true",
            "getopts a IS_PRODUCTION",
            "mapfile -t IS_PRODUCTION",
            "let IS_PRODUCTION=1",
            "((IS_PRODUCTION=1))",
            "echo $((IS_PRODUCTION++))",
            ": ${IS_PRODUCTION:=true}",
            ": \"${IS_PRODUCTION=true}\"",
            "export -n IS_PRODUCTION; app",
            "declare +x IS_PRODUCTION",
            "typeset IS_PRODUCTION",
            "IS_PROD\\\nUCTION=true app",
            "export IS_PROD\"\"UCTION=true",
            "export IS_PRO\\DUCTION=true",
            "export is_production=true",
            "IS_PRODUCTION= app",
            "IS_PRODUCTION= false",
            "IS_PRODUCTION=\"false\"x app",
            "select IS_PRODUCTION in a; do app; done",
        ] {
            for shell in ["sh", "/bin/bash", "CMD-SHELL"] {
                assert!(replaces(&[shell, "-c", script]), "{script}");
            }
        }
    }

    #[test]
    fn commands_may_read_locked_variables() {
        for command in [
            &["app", "--is-production=false"][..],
            &["env", "IS_PRODUCTION=false", "A=b", "app"],
            &["env", "app", "-i"],
            &["python3", "-c", "import os; print(os.environ['IS_PRODUCTION'])"],
            &["printenv", "IS_PRODUCTION"],
            &["sh", "-c", "IS_PRODUCTION=$IS_PRODUCTION app; [ \"$IS_PRODUCTION\" = true ]"],
            &["sh", "-c", "IS_PRODUCTION=\"${IS_PRODUCTION}\" app"],
            &["sh", "-c", "export IS_PRODUCTION=false; app"],
            &["sh", "-c", "unset A; env -u B app -i"],
            &["sh", "-c", "case ${IS_PRODUCTION:-no} in true) exit 1;; esac; echo ${#IS_PRODUCTION}"],
            &["sh", "-c", "echo \"production: $IS_PRODUCTION, ${IS_PRODUCTION%x}\"; printenv IS_PRODUCTION"],
            &["sh", "-c", "MY_IS_PRODUCTION=1 IS_PRODUCTION_URL=x app --is_production"],
        ] {
            assert!(!replaces(command), "{command:?}");
        }
    }
}
