//! Programs installed on the machine, and their search in `PATH`. Calls of a program are in the system that
//! uses it.

use std::path::{Path, PathBuf};

use super::Env;

/// Returns the file of a program, looked up in `PATH` as a shell does.
#[must_use]
pub fn find(env: &Env, name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return is_executable(Path::new(name)).then(|| PathBuf::from(name));
    }
    let path = env.get_os("PATH")?;
    std::env::split_paths(path).map(|directory| directory.join(name)).find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn find_searches_path_only() {
        let env = Env::new([("PATH", "/nowhere:/bin")]);
        assert_eq!(find(&env, "sh"), Some(PathBuf::from("/bin/sh")));
        assert_eq!(find(&env, "no-such-program"), None);
        assert_eq!(find(&Env::default(), "sh"), None);
    }
}
