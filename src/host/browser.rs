//! The user's browser: the choice of a program, and its start.

use std::path::PathBuf;

use super::{Env, programs};

/// Programs that open an address in the browser of the desktop.
const OPENERS: [&str; 2] = ["xdg-open", "wslview"];

/// A program that shows a web page.
#[derive(Debug, Clone)]
pub struct Browser {
    words: Vec<String>,
    /// The file of the first word: the system's own search would also look in the working directory, for a `PATH` with
    /// an empty entry.
    file: PathBuf,
    env: Env,
}

/// A browser that did not show a page.
#[derive(Debug, thiserror::Error)]
#[error("the browser `{program}` {how}")]
pub struct BrowserError {
    /// Its program.
    pub program: String,
    /// The address to show.
    pub url: String,
    /// The failure.
    pub how: String,
}

impl Browser {
    /// Returns the browser of an environment: the first one in `BROWSER` that is installed, else the desktop's.
    /// There is none without a desktop, or at the other end of an SSH connection.
    #[must_use]
    pub fn of(env: &Env) -> Option<Self> {
        let given = |name: &str| env.get(name).is_some_and(|value| !value.is_empty());
        let installed = |words: Vec<String>| {
            let file = programs::find(env, words.first()?)?;
            Some(Self { words, file, env: env.clone() })
        };
        if given("BROWSER") {
            let all = env.get("BROWSER").unwrap_or_default().split(':');
            return all.filter_map(|words| shell_words::split(words).ok()).find_map(installed);
        }
        let is_remote = given("SSH_CONNECTION") || given("SSH_TTY");
        let has_desktop = ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"].into_iter().any(given);
        if is_remote || !has_desktop {
            return None;
        }
        OPENERS.into_iter().find_map(|opener| installed(vec![opener.to_owned()]))
    }

    /// Returns its program.
    #[must_use]
    pub fn program(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// Shows a page, and waits for the program, which may use this terminal. `%s` in its words stands for the
    /// address.
    ///
    /// # Errors
    /// Fails if the program cannot be started, or fails.
    pub fn show(&self, url: &str) -> Result<(), BrowserError> {
        let mut words: Vec<String> = self.words.iter().map(|word| word.replace("%s", url)).collect();
        if words == self.words {
            words.push(url.to_owned());
        }
        let failed =
            |how: String| BrowserError { program: self.program().to_owned(), url: url.to_owned(), how };
        let ended = programs::command(&self.env, &self.file).args(&words[1..]).status();
        let ended = ended.map_err(|error| failed(format!("cannot be started: {error}")))?;
        if ended.success() { Ok(()) } else { Err(failed(format!("failed ({ended})"))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browser_needs_a_desktop_or_is_named() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let opener = directory.path().join("xdg-open");
        std::fs::copy("/bin/sh", opener).expect("copies");
        let path = format!("{}:/bin", directory.path().display());
        let of = |more: &[(&str, &str)]| {
            let browser = Browser::of(&Env::new([("PATH", path.as_str())].iter().chain(more).copied()));
            browser.map(|browser| browser.words.join(" "))
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[("DISPLAY", ":0")]).as_deref(), Some("xdg-open"));
        assert_eq!(of(&[("DISPLAY", ":0"), ("SSH_CONNECTION", "a b")]), None);
        assert_eq!(
            of(&[("BROWSER", "no-such:sh -c 'x %s'"), ("SSH_TTY", "x")]).as_deref(),
            Some("sh -c x %s")
        );
        assert_eq!(of(&[("BROWSER", "no-such"), ("DISPLAY", ":0")]), None);
    }

    #[test]
    fn show_passes_the_address() {
        let show = |words: &[&str]| {
            let words = words.iter().map(|word| (*word).to_owned()).collect();
            let browser = Browser { words, file: PathBuf::from("/bin/sh"), env: Env::default() };
            browser.show("http://127.0.0.1:1").map_err(|error| error.to_string())
        };
        assert_eq!(show(&["sh", "-c", "test $0 = http://127.0.0.1:1"]), Ok(()));
        assert_eq!(show(&["sh", "-c", "test %s = http://127.0.0.1:1"]), Ok(()));
        let error = show(&["sh", "-c", "exit 3"]).expect_err("fails");
        assert_eq!(error, "the browser `sh` failed (exit status: 3)");
    }
}
