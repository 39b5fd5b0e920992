//! Leftover processes of a run whose supervisor was killed, recognised by their home directory. The
//! directory's name contains the run ID, so no other process can have that home; a process that has changed
//! its home is not recognised, and left alone.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::error::NativeError;
use super::kernel::PidFd;

/// Timeout for killed processes to be gone.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Kills every process whose home directory is `home`, until there is none.
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
                verb: "kill leftovers of",
                name: name.to_owned(),
                source,
            })?;
        }
        for (_, process) in &found {
            let _ = tokio::time::timeout_at(deadline.into(), process.ended()).await;
        }
    }
}

/// Returns the living processes with that home directory.
fn at_home(home: &Path) -> Vec<(u32, PidFd)> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| *pid != std::process::id())
        .filter_map(|pid| {
            // Opened first, so that the data read is about this process.
            let process = PidFd::with_number(pid).ok()?;
            let lives = environment(pid)?.get(OsStr::new("HOME"))? == home.as_os_str();
            lives.then_some((pid, process))
        })
        .collect()
}

/// Returns the initial environment of a process (proc(5)); `None` if it has ended or belongs to another user.
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
    fn parse_reads_proc_environ() {
        let pairs = parse(b"A=1\0HOME=/x=y\0\0odd\0B=\0");
        let pairs: Vec<_> = pairs.iter().map(|(key, value)| (key.to_str(), value.to_str())).collect();
        assert_eq!(pairs, [(Some("A"), Some("1")), (Some("B"), Some("")), (Some("HOME"), Some("/x=y"))]);
    }
}
