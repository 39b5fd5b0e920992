//! The shell and a few tools of this machine, which the demo puts into its base image, so that `cki shell` and
//! `cki exec` have something to run there. Nothing is downloaded; a tool that this machine lacks is left out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::base::files::{self, FileError};
use crate::host::executable::{ProgramError, copy_below, libraries};
use crate::host::{Env, programs};

/// The shell.
const SHELL: &str = "sh";
/// Programs of every Linux, by the guides that type them.
const TOOLS: [&str; 10] = [SHELL, "cat", "env", "grep", "head", "ls", "printenv", "sleep", "tail", "uname"];
/// Directories in which POSIX systems have these programs. Those of `PATH` follow, which may hold wrappers.
const DIRECTORIES: &str = "/bin:/usr/bin";

/// The files of the tools, ready to be copied.
#[derive(Debug, Default)]
pub(super) struct Tools {
    /// Files by their path in the image.
    files: BTreeMap<PathBuf, PathBuf>,
    /// Programs by their name in `/bin` of the image.
    programs: BTreeMap<&'static str, PathBuf>,
}

impl Tools {
    /// Finds the tools of this machine.
    pub(super) fn find(env: &Env) -> Self {
        let mut path = std::ffi::OsString::from(DIRECTORIES);
        if let Some(more) = env.get_os("PATH") {
            path.push(":");
            path.push(more);
        }
        let env = Env::new([("PATH", path)]);
        let mut tools = Self::default();
        for name in TOOLS {
            // A wrapper script, or a program for another machine, does not run in the image.
            let _ = tools.add(&env, name);
        }
        tools
    }

    /// Returns whether a shell is among them.
    pub(super) fn have_shell(&self) -> bool {
        self.programs.contains_key(SHELL)
    }

    fn add(&mut self, env: &Env, name: &'static str) -> Result<(), ProgramError> {
        let Some(program) = programs::find(env, name) else { return Ok(()) };
        // One program may have several names, as busybox does: it is in the image once.
        let program = program.canonicalize().map_err(|source| FileError::new("find", &program, source))?;
        self.files.extend(libraries(&program)?);
        self.files.insert(program.clone(), program.clone());
        self.programs.insert(name, program);
        Ok(())
    }

    /// Copies the files below a directory, which becomes the root of the image.
    ///
    /// # Errors
    /// Fails when a file cannot be read or written.
    pub(super) fn copy(&self, root: &Path) -> Result<(), FileError> {
        copy_below(root, &self.files)?;
        for (name, program) in &self.programs {
            let link = root.join("bin").join(name);
            if link.exists() {
                continue;
            }
            files::make_directory(&root.join("bin"))?;
            let target = Path::new("..").join(program.strip_prefix("/").unwrap_or(program));
            std::os::unix::fs::symlink(target, &link)
                .map_err(|error| FileError::new("create", &link, error))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_of_this_machine_are_copied_under_their_names() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let tools = Tools::find(&Env::default());
        assert!(tools.have_shell(), "{tools:?}");
        tools.copy(root.path()).expect("copies");
        for name in tools.programs.keys() {
            let program = root.path().join("bin").join(name);
            assert!(program.is_file(), "{name}");
            assert!(program.canonicalize().expect("exists").starts_with(root.path()), "{name}");
        }
        tools.copy(root.path()).expect("copies what is there already");
    }

    #[test]
    fn tools_leave_out_wrapper_scripts() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().expect("a temporary directory");
        let wrapper = directory.path().join("wrapped");
        std::fs::write(&wrapper, "#!/bin/sh\n").expect("writes");
        std::fs::set_permissions(&wrapper, std::fs::Permissions::from_mode(0o755)).expect("sets");
        let env = Env::new([("PATH", directory.path())]);
        let mut tools = Tools::default();
        assert!(tools.add(&env, "wrapped").is_err());
        tools.add(&env, "absent").expect("is left out");
        assert!(tools.programs.is_empty() && tools.files.is_empty(), "{tools:?}");
    }
}
