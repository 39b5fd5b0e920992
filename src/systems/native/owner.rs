//! The process that owns a run in the foreground: it is asked to end the run itself, so that it knows why the run ends.

use std::time::Duration;

use nix::sys::signal::Signal;

use super::kernel::PidFd;
use crate::base::process_ref::ProcessRef;
use crate::host;
use crate::host::signals::DOWN;

/// Asks the owner of a run to end it, and waits for its end. Returns false if this process cannot ask it, or it takes
/// longer.
pub async fn end_owner(owner: &ProcessRef, patience: Duration) -> bool {
    if !host::is_here(owner) {
        return false;
    }
    let Some(process) = PidFd::find(owner).filter(|_| catches(owner.pid, DOWN)) else { return false };
    process.signal(DOWN).is_ok()
        && matches!(tokio::time::timeout(patience, process.ended()).await, Ok(Ok(())))
}

/// Returns whether a process handles a signal. Anybody who may use the engine can write a label with the PID of any
/// process, and one that does not handle the signal would die of it.
fn catches(pid: u32, signal: Signal) -> bool {
    let Ok(status) = fs_err::read_to_string(format!("/proc/{pid}/status")) else { return false };
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    caught & (1 << (signal as i32 - 1)) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn end_owner_spares_processes_that_do_not_expect_it() {
        let mut child = std::process::Command::new("sleep").arg("100").spawn().expect("starts");
        let owner = host::owner(child.id()).expect("is alive");
        let mut elsewhere = owner.clone();
        elsewhere.place = "another".to_owned();
        assert!(!end_owner(&elsewhere, Duration::ZERO).await);
        assert!(!end_owner(&owner, Duration::ZERO).await);
        assert!(child.try_wait().expect("waits").is_none(), "it still runs");
        child.kill().expect("ends");
        child.wait().expect("ends");
    }
}
