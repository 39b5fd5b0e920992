//! Text of the user's git configuration: the files that the environment names, and the entries in the environment
//! itself. Its meaning is in `user_config`.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use nix::sys::memfd::{MFdFlags, memfd_create};

use super::GitError;
use crate::host::Env;

/// Maximum number of entries in the environment.
const MOST: usize = 10_000;

/// Text of the configuration, in memory: it may hold secrets, and vanishes with the process.
pub(super) struct ConfigText(std::fs::File);

impl ConfigText {
    /// Composes the text.
    pub(super) fn of(env: &Env) -> Result<Self, GitError> {
        let mut text = Vec::new();
        let files = files(env);
        for file in files.iter().filter(|file| file.is_file()) {
            text.extend_from_slice(b"[include]\n\tpath = ");
            quote(file.as_os_str().as_bytes(), &mut text);
            text.push(b'\n');
        }
        entries(env, &mut text)?;
        let fail = |error: std::io::Error| GitError::Config { why: format!("it cannot be stored: {error}") };
        let memory = memfd_create("git-config", MFdFlags::MFD_CLOEXEC).map_err(|error| fail(error.into()))?;
        let mut file = std::fs::File::from(memory);
        file.write_all(&text).map_err(fail)?;
        Ok(Self(file))
    }

    /// Returns a path by which this process can open it.
    pub(super) fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.0.as_raw_fd()))
    }
}

/// Returns the files that git reads, lowest precedence first.
fn files(env: &Env) -> Vec<PathBuf> {
    let mut files = Vec::new();
    if !raw(env, "GIT_CONFIG_NOSYSTEM").is_some_and(is_true) {
        files.push(raw(env, "GIT_CONFIG_SYSTEM").map_or_else(|| "/etc/gitconfig".into(), PathBuf::from));
    }
    if let Some(global) = raw(env, "GIT_CONFIG_GLOBAL") {
        files.push(global.into());
    } else {
        let home = env.get_os("HOME").map(Path::new);
        let xdg = env.get_os("XDG_CONFIG_HOME").map(PathBuf::from);
        let xdg = xdg.or_else(|| home.map(|home| home.join(".config")));
        files.extend(xdg.map(|directory| directory.join("git/config")));
        files.extend(home.map(|home| home.join(".gitconfig")));
    }
    // A relative path is resolved against the working directory, as git does.
    files.into_iter().filter_map(|file| std::path::absolute(file).ok()).collect()
}

/// Appends the entries of `GIT_CONFIG_COUNT`, `GIT_CONFIG_KEY_n` and `GIT_CONFIG_VALUE_n`.
fn entries(env: &Env, text: &mut Vec<u8>) -> Result<(), GitError> {
    let Some(count) = env.get_os("GIT_CONFIG_COUNT") else { return Ok(()) };
    let refuse = |why: String| Err(GitError::Config { why });
    let Some(count) = count.to_str().and_then(|count| count.parse().ok()).filter(|count| *count <= MOST)
    else {
        return refuse(format!("`GIT_CONFIG_COUNT` is no number up to {MOST}"));
    };
    for number in 0..count {
        let variable = |what: &str| raw(env, &format!("GIT_CONFIG_{what}_{number}"));
        let (Some(key), Some(value)) = (variable("KEY"), variable("VALUE")) else {
            return refuse(format!(
                "`GIT_CONFIG_KEY_{number}` or `GIT_CONFIG_VALUE_{number}` is missing, and \
                 `GIT_CONFIG_COUNT` is {count}"
            ));
        };
        let Some(header) = key.to_str().and_then(header) else {
            return refuse(format!("`GIT_CONFIG_KEY_{number}` is not the name of a setting"));
        };
        text.extend_from_slice(header.as_bytes());
        quote(value.as_bytes(), text);
        text.push(b'\n');
    }
    Ok(())
}

/// Returns the beginning of `a.b.c` in a file: a section, and the name in it.
fn header(key: &str) -> Option<String> {
    let (section, rest) = key.split_once('.')?;
    let (subsection, name) =
        rest.rsplit_once('.').map_or((None, rest), |(subsection, name)| (Some(subsection), name));
    let is_word = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let is_name = is_word(name) && name.starts_with(|first: char| first.is_ascii_alphabetic());
    if !is_word(section) || !is_name || rest.contains(['\n', '\0']) {
        return None;
    }
    Some(match subsection {
        Some(subsection) => {
            let subsection = subsection.replace('\\', "\\\\").replace('"', "\\\"");
            format!("[{section} \"{subsection}\"]\n\t{name} = ")
        }
        None => format!("[{section}]\n\t{name} = "),
    })
}

fn quote(value: &[u8], text: &mut Vec<u8>) {
    text.push(b'"');
    for byte in value {
        match byte {
            b'"' | b'\\' => text.extend([b'\\', *byte]),
            b'\n' => text.extend(b"\\n"),
            byte => text.push(*byte),
        }
    }
    text.push(b'"');
}

/// Returns a variable, even if it is empty.
pub(super) fn raw<'a>(env: &'a Env, name: &str) -> Option<&'a OsStr> {
    env.iter().find(|(found, _)| *found == OsStr::new(name)).map(|(_, value)| value)
}

/// Parses a boolean variable as git does.
pub(super) fn is_true(value: &OsStr) -> bool {
    let value: OsString = value.to_ascii_lowercase();
    ["true", "yes", "on"].iter().any(|word| value == *word)
        || value.to_str().and_then(|value| value.parse::<i64>().ok()).is_some_and(|number| number != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_rejects_keys_that_git_does_not_have() {
        for key in ["x", "x.", ".x", "a b.c", "a.1", "a.b\nc.d"] {
            assert_eq!(header(key), None, "{key:?}");
        }
    }
}
