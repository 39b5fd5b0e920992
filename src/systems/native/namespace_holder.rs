//! Short-lived forks of this program that create something in a namespace and hand it over: the namespaces of
//! a run, and sockets in its network. A process with several threads, such as this one, cannot enter a user
//! namespace; its single-threaded fork can. Root could do without, but one way for both is simpler.
//!
//! Code that runs in a fork allocates nothing (see `kernel::fork`).

use std::ffi::CStr;
use std::io::{self, IoSliceMut, Read as _};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
use nix::sys::stat::Mode;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, getgid, getuid, read, write};

use super::kernel;
use super::namespaces::{NamespaceRefusal, NamespaceStep, Namespaces, own_proc};

/// Descriptor of the channel to the parent, in a fork that closes all others.
const CHANNEL: RawFd = 3;

/// Namespaces that could be created.
#[derive(Debug)]
pub(super) struct NamespaceHolder {
    /// Namespaces to join.
    pub(super) rooms: Namespaces,
    /// Success of the network namespace.
    pub(super) network: Result<(), NamespaceRefusal>,
    /// Success of a PID namespace per process within them.
    pub(super) processes: Result<(), NamespaceRefusal>,
}

/// Creates the namespaces of a run.
pub(super) fn rooms() -> NamespaceHolder {
    let maps = Maps::of_this_user();
    in_fork(|channel| prepare(channel, &maps), collect).unwrap_or_else(|error| {
        let errno = Errno::from_raw(error.raw_os_error().unwrap_or_default());
        let refused = || NamespaceStep::Begin.take(Err(errno));
        NamespaceHolder { rooms: Namespaces::default(), network: refused(), processes: refused() }
    })
}

/// Creates a TCP socket in a run's network.
pub(super) fn socket(rooms: &Namespaces) -> io::Result<OwnedFd> {
    let make = |channel: BorrowedFd<'_>| match rooms.enter().and_then(|()| kernel::tcp_socket()) {
        Ok(socket) => kernel::send_file(channel, socket.as_fd()).map_or_else(|errno| errno as i32, |()| 0),
        Err(errno) => errno as i32,
    };
    in_fork(make, |channel, child| match receive_file(channel)? {
        Some(socket) => Ok(socket),
        None => Err(match waitpid(child, None)? {
            WaitStatus::Exited(_, errno) => io::Error::from_raw_os_error(errno),
            _ => io::Error::other("the process that should open a socket was killed"),
        }),
    })
}

