//! Stand-ins and tools that several subjects use.

pub(crate) mod git_server;

use std::path::Path;
use std::process::Command;

use cki::host::{Env, Host};

/// An environment with nothing of the person's who runs the tests but the programs.
pub(crate) fn clean_env(home: &Path) -> Env {
    let path = Host::real().env.get_os("PATH").expect("PATH is set").to_owned();
    Env::new([("PATH", path), ("HOME", home.as_os_str().to_owned()), ("GIT_CONFIG_NOSYSTEM", "1".into())])
}

/// The installed `git`, which knows nothing of the person who runs the tests.
pub(crate) fn git_command(home: &Path) -> Command {
    let mut command = Command::new("git");
    command.env_clear().envs(clean_env(home).iter()).current_dir(home);
    command
}
