//! Resource limits for containers of a Podman that may not raise its own. By default, Podman requests a
//! million files and processes for a container; if its own limits are lower and it lacks the right to raise
//! them, no container starts. Then containers get the limits of the service itself. Docker needs no such
//! help.

use super::address::Address;

/// Podman's default for both.
const WANTED: i64 = 1 << 20;
/// `CAP_SYS_RESOURCE`: the right to raise limits.
const SYS_RESOURCE: u32 = 24;

/// Limits to request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PodmanLimits {
    /// Open files.
    pub(super) files: i64,
    /// Processes.
    pub(super) processes: i64,
}

/// Returns the limits to request from the service behind a socket; `None` if it needs none, or its process is
/// not visible.
pub(super) async fn needed(address: &Address) -> Option<PodmanLimits> {
    let pid = address.process().await?;
    let read = |file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}")).ok();
    decide(&read("status")?, &read("limits")?)
}

fn decide(status: &str, limits: &str) -> Option<PodmanLimits> {
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    let may_raise = u64::from_str_radix(effective.trim(), 16).ok()? >> SYS_RESOURCE & 1 == 1;
    let files = hard(limits, "Max open files")?;
    let processes = hard(limits, "Max processes")?;
    let short = files < WANTED || processes < WANTED;
    (short && !may_raise).then(|| PodmanLimits { files: files.min(WANTED), processes: processes.min(WANTED) })
}

/// Parses a line such as `Max open files            1024                 524288               files`.
fn hard(limits: &str, name: &str) -> Option<i64> {
    let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
    match line.split_whitespace().nth(1)? {
        "unlimited" => Some(i64::MAX),
        number => number.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: &str = "Limit                     Soft Limit           Hard Limit           Units     \n\
        Max processes             96365                96365                processes \n\
        Max open files            20000                20000                files     \n";

    #[test]
    fn podman_limits_fall_back_to_those_of_service() {
        assert_eq!(
            decide("CapEff:\t000001fffeffffff\n", LIMITS),
            Some(PodmanLimits { files: 20000, processes: 96365 })
        );
        assert_eq!(decide("CapEff:\t000001ffffffffff\n", LIMITS), None);
        let plenty = LIMITS.replace("20000", "unlimited").replace("96365", "2000000");
        assert_eq!(decide("CapEff:\t0000000000000000\n", &plenty), None);
        assert_eq!(decide("", LIMITS), None);
    }
}
