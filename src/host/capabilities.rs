//! Capabilities of this process (capabilities(7)). Which ones a component keeps is decided elsewhere.

use nix::errno::Errno;
use nix::libc;

/// Mask of the right to enter namespaces.
pub const SYS_ADMIN: u64 = 1 << 21;
/// Mask of the right to open the namespaces of processes of other users.
pub const SYS_PTRACE: u64 = 1 << 19;

/// Drops all capabilities of this thread and those that it starts except those in a mask, which it must have.
/// As `PR_SET_NO_NEW_PRIVS` is set, no executed program gets any back, not even as root. Allocates nothing, so
/// that it may be called after a fork.
///
/// # Errors
/// Fails if this thread lacks one of them.
#[expect(unsafe_code, reason = "nix has no capset(2)")]
pub fn keep_only(mask: u64) -> nix::Result<()> {
    /// `_LINUX_CAPABILITY_VERSION_3`: 64 capabilities in two halves.
    #[repr(C)]
    struct Header {
        version: u32,
        pid: libc::c_int,
    }
    let header = Header { version: 0x2008_0522, pid: 0 };
    let [low, high] = [mask & 0xffff_ffff, mask >> 32].map(|half| u32::try_from(half).unwrap_or_default());
    // Effective, permitted and inheritable ones of each half.
    let sets = [low, low, 0, high, high, 0];
    // SAFETY: capset(2) reads a header and two times three numbers.
    Errno::result(unsafe { libc::syscall(libc::SYS_capset, &raw const header, sets.as_ptr()) }).map(drop)
}

/// Returns those capabilities in a mask that this process has.
#[must_use]
pub fn held(mask: u64) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let permitted = status.lines().find_map(|line| line.strip_prefix("CapPrm:"));
    permitted.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or_default() & mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_dropped_for_a_thread() {
        let own = held(u64::MAX);
        let left = std::thread::spawn(|| {
            keep_only(held(SYS_ADMIN)).expect("drops the others");
            let status = std::fs::read_to_string("/proc/thread-self/status").expect("is there");
            let set = status.lines().find_map(|line| line.strip_prefix("CapEff:")).expect("has capabilities");
            u64::from_str_radix(set.trim(), 16).expect("is a number")
        });
        assert_eq!(left.join().expect("ends"), own & SYS_ADMIN);
        assert_eq!(held(u64::MAX), own, "other threads keep theirs");
    }
}
