//! Notifications of the user's desktop, for the end of long work.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::{Env, programs};

/// Variables that a notification program needs; it gets no others, and so no token.
const PASSED: [&str; 8] = [
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "HOME",
    "LANG",
    "PATH",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_RUNTIME_DIR",
];

/// The program that shows notifications.
#[derive(Debug, Clone)]
pub struct Notifier {
    program: PathBuf,
    env: Vec<(&'static str, String)>,
}

impl Notifier {
    /// Returns the notifier of an environment. There is none without a desktop, or at the other end of an SSH
    /// connection.
    #[must_use]
    pub fn of(env: &Env) -> Option<Self> {
        let given = |name: &str| env.get(name).is_some_and(|value| !value.is_empty());
        let is_remote = given("SSH_CONNECTION") || given("SSH_TTY");
        let has_desktop = given("DISPLAY") || given("WAYLAND_DISPLAY");
        if is_remote || !has_desktop {
            return None;
        }
        let program = programs::find(env, "notify-send")?;
        let passed = PASSED.into_iter().filter_map(|name| Some((name, env.get(name)?.to_owned())));
        Some(Self { program, env: passed.collect() })
    }

    /// Shows a notification, and does not wait for it. Returns false if the program cannot be started.
    #[must_use]
    pub fn show(&self, title: &str, text: &str) -> bool {
        let mut command = Command::new(&self.program);
        command.args(["--app-name=cki", "--", title, text]).env_clear().envs(self.env.iter().cloned());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notifier_needs_a_desktop_and_passes_no_token() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        std::fs::copy("/bin/true", directory.path().join("notify-send")).expect("copies");
        let path = directory.path().display().to_string();
        let of = |more: &[(&str, &str)]| {
            Notifier::of(&Env::new(
                [("PATH", path.as_str()), ("GITLAB_TOKEN", "x")].iter().chain(more).copied(),
            ))
        };
        assert!(of(&[]).is_none());
        assert!(of(&[("DISPLAY", ":0"), ("SSH_TTY", "x")]).is_none());
        let notifier = of(&[("DISPLAY", ":0")]).expect("is there");
        assert!(notifier.env.iter().all(|(name, _)| *name != "GITLAB_TOKEN"), "{notifier:?}");
        assert!(notifier.show("--help", "x"));
    }
}
