//! User's shell: its kind, whether it completes `cki`, and the path for its script. The shells are a
//! template, `shells.yaml`; the scripts themselves are `cki completions`.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use minijinja::context;
use nix::unistd::geteuid;
use serde::Deserialize;

use crate::base::assets::Assets;
use crate::base::files::{self, FileError};
use crate::base::template::{TemplateError, Templates, WorkBudget};
use crate::base::yaml::{self, YamlError};
use crate::host::Env;

/// Maximum bytes of a shell's start file.
const LONGEST: u64 = 16 << 20;

/// Name of the template.
const TEMPLATE: &str = "shells.yaml";

/// A shell cannot be inspected or set up.
#[derive(Debug, thiserror::Error)]
pub enum ShellError {
    /// The shell is not supported.
    #[error("cannot tell which shell to complete in: {}", match .named {
        Some(name) => format!("`SHELL` is `{name}`, which is not supported"),
        None => "`SHELL` is not set".to_owned(),
    })]
    Unknown {
        /// Value of `SHELL`.
        named: Option<String>,
    },
    /// There is no home directory.
    #[error("cannot tell where your files are: there is no home directory")]
    NoHome,
    /// The template cannot be read.
    #[error(transparent)]
    Template(#[from] YamlError),
    /// A value of the template cannot be rendered.
    #[error("`{TEMPLATE}`: the value `{value}` cannot be made")]
    Value {
        /// Value as written.
        value: String,
        /// Underlying error.
        source: TemplateError,
    },
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file belongs to another user, who would lose access to it.
    #[error("cannot write `{}`: it belongs to another user", .0.display())]
    Foreign(PathBuf),
}

#[derive(Deserialize)]
struct RawShells {
    shells: Vec<RawShell>,
}

#[derive(Deserialize)]
struct RawShell {
    name: String,
    file: String,
    #[serde(default)]
    start: Option<String>,
    #[serde(default)]
    line: Option<String>,
    #[serde(default)]
    loader: Vec<String>,
    #[serde(default)]
    instead: Vec<String>,
}

/// User's shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shell {
    /// Name.
    pub name: String,
    /// File for the script.
    pub file: PathBuf,
    /// Start file, and the line in it that loads the script.
    pub start: Option<(PathBuf, String)>,
    /// It loads the script without that line.
    pub loads: bool,
    instead: Vec<PathBuf>,
}

/// State of the completion of `cki` in a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompletionState {
    /// It completes, by this file.
    Completes(PathBuf),
    /// The script exists, but the start file does not load it.
    NotLoaded,
    /// There is no script.
    Nothing,
}

/// Returns the shell in `SHELL`, by its name for `cki completions`.
#[must_use]
pub fn name_of_user(env: &Env) -> Option<String> {
    let program = env.get("SHELL").map(Path::new).and_then(Path::file_name)?;
    match program.to_string_lossy().into_owned() {
        name if name == "pwsh" => Some("powershell".to_owned()),
        name => Some(name),
    }
}

impl Shell {
    /// Returns the shell of a name; `None` if it is not supported.
    ///
    /// # Errors
    /// Fails if the template is invalid, or there is no home directory.
    pub fn named(name: &str, env: &Env, assets: &Assets) -> Result<Option<Self>, ShellError> {
        let Some(asset) = assets.text(TEMPLATE)? else { return Ok(None) };
        let (raw, _) = yaml::parse::<RawShells>(&asset.origin, &asset.text)?;
        let Some(shell) = raw.shells.into_iter().find(|shell| shell.name == name) else {
            return Ok(None);
        };
        let home = env.home().ok_or(ShellError::NoHome)?;
        let file = fill(&shell.file, env, &home, "")?;
        let path = |text: &str| fill(text, env, &home, &file).map(PathBuf::from);
        let paths = |all: &[String]| all.iter().map(|text| path(text)).collect::<Result<Vec<_>, _>>();
        let start = match (&shell.start, &shell.line) {
            (Some(start), Some(line)) => Some((path(start)?, fill(line, env, &home, &file)?)),
            _ => None,
        };
        Ok(Some(Self {
            loads: start.is_none() || paths(&shell.loader)?.iter().any(|file| file.is_file()),
            instead: paths(&shell.instead)?,
            name: shell.name,
            file: file.into(),
            start,
        }))
    }

    /// Checks whether it completes `cki`.
    ///
    /// # Errors
    /// Fails if its start file exists and cannot be read.
    pub fn standing(&self) -> Result<CompletionState, ShellError> {
        if let Some(file) = self.instead.iter().find(|file| file.is_file()) {
            return Ok(CompletionState::Completes(file.clone()));
        }
        if let Some((start, line)) = &self.start {
            let text = content(start)?.unwrap_or_default();
            let ours = [format!("cki completions {}", self.name), format!("COMPLETE={} cki", self.name)];
            if loads(&String::from_utf8_lossy(&text), ours.iter().chain([line])) {
                return Ok(CompletionState::Completes(start.clone()));
            }
        }
        Ok(match (self.file.is_file(), self.loads) {
            (true, true) => CompletionState::Completes(self.file.clone()),
            (true, false) => CompletionState::NotLoaded,
            (false, _) => CompletionState::Nothing,
        })
    }

    /// Writes the script to its file, whole or not at all. A link stays a link, and a file keeps its mode.
    ///
    /// # Errors
    /// Fails if the file belongs to another user, or cannot be written.
    pub fn install(&self, script: &str) -> Result<(), ShellError> {
        let file = self.file.canonicalize().unwrap_or_else(|_| self.file.clone());
        let mode = match nearest(&file) {
            Some((_, facts)) if facts.uid() != geteuid().as_raw() => return Err(ShellError::Foreign(file)),
            Some((path, facts)) if path == file => facts.permissions().mode() & 0o7777,
            _ => 0o644,
        };
        Ok(files::write_atomic(&file, script.as_bytes(), mode)?)
    }
}

