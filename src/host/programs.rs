//! Programs installed on the machine, and their search in `PATH`. Calls of a program are in the system that
//! uses it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Env;

/// Prefix of the names of this program's own variables.
const OWN: &[u8] = b"CKI_";

/// Returns the file of a program, looked up in the absolute directories of `PATH`. A shell also looks in relative
/// ones, of which an empty entry is one; they would let a stranger's repository, in which the user works, choose the
/// program.
#[must_use]
pub fn find(env: &Env, name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return is_executable(Path::new(name)).then(|| PathBuf::from(name));
    }
    let path = env.get_os("PATH")?;
    let directories = std::env::split_paths(path).filter(|directory| directory.is_absolute());
    directories.map(|directory| directory.join(name)).find(|file| is_executable(file))
}

/// Returns a command for a program with the variables of an environment, except those of this program: they may hold a
/// token, which is of no concern to other programs and what they start (`ssh`, plugins, helpers of editors).
#[must_use]
pub fn command(env: &Env, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    let is_own = |name: &OsStr| name.as_encoded_bytes().starts_with(OWN);
    command.env_clear().envs(env.iter().filter(|(name, _)| !is_own(name)));
    command
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn find_ignores_relative_directories() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join("program");
        std::fs::copy("/bin/sh", &file).expect("copies");
        let found = |path: &str| find(&Env::new([("PATH", path)]), "program");
        assert_eq!(found(&format!("/nowhere:{}", directory.path().display())), Some(file.clone()));
        // From the root, and so from anywhere.
        let relative = format!("{}.{}", "../".repeat(40), directory.path().display());
        assert!(is_executable(&Path::new(&relative).join("program")));
        for path in [relative.clone(), format!(":{relative}"), format!("/nowhere:./{relative}:")] {
            assert_eq!(found(&path), None, "{path}");
        }
    }

    #[test]
    fn command_passes_no_variable_of_this_program() {
        let env = Env::new([("CKI_GITLAB_TOKEN", "glpat-1"), ("CKI_", "2"), ("HOME", "/h"), ("XCKI_A", "3")]);
        let output = command(&env, "/usr/bin/env").output().expect("runs");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "HOME=/h\nXCKI_A=3\n");
    }

    #[test]
    fn find_searches_path_only() {
        let env = Env::new([("PATH", "/nowhere:/bin")]);
        assert_eq!(find(&env, "sh"), Some(PathBuf::from("/bin/sh")));
        assert_eq!(find(&env, "no-such-program"), None);
        assert_eq!(find(&Env::default(), "sh"), None);
    }
}
