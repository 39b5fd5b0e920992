//! Protects this program from a component: its forks, the supervisor and `init`, hold a copy of its memory,
//! environment and arguments, and are processes of the same user. Their memory cannot be read
//! (`PR_SET_DUMPABLE`), environment and arguments are wiped, and the component has no capability that would
//! lift this for root. The component's view of the machine is otherwise limited in `namespaces`.

use nix::sys::prctl;

use super::kernel;
use crate::host::arguments::ProcessBlocks;

/// Wipes the arguments and the environment; for use in a fork.
pub(super) fn wipe(blocks: &ProcessBlocks) {
    kernel::wipe(&blocks.arguments);
    kernel::wipe(&blocks.environment);
}

/// Keeps other processes of this user from reading the memory of this one and of its forks, until they exec.
/// No debugger can attach to it, and it leaves no core dump.
pub(super) fn close_memory() {
    // The call fails only for invalid values.
    let _ = prctl::set_dumpable(false);
}
