//! What a run left behind when its supervisor was killed: processes whose home folder is the run's.
//! The folder's name holds the run's id, so that no other process can have that home, however
//! it came to be; one that gave itself another home is not recognised, and left alone.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::error::NativeError;
use super::kernel::Living;

/// How long to wait for killed processes to be gone.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Kills every process at home in `home`, until there is none.
pub(super) async fn kill_all(home: &Path, name: &str) -> Result<(), NativeError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = at_home(home);
        if found.is_empty() {
            return Ok(());
        }
        if Instant::now() > deadline {
            let pids: Vec<u32> = found.into_iter().map(|(pid, _)| pid).collect();
            return Err(NativeError::Unkillable { name: name.to_owned(), count: pids.len(), pids });
        }
        for (_, process) in &found {
            process.signal(Signal::SIGKILL).map_err(|source| NativeError::Process {
                verb: "kill what is left of",
                name: name.to_owned(),
                source,
            })?;
        }
        for (_, process) in &found {
            let _ = tokio::time::timeout_at(deadline.into(), process.ended()).await;
        }
    }
}

/// The living processes that are at home there.
fn at_home(home: &Path) -> Vec<(u32, Living)> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| *pid != std::process::id())
        .filter_map(|pid| {
            // Held first, so that what is read is about the process that is held.
            let process = Living::with_number(pid).ok()?;
            let lives = environment(pid)?.get(OsStr::new("HOME"))? == home.as_os_str();
            lives.then_some((pid, process))
        })
        .collect()
}

/// The environment that a process began with (proc(5)); nothing for one that has ended, or is
/// another user's.
pub(super) fn environment(pid: u32) -> Option<BTreeMap<OsString, OsString>> {
    let content = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
    Some(parse(&content))
}

fn parse(content: &[u8]) -> BTreeMap<OsString, OsString> {
    content
        .split(|byte| *byte == 0)
        .filter_map(|entry| {
            let equals = entry.iter().position(|byte| *byte == b'=')?;
            let value = OsString::from_vec(entry[equals + 1..].to_vec());
            Some((OsStr::from_bytes(&entry[..equals]).to_owned(), value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_is_read_as_the_kernel_shows_it() {
        let pairs = parse(b"A=1\0HOME=/x=y\0\0odd\0B=\0");
        let pairs: Vec<_> = pairs.iter().map(|(key, value)| (key.to_str(), value.to_str())).collect();
        assert_eq!(pairs, [(Some("A"), Some("1")), (Some("B"), Some("")), (Some("HOME"), Some("/x=y"))]);
    }
}
