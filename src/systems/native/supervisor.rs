//! Supervisor: the process between this program and a component, which ends everything of the component. It
//! is a fork that never becomes another program:
//!
//! ```text
//! cki ── supervisor ── component …                    without PID namespaces
//! cki ── supervisor ── init (PID 1 inside) ── component …             with them
//! cki ── supervisor ── supervisor (inside) ── command …   in the namespace of a component
//! ```
//!
//! - The supervisor ends the component when `cki` ends for any reason: its end of the lifeline closes.
//!   (PR_SET_PDEATHSIG would not do: it is bound to the thread that forked.) A byte on the lifeline detaches
//!   a component that is to outlive `cki`.
//! - The supervisor leads a session of its own, without the terminal; the component leads a process group in
//!   it, to which the supervisor passes signals on. [`END`] tells the supervisor to end everything.
//! - All descendants end with the component. In a PID namespace, the kernel kills them when the first process
//!   ends. That is `init`, so that the component need not reap orphans and does not ignore SIGTERM, as a
//!   PID 1 would. Without a namespace, orphans become the supervisor's children (PR_SET_CHILD_SUBREAPER), and
//!   the supervisor kills its children until there are none.
//! - The supervisor of a detached component reads its output, and writes the log.
//! - If the supervisor itself is killed, PR_SET_PDEATHSIG kills `init` or the component. Without a PID
//!   namespace, detached descendants of the component then remain; `orphans` finds them by their home
//!   directory.
//!
//! All of this runs after a fork and allocates nothing (see `kernel::fork`).

use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, RawFd};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal, kill, killpg};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, read};

use super::kernel;
use super::log_pump::LogPump;

/// Signal that tells a supervisor to end everything at once.
pub(super) const END: Signal = Signal::SIGUSR1;

/// Byte on the lifeline that tells the supervisor to let the component outlive `cki`.
pub(super) const RELEASE: u8 = b'r';

const LIFELINE: RawFd = 3;

/// Log, and the pipes with the component's standard output and error.
const LOG: [RawFd; 3] = [4, 5, 6];

/// Kind of the child of a supervisor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Below {
    /// Component, which leads a process group.
    Component,
    /// First process of a PID namespace, itself a supervisor: all processes in the namespace end with it.
    Init,
    /// Supervisor in the PID namespace of other processes. Orphans in there never leave it, so it has to end
    /// them.
    Supervisor,
}

/// Duty of a supervisor.
#[derive(Debug, Clone, Copy)]
pub(super) struct SupervisorConfig<'a> {
    /// End of the lifeline, if it has one.
    pub(super) lifeline: Option<BorrowedFd<'a>>,
    /// Kind of the child.
    pub(super) below: Below,
    /// Log file, and the ends of two pipes, whose content goes into it.
    pub(super) log: Option<[BorrowedFd<'a>; 3]>,
}

/// Supervises a child, until it has ended or must end; exits with its exit code. Signals must be blocked.
pub(super) fn supervise(child: Pid, duty: SupervisorConfig<'_>) -> ! {
    let Ok(signals) = settle(duty) else {
        end(child);
        kernel::exit(1);
    };
    let mut lifeline = duty.lifeline.map_or(-1, |_| LIFELINE);
    let mut pump = duty.log.map(|_| LogPump::new(LOG));
    let code = loop {
        match kernel::ended_child() {
            Ok(Some((pid, code))) if pid == child => break code,
            // An orphan that was reparented to this process.
            Ok(Some((pid, _))) => {
                kernel::reap(pid);
                continue;
            }
            Ok(None) | Err(Errno::EINTR) => {}
            Err(_) => break 1,
        }
        let [stdout, stderr] = pump.as_ref().map_or([-1; 2], LogPump::sources);
        let [signalled, called, ..] =
            kernel::poll([signals.as_fd().as_raw_fd(), lifeline, stdout, stderr], -1);
        if let Some(pump) = &mut pump {
            pump.pass_on();
        }
        if called {
            let mut byte = [0];
            match read(kernel::borrow_fd(LIFELINE), &mut byte) {
                Ok(1) if byte[0] == RELEASE => lifeline = -1,
                Err(Errno::EINTR) => {}
                _ => break 128 + Signal::SIGKILL as i32,
            }
        }
        if signalled && let Ok(Some(facts)) = signals.read_signal() {
            match i32::try_from(facts.ssi_signo).map(Signal::try_from) {
                Ok(Ok(END)) => break 128 + Signal::SIGKILL as i32,
                Ok(Ok(signal @ (Signal::SIGTERM | Signal::SIGINT | Signal::SIGHUP | Signal::SIGQUIT))) => {
                    pass(child, duty.below, signal);
                }
                _ => {}
            }
        }
    };
    if duty.below == Below::Supervisor {
        end_by(child);
    }
    end(child);
    // Everything has ended, so the pipes contain all output.
    while pump.as_mut().is_some_and(LogPump::pass_on) {}
    kernel::exit(code)
}

