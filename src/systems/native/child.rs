//! Child side of a start, from fork to exec. It leaves a supervisor behind (`supervisor` describes the tree
//! of processes).
//!
//! All of this runs after a fork and allocates nothing (see `kernel::fork`).

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;

use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::{ForkResult, Pid, chdir, setpgid, setsid};

use super::hardening;
use super::kernel;
use super::namespaces::{NamespaceRefusal, Namespaces, own_proc};
use super::supervisor::{Below, END, SupervisorConfig, supervise};
use crate::host::arguments::ProcessBlocks;
use crate::host::capabilities;

/// Data that a child needs, prepared before the fork.
#[derive(Debug)]
pub(super) struct ChildPlan {
    /// Memory of this program that its forks wipe.
    pub(super) blocks: ProcessBlocks,
    /// Namespaces to join.
    pub(super) rooms: Arc<Namespaces>,
    /// Create a PID namespace.
    pub(super) own_processes: bool,
    /// Working directory.
    pub(super) workdir: CString,
    /// Supervisor's end of the lifeline.
    pub(super) lifeline: OwnedFd,
    /// Log file, and the ends of two pipes with the component's standard output and error.
    pub(super) log: Option<[OwnedFd; 3]>,
    /// Standard input is the component's own terminal.
    pub(super) terminal: bool,
}

impl ChildPlan {
    /// Turns this child into a component. Returns in the process that is to exec.
    pub(super) fn carry_out(&self) -> io::Result<()> {
        hardening::wipe(&self.blocks);
        setsid()?;
        self.rooms.enter()?;
        if self.own_processes {
            unshare(CloneFlags::CLONE_NEWPID)?;
        }
        // No signal may end a supervisor, and the component starts with default signals.
        SigSet::all().thread_block()?;
        kernel::default_signals();
        let below = match () {
            () if self.own_processes => Below::Init,
            () if self.rooms.processes.is_some() => Below::Supervisor,
            () => Below::Component,
        };
        let log = self.log.as_ref().map(|files| files.each_ref().map(|file| file.as_fd()));
        fork_supervisor(SupervisorConfig { lifeline: Some(self.lifeline.as_fd()), below, log })?;
        if below == Below::Init {
            own_proc().map_err(NamespaceRefusal::errno)?;
        }
        // Must precede the next supervisor, which looks for its children in `/proc`.
        self.rooms.enter_mounts()?;
        if below != Below::Component {
            fork_supervisor(SupervisorConfig { lifeline: None, below: Below::Component, log: None })?;
        }
        if self.terminal {
            // A session of its own, with this terminal: its process group is in the foreground.
            setsid()?;
            kernel::take_terminal()?;
        } else {
            setpgid(Pid::from_raw(0), Pid::from_raw(0))?;
        }
        chdir(self.workdir.as_c_str())?;
        prctl::set_no_new_privs()?;
        capabilities::keep_only(0)?;
        kernel::close_on_exec_from(3);
        SigSet::all().thread_unblock()?;
        Ok(())
    }
}

/// Forks: the parent becomes the supervisor of the child, which continues.
fn fork_supervisor(duty: SupervisorConfig<'_>) -> io::Result<()> {
    prctl::set_child_subreaper(true)?;
    let last = match duty.below {
        Below::Supervisor => END,
        Below::Init | Below::Component => Signal::SIGKILL,
    };
    if let ForkResult::Parent { child } = kernel::fork()? {
        supervise(child, duty);
    }
    prctl::set_pdeathsig(last)?;
    Ok(())
}
