//! The user's shell: which it is, and whether it completes `cki`. The shells are a template,
//! `shells.yaml`; the scripts that they load are `cki completions`.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use minijinja::{Environment as Templates, UndefinedBehavior, context};
use nix::unistd::geteuid;
use serde::Deserialize;

use crate::base::assets::Assets;
use crate::base::files::{self, FileError};
use crate::base::yaml::{self, YamlError};
use crate::host::Env;

/// The longest start file of a shell that is read.
const LONGEST: u64 = 16 << 20;

/// The template.
const TEMPLATE: &str = "shells.yaml";
/// What `cki setup` has written is known by this.
pub const MARK: &str = "# added by `cki setup`";

/// A shell that cannot be looked at or taught.
#[derive(Debug, thiserror::Error)]
pub enum ShellError {
    /// The template cannot be read.
    #[error(transparent)]
    Template(#[from] YamlError),
    /// A value of the template cannot be made.
    #[error("`{TEMPLATE}`: the value `{value}` cannot be made")]
    Value {
        /// The value as it is written.
        value: String,
        /// Why not.
        source: minijinja::Error,
    },
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file belongs to somebody else, who would be locked out of it.
    #[error("`{}` belongs to another user", .0.display())]
    Foreign(PathBuf),
}

#[derive(Deserialize)]
struct Written {
    shells: Vec<WrittenShell>,
}

#[derive(Deserialize)]
struct WrittenShell {
    name: String,
    file: String,
    line: String,
    #[serde(default)]
    instead: Vec<String>,
}

/// The user's shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shell {
    /// Its name.
    pub name: String,
    /// The file that it reads.
    pub file: PathBuf,
    /// The line for it.
    pub line: String,
    instead: Vec<PathBuf>,
}

impl Shell {
    /// The shell that `SHELL` names; `None` if there is none, or none that is known.
    ///
    /// # Errors
    /// When the template is not what it should be.
    pub fn of_user(env: &Env, assets: &Assets) -> Result<Option<Self>, ShellError> {
        let Some(program) = env.get("SHELL").map(Path::new).and_then(Path::file_name) else {
            return Ok(None);
        };
        let name = match program.to_string_lossy().into_owned() {
            name if name == "pwsh" => "powershell".to_owned(),
            name => name,
        };
        let Some(asset) = assets.text(TEMPLATE)? else { return Ok(None) };
        let (written, _) = yaml::parse::<Written>(&asset.origin, &asset.text)?;
        let Some(shell) = written.shells.into_iter().find(|shell| shell.name == name) else {
            return Ok(None);
        };
        let Some(home) = env.home() else { return Ok(None) };
        let path = |text: &str| fill(text, env, &home).map(PathBuf::from);
        Ok(Some(Self {
            file: path(&shell.file)?,
            instead: shell.instead.iter().map(|text| path(text)).collect::<Result<_, ShellError>>()?,
            name,
            line: shell.line,
        }))
    }

    /// The file that makes it complete `cki`, if one does.
    ///
    /// # Errors
    /// When its own file is there and cannot be read.
    pub fn taught_by(&self) -> Result<Option<PathBuf>, ShellError> {
        if let Some(file) = self.instead.iter().find(|file| file.is_file()) {
            return Ok(Some(file.clone()));
        }
        let text = content(&self.file)?.unwrap_or_default();
        Ok(teaches(&String::from_utf8_lossy(&text), &self.name).then(|| self.file.clone()))
    }

    /// Makes it complete `cki` from its next start on: one line at the end of its file, unless that
    /// is done already. A link stays one, and the file keeps its mode.
    ///
    /// # Errors
    /// When the file is somebody else's, or cannot be written.
    pub fn teach(&self) -> Result<(), ShellError> {
        if self.taught_by()?.is_some() {
            return Ok(());
        }
        let file = self.file.canonicalize().unwrap_or_else(|_| self.file.clone());
        let mode = match nearest(&file) {
            Some((_, facts)) if facts.uid() != geteuid().as_raw() => return Err(ShellError::Foreign(file)),
            Some((path, facts)) if path == file => facts.permissions().mode() & 0o7777,
            _ => 0o644,
        };
        let mut text = content(&file)?.unwrap_or_default();
        if !text.is_empty() && !text.ends_with(b"\n") {
            text.push(b'\n');
        }
        text.extend_from_slice(format!("{}  {MARK}\n", self.line).as_bytes());
        Ok(files::write_whole(&file, &text, mode)?)
    }
}