/// Returns the file, or the nearest existing directory above it.
fn nearest(file: &Path) -> Option<(&Path, std::fs::Metadata)> {
    file.ancestors().find_map(|path| Some((path, path.metadata().ok()?)))
}

/// Returns the content of a file, which may be missing or not be text.
fn content(file: &Path) -> Result<Option<Vec<u8>>, FileError> {
    match files::read(file, LONGEST) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.source.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns whether a line that is no comment contains one of these texts.
fn loads<'a>(text: &str, ours: impl Iterator<Item = &'a String>) -> bool {
    let ours: Vec<&String> = ours.collect();
    text.lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .any(|line| ours.iter().any(|ours| line.contains(ours.as_str())))
}

fn fill(text: &str, env: &Env, home: &Path, script: &str) -> Result<String, ShellError> {
    let shown = |path: &Path| path.display().to_string();
    let directory = |variable: &str, below: &str| {
        env.get(variable)
            .filter(|path| path.starts_with('/'))
            .map_or_else(|| shown(&home.join(below)), str::to_owned)
    };
    let variables = context! {
        home => shown(home),
        script => shell_words::quote(script),
        config => directory("XDG_CONFIG_HOME", ".config"),
        data => directory("XDG_DATA_HOME", ".local/share"),
        zdotdir => env.get("ZDOTDIR").map_or_else(|| shown(home), str::to_owned),
    };
    Templates::new(&WorkBudget::default())
        .render(text, variables)
        .map_err(|source| ShellError::Value { value: text.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(home: &Path, name: &str) -> Shell {
        let home = home.display().to_string();
        let env = Env::new([("HOME", home.as_str()), ("ZDOTDIR", "/z")]);
        Shell::named(name, &env, &Assets::default()).expect("the template is good").expect("is known")
    }

    #[test]
    fn shell_has_its_own_completion_file() {
        let files = |name: &str| {
            let shell = shell(Path::new("/h h"), name);
            (
                shell.file.display().to_string(),
                shell.start.map(|(file, line)| (file.display().to_string(), line)),
            )
        };
        let (file, start) = files("bash");
        assert_eq!(file, "/h h/.local/share/bash-completion/completions/cki");
        let line = "source '/h h/.local/share/bash-completion/completions/cki'".to_owned();
        assert_eq!(start, Some(("/h h/.bashrc".to_owned(), line)));
        assert_eq!(files("zsh").1.expect("has a start file").0, "/z/.zshrc");
        assert_eq!(files("fish"), ("/h h/.config/fish/completions/cki.fish".to_owned(), None));
        assert_eq!(files("elvish").1.expect("has a start file").0, "/h h/.config/elvish/rc.elv");
        assert_eq!(files("powershell").1.expect("has a start file").0, "/h h/.config/powershell/profile.ps1");
        assert_eq!(
            Shell::named("ksh", &Env::new([("HOME", "/h")]), &Assets::default()).expect("reads"),
            None
        );
        let homeless = Shell::named("bash", &Env::default(), &Assets::default());
        assert!(matches!(homeless, Err(ShellError::NoHome)));
        let name = |shell: &str| name_of_user(&Env::new([("SHELL", shell)]));
        assert_eq!((name("/usr/bin/pwsh"), name("")), (Some("powershell".to_owned()), None));
    }

    #[test]
    fn standing_requires_script_loaded_by_start_file() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let mut zsh = shell(home.path(), "zsh");
        let (_, line) = zsh.start.clone().expect("has a start file");
        let start = home.path().join(".zshrc");
        zsh.start = Some((start.clone(), line.clone()));
        zsh.instead.clear();
        assert_eq!(zsh.standing().expect("looks"), CompletionState::Nothing);
        zsh.install("script").expect("installs");
        assert_eq!(zsh.standing().expect("looks"), CompletionState::NotLoaded);
        // Not all of it is text, and a comment loads nothing.
        std::fs::write(&start, b"# cki completions zsh\nalias x='\xff'\n").expect("writes");
        assert_eq!(zsh.standing().expect("looks"), CompletionState::NotLoaded);
        for loading in [line.as_str(), "source <(cki completions zsh)"] {
            std::fs::write(&start, loading).expect("writes");
            assert_eq!(zsh.standing().expect("looks"), CompletionState::Completes(start.clone()));
        }
        let fish = shell(home.path(), "fish");
        fish.install("script").expect("installs");
        assert!(
            fish.instead[0].is_file()
                || fish.standing().expect("looks") == CompletionState::Completes(fish.file)
        );
    }

    #[test]
    fn install_replaces_script_and_keeps_link_and_mode() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let fish = shell(home.path(), "fish");
        let real = home.path().join("dotfiles.fish");
        std::fs::write(&real, "old").expect("writes");
        std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o600)).expect("sets the mode");
        std::fs::create_dir_all(fish.file.parent().expect("is in a directory")).expect("makes");
        std::os::unix::fs::symlink(&real, &fish.file).expect("links");
        for script in ["one", "two"] {
            fish.install(script).expect("installs");
            assert_eq!(std::fs::read_to_string(&real).expect("reads"), script);
        }
        assert!(fish.file.is_symlink());
        assert_eq!(real.metadata().expect("is there").permissions().mode() & 0o777, 0o600);
        let bash = shell(home.path(), "bash");
        std::fs::create_dir_all(&bash.file).expect("makes");
        assert!(matches!(bash.install("x"), Err(ShellError::File(_))));
        assert!(shell(Path::new("/proc/1/nobody"), "bash").install("x").is_err());
    }
}
