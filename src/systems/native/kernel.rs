//! Kernel calls that Rust cannot check, each behind a safe function. Nothing else belongs here: their use is
//! in `child`, `supervisor` and `namespace_holder`.
//!
//! All of them but [`before_exec`] and [`PidFd`] allocate nothing, so that they may be called
//! after a fork.

#![expect(
    unsafe_code,
    reason = "fork(2), and system calls that neither std nor nix wraps without allocating"
)]

use std::io;
use std::mem::{size_of, zeroed};
use std::ops::Range;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::ptr::with_exposed_provenance_mut;

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::Signal;
use nix::unistd::{ForkResult, Pid};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::base::process_ref::ProcessRef;
use crate::host;

/// Forks. As other threads may hold locks, the child may only do what signal handlers may (signal-safety(7)),
/// in particular not allocate, and must end with exec or [`exit`].
pub(super) fn fork() -> nix::Result<ForkResult> {
    // SAFETY: the callers, all in this directory, keep to the conditions above.
    unsafe { nix::unistd::fork() }
}

/// Runs `prepare` in the child between fork and exec, under the conditions of [`fork`].
pub(super) fn before_exec(
    command: &mut Command,
    prepare: impl FnMut() -> io::Result<()> + Send + Sync + 'static,
) {
    // SAFETY: both callers keep to the conditions of `fork`.
    unsafe { command.pre_exec(prepare) };
}

/// Ends this process at once, without the clean-up of Rust or libc, which belongs to the parent.
pub(super) fn exit(code: i32) -> ! {
    // SAFETY: always allowed.
    unsafe { libc::_exit(code) }
}

/// Duplicates an open file to descriptor `at`, which stays open on exec.
pub(super) fn place(file: BorrowedFd<'_>, at: RawFd) -> nix::Result<()> {
    // SAFETY: only descriptors 0 to 6 of a forked child are replaced, where nothing else uses them.
    Errno::result(unsafe { libc::dup2(file.as_raw_fd(), at) }).map(drop)
}

/// Duplicates an open file to an unused descriptor from `first` on, which stays open on exec.
pub(super) fn place_above(file: BorrowedFd<'_>, first: RawFd) -> nix::Result<BorrowedFd<'static>> {
    // SAFETY: the new descriptor of a forked child has no other owner, and is never closed by one.
    Errno::result(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_DUPFD, first) }).map(borrow_fd)
}

/// Returns a descriptor that [`place`] has set, and that is never closed.
pub(super) fn borrow_fd(at: RawFd) -> BorrowedFd<'static> {
    // SAFETY: see above.
    unsafe { BorrowedFd::borrow_raw(at) }
}

/// Takes ownership of a descriptor that was just received.
pub(super) fn own_fd(received: RawFd) -> OwnedFd {
    // SAFETY: the kernel has created it for this process, and no other code knows of it.
    unsafe { OwnedFd::from_raw_fd(received) }
}

/// Closes all descriptors of a forked child from `first` on.
pub(super) fn close_from(first: RawFd) {
    // SAFETY: the child of a fork uses none of its parent's files any more.
    unsafe {
        if libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, 0) != 0 {
            // Linux before 5.9.
            for descriptor in first..most_descriptors() {
                libc::close(descriptor);
            }
        }
    }
}

/// Marks all descriptors of a forked child from `first` on as close-on-exec, including those that this
/// program inherited at its start.
pub(super) fn close_on_exec_from(first: RawFd) {
    // SAFETY: only sets a flag.
    unsafe {
        let flag = libc::CLOSE_RANGE_CLOEXEC;
        if libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, flag) != 0 {
            // Linux before 5.11.
            for descriptor in first..most_descriptors() {
                libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC);
            }
        }
    }
}

fn most_descriptors() -> RawFd {
    // SAFETY: getrlimit(2) fills the struct that it is given.
    let limit = unsafe {
        let mut limit: libc::rlimit = zeroed();
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
        limit.rlim_cur
    };
    RawFd::try_from(limit.min(1 << 20)).unwrap_or(1 << 20)
}

/// Waits until one of the descriptors is readable or closed at the other end, or the timeout has passed.
/// Ignores a negative descriptor. Returns the state of each.
pub(super) fn poll<const N: usize>(descriptors: [RawFd; N], milliseconds: i32) -> [bool; N] {
    let mut polled = descriptors.map(|fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 });
    // SAFETY: the array has the given length.
    let answer = unsafe { libc::poll(polled.as_mut_ptr(), N as libc::nfds_t, milliseconds) };
    polled.map(|polled| answer > 0 && polled.revents != 0)
}

