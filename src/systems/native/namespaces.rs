//! Namespaces: those that a process joins, and those that it creates for itself. Each refusal of the kernel
//! names its step, so that messages can explain it.
//!
//! [`Namespaces::enter`] and what follows it run in a forked child and allocate nothing.

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};

/// Existing namespaces to join, held open, so that they live as long as this value.
#[derive(Debug, Default)]
pub(super) struct Namespaces {
    pub(super) user: Option<OwnedFd>,
    pub(super) network: Option<OwnedFd>,
    pub(super) processes: Option<OwnedFd>,
    pub(super) mounts: Option<OwnedFd>,
}

impl Namespaces {
    /// Opens those of another process that this one does not share.
    pub(super) fn of(pid: u32) -> io::Result<Self> {
        let open = |name: &str| -> io::Result<Option<OwnedFd>> {
            let theirs = std::fs::File::open(format!("/proc/{pid}/ns/{name}"))?;
            let ours = std::fs::metadata(format!("/proc/self/ns/{name}"))?;
            let facts = theirs.metadata()?;
            let same = (facts.dev(), facts.ino()) == (ours.dev(), ours.ino());
            Ok((!same).then(|| theirs.into()))
        };
        Ok(Self { user: open("user")?, network: open("net")?, processes: open("pid")?, mounts: open("mnt")? })
    }

    /// Joins all but the mount namespace: the user namespace first, since it gives the right to the others.
    /// The PID namespace applies to future children.
    pub(super) fn enter(&self) -> nix::Result<()> {
        for (room, kind) in [
            (&self.user, CloneFlags::CLONE_NEWUSER),
            (&self.network, CloneFlags::CLONE_NEWNET),
            (&self.processes, CloneFlags::CLONE_NEWPID),
        ] {
            if let Some(room) = room {
                setns(room, kind)?;
            }
        }
        Ok(())
    }

    /// Joins the mount namespace, which also resets the working directory to `/`.
    pub(super) fn enter_mounts(&self) -> nix::Result<()> {
        self.mounts.as_ref().map_or(Ok(()), |room| setns(room, CloneFlags::CLONE_NEWNS))
    }
}

/// Mounts a `/proc` for a new PID namespace: without it, programs would look themselves up under a PID of
/// another process.
pub(super) fn own_proc() -> Result<(), NamespaceRefusal> {
    const NONE: Option<&std::ffi::CStr> = None;
    NamespaceStep::Mounts.take(unshare(CloneFlags::CLONE_NEWNS))?;
    // Mounts made here stay here; later mounts of the machine still appear.
    NamespaceStep::Mounts.take(mount(NONE, c"/", NONE, MsFlags::MS_REC | MsFlags::MS_SLAVE, NONE))?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    NamespaceStep::Proc.take(mount(Some(c"proc"), c"/proc", Some(c"proc"), flags, NONE))
}

/// Step towards a separate network and separate processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NamespaceStep {
    /// Starting the process that does the rest.
    Begin = 1,
    /// Creating a user namespace.
    User,
    /// Mapping the user to itself in it.
    Map,
    /// Creating a network namespace.
    Network,
    /// Bringing its loopback interface up.
    Loopback,
    /// Creating a PID namespace.
    Processes,
    /// Creating a mount namespace.
    Mounts,
    /// Mounting a `/proc` for it.
    Proc,
}

impl NamespaceStep {
    const ALL: [Self; 8] = [
        Self::Begin,
        Self::User,
        Self::Map,
        Self::Network,
        Self::Loopback,
        Self::Processes,
        Self::Mounts,
        Self::Proc,
    ];

    /// Attaches the step to an error.
    pub(super) fn take<T>(self, result: nix::Result<T>) -> Result<T, NamespaceRefusal> {
        result.map_err(|errno| NamespaceRefusal { step: self, errno })
    }

    fn what(self) -> &'static str {
        match self {
            Self::Begin => "a process that prepares it",
            Self::User => "a user namespace",
            Self::Map => "the user's own number in a user namespace",
            Self::Network => "a network namespace",
            Self::Loopback => "a loopback interface",
            Self::Processes => "a PID namespace",
            Self::Mounts => "a mount namespace",
            Self::Proc => "a `/proc` of its own",
        }
    }
}

/// Refused step, and the kernel's error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NamespaceRefusal {
    step: NamespaceStep,
    errno: Errno,
}

impl NamespaceRefusal {
    /// Encodes it for the channel from a forked child.
    pub(super) fn to_bytes(outcome: Result<(), Self>) -> [u8; 2] {
        let Err(Self { step, errno }) = outcome else { return [0, 0] };
        [step as u8, u8::try_from(errno as i32).unwrap_or(u8::MAX)]
    }

    /// Decodes the bytes of [`Refusal::to_bytes`].
    pub(super) fn from_bytes([step, errno]: [u8; 2]) -> Result<(), Self> {
        match NamespaceStep::ALL.into_iter().find(|known| *known as u8 == step) {
            Some(step) => Err(Self { step, errno: Errno::from_raw(errno.into()) }),
            None => Ok(()),
        }
    }

    /// Returns the error number, for a child that can report nothing else.
    pub(super) fn errno(self) -> Errno {
        self.errno
    }

    /// Returns an explanation, with the sysctl that explains it, if one does. `setting` reads a file below
    /// `/proc/sys`.
    pub(super) fn explain(self, setting: impl Fn(&str) -> Option<String>) -> String {
        const SWITCHES: [(&str, &str); 4] = [
            ("kernel/apparmor_restrict_unprivileged_userns", "1"),
            ("kernel/unprivileged_userns_clone", "0"),
            ("user/max_user_namespaces", "0"),
            ("user/max_net_namespaces", "0"),
        ];
        let because = SWITCHES
            .into_iter()
            .find(|(file, off)| setting(file).is_some_and(|value| value.trim() == *off))
            .map(|(file, off)| format!(", since `{}` is {off}", file.replace('/', ".")));
        format!("{self}{}", because.unwrap_or_default())
    }
}

impl fmt::Display for NamespaceRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the kernel refuses {} ({})", self.step.what(), self.errno.desc())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespace_refusal_round_trips_as_bytes() {
        for step in NamespaceStep::ALL {
            let refusal = Err(NamespaceRefusal { step, errno: Errno::EPERM });
            assert_eq!(NamespaceRefusal::from_bytes(NamespaceRefusal::to_bytes(refusal)), refusal);
        }
        assert_eq!(NamespaceRefusal::from_bytes(NamespaceRefusal::to_bytes(Ok(()))), Ok(()));
    }

    #[test]
    fn namespace_refusal_names_kernel_setting() {
        let refusal = NamespaceRefusal { step: NamespaceStep::User, errno: Errno::ENOSPC };
        let plain = "the kernel refuses a user namespace (No space left on device)";
        assert_eq!(refusal.explain(|_| None), plain);
        let off = |file: &str| (file == "user/max_user_namespaces").then(|| "0\n".to_owned());
        assert_eq!(refusal.explain(off), format!("{plain}, since `user.max_user_namespaces` is 0"));
        assert_eq!(refusal.explain(|_| Some("5".into())), plain);
    }

    #[test]
    fn namespaces_of_own_process_are_shared() {
        let rooms = Namespaces::of(std::process::id()).expect("reads its own namespaces");
        assert!(rooms.user.is_none() && rooms.network.is_none());
        assert!(rooms.processes.is_none() && rooms.mounts.is_none());
    }
}
