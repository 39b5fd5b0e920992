//! Package manager of the machine: its kind, its names of packages, and the commands that install them. The
//! table is a template, `packages.yaml`. Nothing is run here; finding missing programs belongs to `ops`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use nix::unistd::{User, geteuid, getuid};
use serde::Deserialize;

use crate::base::assets::Assets;
use crate::base::files::FileError;
use crate::base::text::command_line;
use crate::base::yaml::{self, YamlError};
use crate::host::{Env, programs};

/// Name of the template.
const TEMPLATE: &str = "packages.yaml";
/// Directories of root's programs, which the `PATH` of other users often omits.
const ROOTS_DIRECTORIES: [&str; 2] = ["/usr/sbin", "/sbin"];
/// Programs that run a command as root.
const PRIVILEGE_TOOLS: [&str; 2] = ["sudo", "doas"];
/// Directory that exists while systemd runs (sd_booted(3)).
const SYSTEMD: &str = "/run/systemd/system";

/// The table of packages cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PackagesError {
    /// The template is not valid.
    #[error(transparent)]
    Template(#[from] YamlError),
    /// The template cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Package manager.
#[derive(Debug, Clone, Deserialize)]
pub struct Manager {
    /// Program.
    pub program: String,
    /// It must run as root.
    #[serde(default = "yes")]
    pub root: bool,
    /// Command that refreshes its lists, if that is a separate step.
    pub refresh: Option<Vec<String>>,
    /// Command to which packages are appended.
    pub install: Vec<String>,
    /// Usual engine of the system.
    pub engine: String,
    packages: BTreeMap<String, Vec<String>>,
}

impl Manager {
    /// Returns the packages that provide a program or file: an engine by its name, `cpp`, `git`, `certificates`. `None`
    /// if there are none.
    #[must_use]
    pub fn packages(&self, program: &str) -> Option<&[String]> {
        self.packages.get(program).map(Vec::as_slice).filter(|packages| !packages.is_empty())
    }

    /// Returns the command line that installs a program or file; `None` if no package provides it.
    #[must_use]
    pub fn install_command(&self, env: &Env, program: &str) -> Option<String> {
        let install = [self.install.as_slice(), self.packages(program)?].concat();
        let shown = |argv: &[String]| match self.root {
            true => command_line(&as_root(env, argv)),
            false => command_line(argv),
        };
        let commands = self.refresh.iter().chain([&install]).map(|argv| shown(argv));
        Some(commands.collect::<Vec<_>>().join(" && "))
    }
}

/// Commands that set up an engine.
#[derive(Debug, Clone, Deserialize)]
pub struct EngineFacts {
    /// Program that is present if the engine is installed.
    pub program: String,
    /// Command that starts its systemd service, if it has one.
    #[serde(default)]
    pub start: Vec<String>,
    /// Command that starts it without systemd.
    #[serde(default)]
    pub by_hand: Vec<String>,
    /// Command to which a user's name is appended to grant access to it.
    #[serde(default)]
    pub join: Vec<String>,
}

/// Table of packages.
#[derive(Debug, Clone, Deserialize)]
pub struct Packages {
    /// Managers, in the order of detection.
    pub managers: Vec<Manager>,
    engines: BTreeMap<String, EngineFacts>,
}

fn yes() -> bool {
    true
}

impl Packages {
    /// Reads the table.
    ///
    /// # Errors
    /// Fails if the template is invalid.
    pub fn read(assets: &Assets) -> Result<Self, PackagesError> {
        let (file, text) = match assets.text(TEMPLATE)? {
            Some(asset) => (asset.origin, asset.text),
            None => (TEMPLATE.to_owned(), "{managers: [], engines: {}}".into()),
        };
        Ok(yaml::parse(&file, &text)?.0)
    }

    /// Returns the manager of this machine.
    #[must_use]
    pub fn manager(&self, env: &Env) -> Option<&Manager> {
        self.managers.iter().find(|manager| programs::find(env, &manager.program).is_some())
    }

    /// Returns the facts of an engine.
    #[must_use]
    pub fn engine(&self, name: &str) -> Option<&EngineFacts> {
        self.engines.get(name)
    }

    /// Returns the program of an engine, if it is installed.
    #[must_use]
    pub fn installed(&self, env: &Env, engine: &str) -> Option<PathBuf> {
        let program = &self.engine(engine)?.program;
        programs::find(env, program).or_else(|| {
            let places = ROOTS_DIRECTORIES.iter().map(|directory| format!("{directory}/{program}"));
            places.into_iter().find_map(|place| programs::find(env, &place))
        })
    }
}

/// Returns whether systemd runs this machine's services.
#[must_use]
pub fn has_systemd() -> bool {
    Path::new(SYSTEMD).is_dir()
}

/// Returns a command to run as root: unchanged for root, else behind `sudo` or `doas`, whichever is
/// installed.
#[must_use]
pub fn as_root(env: &Env, argv: &[String]) -> Vec<String> {
    if is_root() {
        return argv.to_vec();
    }
    let raise = raiser(env).unwrap_or(PRIVILEGE_TOOLS[0]);
    std::iter::once(raise.to_owned()).chain(argv.iter().cloned()).collect()
}

/// Returns whether this process runs as root.
#[must_use]
fn is_root() -> bool {
    geteuid().is_root()
}

fn raiser(env: &Env) -> Option<&'static str> {
    PRIVILEGE_TOOLS.into_iter().find(|name| programs::find(env, name).is_some())
}