/// Runs `make` in a fork, with a channel to this process, where `collect` takes the result. Closing the
/// channel tells the fork to end.
fn in_fork<T>(
    make: impl FnOnce(BorrowedFd<'_>) -> i32,
    collect: impl FnOnce(&UnixStream, Pid) -> io::Result<T>,
) -> io::Result<T> {
    let (ours, theirs) = UnixStream::pair()?;
    match kernel::fork()? {
        ForkResult::Child => kernel::exit(make(theirs.as_fd())),
        ForkResult::Parent { child } => {
            drop(theirs);
            let collected = collect(&ours, child);
            drop(ours);
            // The child ends now, or was reaped already.
            while waitpid(child, None) == Err(Errno::EINTR) {}
            collected
        }
    }
}

/// Creates the namespaces, reports, and stays until the parent has opened them; runs in the fork.
fn prepare(channel: BorrowedFd<'_>, maps: &Maps) -> i32 {
    // Closes the fork's copy of the other end, whose closing it waits for below.
    if kernel::place(channel, CHANNEL).is_err() {
        return 1;
    }
    let channel = kernel::borrow_fd(CHANNEL);
    kernel::close_from(CHANNEL + 1);
    let mut as_user = 0u8;
    let mut network = NamespaceStep::Network.take(unshare(CloneFlags::CLONE_NEWNET));
    let mut may_go_on = Ok(());
    if network.is_err_and(|refusal| refusal.errno() == Errno::EPERM) {
        may_go_on = enter_user_namespace(maps);
        as_user = u8::from(may_go_on.is_ok());
        network = may_go_on.and_then(|()| NamespaceStep::Network.take(unshare(CloneFlags::CLONE_NEWNET)));
    }
    if network.is_ok() {
        network = NamespaceStep::Loopback.take(kernel::loopback_up());
        // As in a container, any port may be bound; a failure is harmless.
        let _ = write_to(c"/proc/sys/net/ipv4/ip_unprivileged_port_start", b"0");
    }
    let [step, errno] = NamespaceRefusal::to_bytes(network);
    if write(channel, &[as_user, step, errno]).is_err() {
        return 1;
    }
    may_go_on = may_go_on.and_then(|()| try_processes(channel));
    if may_go_on.is_err() && write(channel, &NamespaceRefusal::to_bytes(may_go_on)).is_err() {
        return 1;
    }
    let _ = read(channel, &mut [0u8]);
    0
}

/// Gets all capabilities in a user namespace, without other rights outside of it; runs in the fork.
fn enter_user_namespace(maps: &Maps) -> Result<(), NamespaceRefusal> {
    NamespaceStep::User.take(unshare(CloneFlags::CLONE_NEWUSER))?;
    // Only a dumpable process may write the maps.
    NamespaceStep::Map.take(prctl::set_dumpable(true))?;
    NamespaceStep::Map.take(write_to(c"/proc/self/setgroups", b"deny"))?;
    NamespaceStep::Map.take(write_to(c"/proc/self/uid_map", &maps.user))?;
    NamespaceStep::Map.take(write_to(c"/proc/self/gid_map", &maps.group))
}

/// Tries a PID namespace with a `/proc`; runs in the fork. The fork's own child reports success, since only
/// that is in the namespace.
fn try_processes(channel: BorrowedFd<'_>) -> Result<(), NamespaceRefusal> {
    NamespaceStep::Processes.take(unshare(CloneFlags::CLONE_NEWPID))?;
    match NamespaceStep::Processes.take(kernel::fork())? {
        ForkResult::Child => {
            kernel::exit(i32::from(write(channel, &NamespaceRefusal::to_bytes(own_proc())).is_err()))
        }
        ForkResult::Parent { child } => match NamespaceStep::Processes.take(waitpid(child, None))? {
            WaitStatus::Exited(_, 0) => Ok(()),
            _ => NamespaceStep::Processes.take(Err(Errno::ECHILD)),
        },
    }
}

fn write_to(file: &CStr, content: &[u8]) -> nix::Result<()> {
    let file = open(file, OFlag::O_WRONLY | OFlag::O_CLOEXEC, Mode::empty())?;
    write(&file, content).map(drop)
}

/// Lines that map a user to itself within a user namespace, written before the fork.
struct Maps {
    user: Vec<u8>,
    group: Vec<u8>,
}

impl Maps {
    fn of_this_user() -> Self {
        let (user, group) = (getuid(), getgid());
        Self {
            user: format!("{user} {user} 1").into_bytes(),
            group: format!("{group} {group} 1").into_bytes(),
        }
    }
}

/// Opens the result of the fork; runs in the parent.
fn collect(mut channel: &UnixStream, child: Pid) -> io::Result<NamespaceHolder> {
    let mut report = [0u8; 5];
    channel.read_exact(&mut report)?;
    let [as_user, step, errno, processes @ ..] = report;
    let network = NamespaceRefusal::from_bytes([step, errno]);
    let open = |wanted: bool, name: &str| -> io::Result<Option<OwnedFd>> {
        let file = || std::fs::File::open(format!("/proc/{child}/ns/{name}"));
        wanted.then(file).transpose().map(|file| file.map(OwnedFd::from))
    };
    let rooms = Namespaces {
        user: open(as_user == 1, "user")?,
        network: open(network.is_ok(), "net")?,
        ..Namespaces::default()
    };
    Ok(NamespaceHolder { rooms, network, processes: NamespaceRefusal::from_bytes(processes) })
}

/// Receives the file that `kernel::send_file` sends, or `None` at the channel's end; runs in the parent.
pub(super) fn receive_file(channel: &UnixStream) -> io::Result<Option<OwnedFd>> {
    let mut byte = [0u8];
    let mut parts = [IoSliceMut::new(&mut byte)];
    let mut room = nix::cmsg_space!(RawFd);
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let message = recvmsg::<()>(channel.as_raw_fd(), &mut parts, Some(&mut room), flags)?;
    for control in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(files) = control {
            return Ok(files.first().map(|file| kernel::own_fd(*file)));
        }
    }
    Ok(None)
}
