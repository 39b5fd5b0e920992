//! The access token for GitLab: its source, and the servers that may have it. A cloned project may name a
//! server, but that server does not get the user's own token.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::base::files::{self, FileError};
use crate::base::secret::Secret;
use crate::base::text::duration;
use crate::config::{SettingOrigin, Settings};

/// Maximum bytes of a token's file.
const LIMIT: u64 = 64 << 10;

/// An error of getting the token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The command failed.
    #[error("the command of `gitlab.token_command` failed: {0}")]
    Command(String),
    /// Other users can read the file.
    #[error("`{0}` holds a token and can be read by others")]
    Readable(String),
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The availability of the token.
#[derive(Debug)]
pub enum TokenStanding {
    /// No token is set.
    Missing,
    /// There is a token, and the server must not have it: a project's file names that server.
    Withheld {
        /// The origin of the server's setting.
        by: String,
    },
    /// There is a token, and the server may have it.
    Usable {
        /// The token.
        token: Secret,
        /// The source of the token.
        from: String,
    },
}

/// Finds the token. With `patience`, a command that prints it has this timeout and must not ask the user;
/// without it, the command may ask.
///
/// # Errors
/// Fails when a token is set and cannot be read.
pub fn look(
    settings: &Settings,
    cwd: &Path,
    patience: Option<Duration>,
) -> Result<TokenStanding, TokenError> {
    let Some((token, origin, from)) = find(settings, cwd, patience)? else {
        return Ok(TokenStanding::Missing);
    };
    Ok(match withheld_by(&settings.gitlab_url, &origin) {
        Some(by) => TokenStanding::Withheld { by },
        None => TokenStanding::Usable { token, from },
    })
}

/// Returns the project's file that names the server, if the token is not that file's own.
fn withheld_by((_, url_origin): &(String, SettingOrigin), token: &SettingOrigin) -> Option<String> {
    // Loopback is no exception: any program may listen there, also a component that `cki` runs.
    let from_project = |origin: &SettingOrigin| matches!(origin, SettingOrigin::Project { .. });
    (from_project(url_origin) && !from_project(token)).then(|| url_origin.to_string())
}

/// Returns the token and its origin: the setting itself, a file, or a command. Only the user's own
/// settings may name the latter two.
fn find(
    settings: &Settings,
    cwd: &Path,
    patience: Option<Duration>,
) -> Result<Option<(Secret, SettingOrigin, String)>, TokenError> {
    if let Some((token, origin)) = &settings.gitlab_token {
        if let SettingOrigin::User { file, .. } = origin {
            check_private(file)?;
        }
        return Ok(Some((token.clone(), origin.clone(), origin.to_string())));
    }
    if let Some(file) = &settings.gitlab_token_file {
        check_private(file)?;
        let token = files::read_text(file, LIMIT)?;
        return Ok(Some((Secret::new(token.trim()), SettingOrigin::Default, file.display().to_string())));
    }
    if let Some(line) = &settings.gitlab_token_command {
        let from = "the command of `gitlab.token_command`".to_owned();
        return Ok(Some((run(line, cwd, patience)?, SettingOrigin::Default, from)));
    }
    Ok(None)
}

/// Refuses a file of the user that others can read.
fn check_private(file: &Path) -> Result<(), TokenError> {
    let facts = file.metadata().map_err(|source| FileError::new("read", file, source))?;
    match facts.permissions().mode() & 0o077 {
        0 => Ok(()),
        _ => Err(TokenError::Readable(file.display().to_string())),
    }
}

/// Runs a command from the user's own settings and returns the first line of its output.
fn run(line: &str, cwd: &Path, patience: Option<Duration>) -> Result<Secret, TokenError> {
    let failed = |why: String| TokenError::Command(why);
    let words = shell_words::split(line).map_err(|error| failed(error.to_string()))?;
    let (program, args) = words.split_first().ok_or_else(|| failed("it is empty".to_owned()))?;
    let mut command = Command::new(program);
    command.args(args).current_dir(cwd).stdin(Stdio::null()).stdout(Stdio::piped());
    command.stderr(Stdio::inherit());
    if patience.is_some() {
        command.stderr(Stdio::null()).process_group(0);
    }
    let child = command.spawn().map_err(|error| failed(format!("{program}: {error}")))?;
    let output = match patience {
        None => child.wait_with_output(),
        Some(patience) => wait(child, patience),
    };
    let output = output.map_err(|error| failed(format!("{program}: {error}")))?;
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let token = text.lines().next().unwrap_or_default().trim();
    if token.is_empty() {
        return Err(failed("it printed nothing".to_owned()));
    }
    Ok(Secret::new(token))
}