/// The file, or the nearest folder above it that exists.
fn nearest(file: &Path) -> Option<(&Path, std::fs::Metadata)> {
    file.ancestors().find_map(|path| Some((path, path.metadata().ok()?)))
}

/// The content of a file that need not be there, nor be text.
fn content(file: &Path) -> Result<Option<Vec<u8>>, FileError> {
    match files::read(file, LONGEST) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.source.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a line that is no comment loads the completion.
fn teaches(text: &str, shell: &str) -> bool {
    let ours = [format!("cki completions {shell}"), format!("COMPLETE={shell} cki")];
    text.lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .any(|line| ours.iter().any(|ours| line.contains(ours.as_str())))
}

fn fill(text: &str, env: &Env, home: &Path) -> Result<String, ShellError> {
    let shown = |path: &Path| path.display().to_string();
    let folder = |variable: &str, below: &str| {
        env.get(variable)
            .filter(|path| path.starts_with('/'))
            .map_or_else(|| shown(&home.join(below)), str::to_owned)
    };
    let mut templates = Templates::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    let around = context! {
        home => shown(home),
        config => folder("XDG_CONFIG_HOME", ".config"),
        data => folder("XDG_DATA_HOME", ".local/share"),
        zdotdir => env.get("ZDOTDIR").map_or_else(|| shown(home), str::to_owned),
    };
    templates.render_str(text, around).map_err(|source| ShellError::Value { value: text.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(home: &Path, program: &str) -> Option<Shell> {
        let home = home.display().to_string();
        let env = Env::new([("HOME", home.as_str()), ("SHELL", program), ("ZDOTDIR", "/z")]);
        Shell::of_user(&env, &Assets::default()).expect("the template is good")
    }

    #[test]
    fn each_shell_has_a_file_of_its_own() {
        let file = |program: &str| shell(Path::new("/h"), program).map(|shell| shell.file);
        assert_eq!(file("/bin/bash"), Some("/h/.bashrc".into()));
        assert_eq!(file("/bin/zsh"), Some("/z/.zshrc".into()));
        assert_eq!(file("fish"), Some("/h/.config/fish/completions/cki.fish".into()));
        assert_eq!(file("/usr/bin/elvish"), Some("/h/.config/elvish/rc.elv".into()));
        assert_eq!(file("/usr/bin/pwsh"), Some("/h/.config/powershell/profile.ps1".into()));
        assert_eq!(file("/bin/ksh"), None);
        assert_eq!(file(""), None);
    }

    #[test]
    fn a_shell_is_taught_once_and_its_file_stays_what_it_was() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let shell = shell(home.path(), "/bin/bash").expect("is known");
        assert_eq!(shell.taught_by().expect("looks"), None);
        let real = home.path().join("dotfiles-bashrc");
        // Without an end of line, and not all of it text.
        std::fs::write(&real, b"# cki completions bash\nalias x='\xff'").expect("writes");
        std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o600)).expect("sets the mode");
        std::os::unix::fs::symlink(&real, &shell.file).expect("links");
        for _ in 0..2 {
            shell.teach().expect("teaches");
        }
        assert_eq!(shell.taught_by().expect("looks"), Some(shell.file.clone()));
        let text = std::fs::read(&real).expect("reads");
        let wanted = format!("# cki completions bash\nalias x='?'\n{}  {MARK}\n", shell.line);
        let text: Vec<u8> = text.into_iter().map(|byte| if byte == 0xff { b'?' } else { byte }).collect();
        assert_eq!(String::from_utf8_lossy(&text), wanted);
        assert!(shell.file.is_symlink());
        assert_eq!(real.metadata().expect("is there").permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_missing_file_is_made_and_one_that_cannot_be_read_is_left_alone() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let fish = shell(home.path(), "fish").expect("is known");
        fish.teach().expect("teaches");
        let text = std::fs::read_to_string(&fish.file).expect("is there");
        assert_eq!(text, format!("{}  {MARK}\n", fish.line));
        let bash = shell(home.path(), "bash").expect("is known");
        std::fs::create_dir(&bash.file).expect("makes");
        assert!(matches!(bash.teach(), Err(ShellError::File(_))));
        let foreign = shell(Path::new("/proc/1/nobody"), "bash").expect("is known");
        assert!(foreign.teach().is_err());
    }
}