/// Resets every signal to its default action.
pub(super) fn default_signals() {
    for signal in 1..=64 {
        // SAFETY: no handler is installed. The kernel refuses signals that cannot be changed.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

/// Overwrites memory of a forked child that the kernel shows to other processes.
pub(super) fn wipe(block: &Range<usize>) {
    // SAFETY: the callers pass the arguments and the environment with which this program was started
    // (proc_pid_stat(5)). They are writable, and nothing in a forked child reads them any more.
    unsafe { with_exposed_provenance_mut::<u8>(block.start).write_bytes(0, block.len()) };
}

/// Returns a child that has ended, with its exit code (128 plus the signal's number, if a signal killed it),
/// or `None` if all live. It stays a zombie until [`reap`], so its PID is not reused.
pub(super) fn ended_child() -> nix::Result<Option<(Pid, i32)>> {
    // SAFETY: plain old data, filled in by the kernel, read as waitid(2) says.
    unsafe {
        let mut facts: libc::siginfo_t = zeroed();
        let flags = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
        Errno::result(libc::waitid(libc::P_ALL, 0, &raw mut facts, flags))?;
        let pid = facts.si_pid();
        let code =
            if facts.si_code == libc::CLD_EXITED { facts.si_status() } else { 128 + facts.si_status() };
        Ok((pid != 0).then_some((Pid::from_raw(pid), code)))
    }
}

/// Reaps a child that has ended.
pub(super) fn reap(child: Pid) {
    // SAFETY: waitpid(2) accepts a null pointer for the status.
    unsafe { libc::waitpid(child.as_raw(), std::ptr::null_mut(), 0) };
}

/// Makes standard input the controlling terminal of the session that this process leads.
pub(super) fn take_terminal() -> nix::Result<()> {
    // SAFETY: the call takes a number and no memory (ioctl_tty(2)).
    Errno::result(unsafe { libc::ioctl(0, libc::TIOCSCTTY, 0) }).map(drop)
}

/// Brings up the loopback interface of this process's network namespace.
pub(super) fn loopback_up() -> nix::Result<()> {
    // SAFETY: the request is plain old data in the form of SIOCSIFFLAGS (netdevice(7)).
    unsafe {
        let socket = Errno::result(libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0))?;
        let socket = OwnedFd::from_raw_fd(socket);
        let mut request: libc::ifreq = zeroed();
        request.ifr_name[0] = b'l' as libc::c_char;
        request.ifr_name[1] = b'o' as libc::c_char;
        request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
        Errno::result(libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request)).map(drop)
    }
}

/// Creates a TCP socket in this process's network namespace.
pub(super) fn tcp_socket() -> nix::Result<OwnedFd> {
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: a new descriptor has no other owner.
    unsafe { Ok(OwnedFd::from_raw_fd(Errno::result(libc::socket(libc::AF_INET, kind, 0))?)) }
}

/// Sends an open file to the process at the other end of a Unix socket (unix(7)), with one byte.
pub(super) fn send_file(channel: BorrowedFd<'_>, file: BorrowedFd<'_>) -> nix::Result<()> {
    // The kernel requires the alignment of the control message's header.
    #[repr(C, align(8))]
    struct ControlMessage([u8; 64]);
    let length = u32::try_from(size_of::<RawFd>()).unwrap_or(4);
    let mut byte = [0u8];
    let mut control = ControlMessage([0; 64]);
    // SAFETY: the message points to data that outlives the call, and the control buffer has room for one
    // header and one descriptor (cmsg(3)).
    unsafe {
        let mut part = libc::iovec { iov_base: byte.as_mut_ptr().cast(), iov_len: 1 };
        let mut message: libc::msghdr = zeroed();
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        message.msg_control = control.0.as_mut_ptr().cast();
        message.msg_controllen = libc::CMSG_SPACE(length) as _;
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        (*header).cmsg_level = libc::SOL_SOCKET;
        (*header).cmsg_type = libc::SCM_RIGHTS;
        (*header).cmsg_len = libc::CMSG_LEN(length) as _;
        libc::CMSG_DATA(header).cast::<RawFd>().write_unaligned(file.as_raw_fd());
        Errno::result(libc::sendmsg(channel.as_raw_fd(), &raw const message, libc::MSG_NOSIGNAL)).map(drop)
    }
}

/// Handle of a process that lived when it was found. A signal reaches that process or none (pidfd_open(2),
/// Linux 5.3).
#[derive(Debug)]
pub(super) struct PidFd(OwnedFd);

impl PidFd {
    /// Opens the process that has this PID now.
    pub(super) fn with_number(pid: u32) -> io::Result<Self> {
        // SAFETY: a new descriptor has no other owner.
        unsafe {
            let fd = Errno::result(libc::syscall(libc::SYS_pidfd_open, pid, 0))?;
            Ok(Self(OwnedFd::from_raw_fd(RawFd::try_from(fd).map_err(io::Error::other)?)))
        }
    }

    /// Opens exactly the given process, if it lives.
    pub(super) fn find(process: &ProcessRef) -> Option<Self> {
        let found = Self::with_number(process.pid).ok()?;
        // Checked after the descriptor is open, so that the answer is about the process it refers to.
        host::is_alive(process).then_some(found)
    }

    /// Sends a signal; succeeds if the process has ended meanwhile.
    pub(super) fn signal(&self, signal: Signal) -> io::Result<()> {
        // SAFETY: pidfd_send_signal(2) accepts a null pointer for further information.
        let answer = unsafe {
            let none = std::ptr::null::<libc::siginfo_t>();
            libc::syscall(libc::SYS_pidfd_send_signal, self.0.as_raw_fd(), signal as libc::c_int, none, 0)
        };
        match Errno::result(answer) {
            Ok(_) | Err(Errno::ESRCH) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Waits until the process has ended.
    pub(super) async fn ended(&self) -> io::Result<()> {
        // SAFETY: the descriptor lives as long as its registration, which owns it.
        let watched = unsafe { AsyncFd::register_with_interest(self.0.try_clone()?, Interest::READABLE) };
        watched?.readable().await.map(drop)
    }
}