/// Waits for a child that leads a process group, and kills the group at the timeout.
fn wait(child: Child, patience: Duration) -> io::Result<Output> {
    let group = i32::try_from(child.id()).map(Pid::from_raw).map_err(io::Error::other)?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        // The receiver may have given up.
        let _ = sender.send(child.wait_with_output());
    });
    receiver.recv_timeout(patience).unwrap_or_else(|_| {
        // The group may have just ended, so a failure is ignored.
        let _ = killpg(group, Signal::SIGKILL);
        Err(io::Error::other(format!("it does not end within {}", duration(patience))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::host::Env;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        let env = Env::new(pairs.iter().copied().chain([("HOME", "/nonexistent")]));
        let config = Config::load(&env, Path::new("/"), []).expect("loads");
        Settings::resolve(&config, &env).expect("resolves")
    }

    fn project() -> SettingOrigin {
        SettingOrigin::Project { file: "/p/cki.toml".into(), line: 1 }
    }

    #[test]
    fn user_token_is_withheld_from_project_server() {
        let evil = ("https://evil.example".to_owned(), project());
        let own = SettingOrigin::Environment("CKI_GITLAB_TOKEN".into());
        assert_eq!(withheld_by(&evil, &own), Some("/p/cki.toml:1".to_owned()));
        assert_eq!(withheld_by(&evil, &project()), None);
        assert_eq!(withheld_by(&("https://gitlab.com".to_owned(), SettingOrigin::Default), &own), None);
        let here = ("http://127.0.0.1:1".to_owned(), project());
        assert_eq!(withheld_by(&here, &own), Some("/p/cki.toml:1".to_owned()));
    }

    #[test]
    fn token_command_prints_token_or_times_out() {
        let look = |line: &str, patience| {
            look(&settings(&[("CKI_GITLAB_TOKEN_COMMAND", line)]), Path::new("/"), patience)
        };
        let second = Some(Duration::from_secs(20));
        assert!(
            matches!(look("printf 'a b\\nc'", second), Ok(TokenStanding::Usable { token, .. }) if token.expose() == "a b")
        );
        for (line, why) in
            [("false", "exit"), ("true", "nothing"), ("", "empty"), ("no-such-program", "No such")]
        {
            let result = if line.is_empty() {
                run("", Path::new("/"), second).map(|_| ())
            } else {
                look(line, second).map(|_| ())
            };
            let error = result.expect_err(line).to_string();
            assert!(error.contains(why), "{error}");
        }
        let began = std::time::Instant::now();
        let error = look("sh -c 'sleep 1000'", Some(Duration::from_millis(50))).expect_err("hangs");
        assert!(error.to_string().contains("does not end"), "{error}");
        assert!(began.elapsed() < Duration::from_secs(10));
        assert!(matches!(super::look(&settings(&[]), Path::new("/"), None), Ok(TokenStanding::Missing)));
    }

    #[test]
    fn token_file_must_be_private() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join("token");
        files::write_atomic(&file, b"secret\n", 0o644).expect("writes");
        let name = file.display().to_string();
        let settings = settings(&[("CKI_GITLAB_TOKEN_FILE", &name)]);
        assert!(matches!(look(&settings, Path::new("/"), None), Err(TokenError::Readable(_))));
        // The same holds for the user's own settings with a token.
        let mut own = settings.clone();
        own.gitlab_token = Some((Secret::new("secret"), SettingOrigin::User { file: file.clone(), line: 1 }));
        assert!(matches!(look(&own, Path::new("/"), None), Err(TokenError::Readable(_))));
        files::write_atomic(&file, b"secret\n", 0o600).expect("writes");
        assert!(matches!(look(&own, Path::new("/"), None), Ok(TokenStanding::Usable { .. })));
        assert!(
            matches!(look(&settings, Path::new("/"), None), Ok(TokenStanding::Usable { token, .. }) if token.expose() == "secret")
        );
    }
}