/// Closes descriptors that would keep pipes open, and prepares to receive signals.
fn settle(duty: SupervisorConfig<'_>) -> nix::Result<SignalFd> {
    let _ = prctl::set_name(if duty.lifeline.is_some() { c"cki-supervisor" } else { c"cki-init" });
    let null = open(c"/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty())?;
    for standard in 0..3 {
        kernel::place(null.as_fd(), standard)?;
    }
    // `null` itself may be replaced below: it must not be closed twice.
    std::mem::forget(null);
    let mut next = LIFELINE;
    if let Some(lifeline) = duty.lifeline {
        // Any of the files may have a number at which another one is placed.
        let above = |file| kernel::place_above(file, LOG[2] + 1);
        let lifeline = above(lifeline)?;
        let [log, stdout, stderr] = duty.log.map(|files| files.map(above)).unwrap_or([Ok(lifeline); 3]);
        let files = [lifeline, log?, stdout?, stderr?];
        next = if duty.log.is_some() { LOG[2] + 1 } else { LIFELINE + 1 };
        for (file, at) in files.into_iter().zip(LIFELINE..next) {
            kernel::place(file, at)?;
        }
    }
    kernel::close_from(next);
    SignalFd::with_flags(&SigSet::all(), SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
}

/// Passes a signal on to the component's group, or to the child alone while it has no group.
fn pass(child: Pid, below: Below, signal: Signal) {
    if below != Below::Component || killpg(child, signal).is_err() {
        let _ = kill(child, signal);
    }
}

/// Makes a supervisor end all its processes, and waits for that, for at most five seconds.
fn end_by(supervisor: Pid) {
    let _ = kill(supervisor, END);
    for _ in 0..5000 {
        match kernel::ended_child() {
            Ok(Some((pid, _))) if pid == supervisor => return,
            Ok(Some((pid, _))) => kernel::reap(pid),
            Ok(None) | Err(Errno::EINTR) => {
                kernel::poll([-1, -1], 1);
            }
            Err(_) => return,
        }
    }
}

/// Kills the child, its group, and all orphans of this process, until there is none.
fn end(child: Pid) {
    // The child was not reaped, so its PID and group ID are still its own.
    let _ = killpg(child, Signal::SIGKILL);
    let _ = kill(child, Signal::SIGKILL);
    let mut gone = false;
    loop {
        let known = kill_children();
        match kernel::ended_child() {
            Ok(Some((pid, _))) => {
                kernel::reap(pid);
                gone |= pid == child;
            }
            // The kernel does not list children: the known one must do.
            Ok(None) if gone && !known => return,
            Ok(None) | Err(Errno::EINTR) => {
                kernel::poll([-1, -1], 1);
            }
            Err(_) => return,
        }
    }
}

/// Kills every child of this process; their PIDs are safe to use, as nothing else reaps them. Returns whether
/// the kernel lists them (proc(5), CONFIG_PROC_CHILDREN).
fn kill_children() -> bool {
    let Ok(list) = open(c"/proc/thread-self/children", OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())
    else {
        return false;
    };
    let mut buffer = [0u8; 1024];
    let mut number = 0i32;
    loop {
        match read(&list, &mut buffer) {
            Ok(0) => return true,
            Ok(length) => {
                for byte in buffer.iter().take(length) {
                    if byte.is_ascii_digit() {
                        number = number.wrapping_mul(10).wrapping_add(i32::from(byte - b'0'));
                    } else if number > 0 {
                        let _ = kill(Pid::from_raw(number), Signal::SIGKILL);
                        number = 0;
                    }
                }
            }
            Err(Errno::EINTR) => {}
            Err(_) => return false,
        }
    }
}