/// Returns the name of this process's user, or the number if there is no name.
#[must_use]
pub fn user() -> String {
    let user = getuid();
    User::from_uid(user).ok().flatten().map_or_else(|| user.to_string(), |user| user.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_table_covers_every_manager() {
        let packages = Packages::read(&Assets::default()).expect("is good");
        let names: Vec<&str> = packages.managers.iter().map(|manager| manager.program.as_str()).collect();
        assert_eq!(names, ["apt-get", "dnf", "zypper", "pacman", "apk", "brew"]);
        for manager in &packages.managers {
            assert!(manager.install.contains(&manager.program), "{}", manager.program);
            assert!(manager.packages(&manager.engine).is_some(), "{}", manager.program);
            assert!(packages.engine(&manager.engine).is_some(), "{}", manager.program);
            assert!(manager.packages("git").is_some(), "{}", manager.program);
            assert_eq!(manager.root, manager.program != "brew");
        }
        assert_eq!(packages.managers[0].packages("docker"), Some(["docker.io".to_owned()].as_slice()));
        assert_eq!(packages.managers[0].packages("emacs"), None);
    }

    #[test]
    fn package_manager_is_detected_in_path() {
        let packages = Packages::read(&Assets::default()).expect("is good");
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().display().to_string();
        let env = Env::new([("PATH", path)]);
        assert!(packages.manager(&env).is_none());
        crate::base::files::write_atomic(&directory.path().join("zypper"), b"", 0o755).expect("writes");
        assert_eq!(packages.manager(&env).map(|manager| manager.program.as_str()), Some("zypper"));
    }

    #[test]
    fn install_command_uses_package_manager() {
        let packages = Packages::read(&Assets::default()).expect("is good");
        let on = |manager: &str, program: &str| {
            let manager = packages.managers.iter().find(|one| one.program == manager).expect("is known");
            // These tests run as root, or behind `sudo`.
            manager.install_command(&Env::default(), program).map(|command| command.replace("sudo ", ""))
        };
        assert_eq!(on("apt-get", "git").as_deref(), Some("apt-get update && apt-get install git"));
        assert_eq!(on("dnf", "docker").as_deref(), Some("dnf install moby-engine"));
        assert_eq!(on("brew", "git").as_deref(), Some("brew install git"));
        assert_eq!(on("brew", "cpp"), None);
    }
}
