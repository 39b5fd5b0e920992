//! Networks of this machine in which other processes live, and ways into them. The code that starts
//! processes in a new network also creates that network.

use std::fs::File;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;
use std::time::Duration;

use nix::sched::{CloneFlags, setns};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;

/// Network in which another process lives. Only root may enter it.
#[derive(Debug, Clone)]
pub struct NetNs(Arc<File>);

impl NetNs {
    /// Returns the network of a container's processes, by the container's ID. `process` is the PID of one
    /// of them, as the container's engine sees it: the engine may itself live in another PID namespace, so
    /// the function verifies that the process is in the container, and otherwise searches for one.
    ///
    /// # Errors
    /// Fails if no process of the container is found on this machine, or its network is not accessible.
    pub fn of_container(id: &str, process: u32) -> io::Result<Self> {
        let network = |process: u32| -> Option<io::Result<Self>> {
            // Open before the check: another process may have the PID by then.
            let file = File::open(format!("/proc/{process}/ns/net"));
            let groups = std::fs::read_to_string(format!("/proc/{process}/cgroup")).ok()?;
            is_in(&groups, id).then(|| file.map(|file| Self(Arc::new(file))))
        };
        let found = match network(process) {
            Some(found) => found,
            None => processes()?
                .find_map(network)
                .unwrap_or_else(|| Err(io::Error::other("none of its processes is seen on this machine"))),
        }?;
        let own = std::fs::metadata("/proc/self/ns/net")?;
        if found.0.metadata()?.ino() == own.ino() {
            return Err(io::Error::other("it has no network of its own"));
        }
        Ok(found)
    }

    /// Connects to an address as a process in the network would.
    ///
    /// # Errors
    /// Fails if the network is not accessible, or nothing answers at the address.
    pub async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        self.socket(address).await?.connect(address).await
    }

    /// Returns the network of one process of this machine, possibly our own.
    ///
    /// # Errors
    /// Fails if there is no such process, or its network is not accessible.
    pub fn of_process(process: u32) -> io::Result<Self> {
        File::open(format!("/proc/{process}/ns/net")).map(|file| Self(Arc::new(file)))
    }

    /// Tests whether a process in this network reaches an address of another one. The function listens
    /// there for the moment of the test, and the kernel itself answers, so that neither network needs a
    /// program.
    ///
    /// # Errors
    /// The outer error says that a network is not accessible, the inner one that nothing passes within the
    /// limit.
    pub async fn contact(
        &self,
        other: &Self,
        address: IpAddr,
        limit: Duration,
    ) -> io::Result<Result<(), io::Error>> {
        let place = SocketAddr::new(address, 0);
        let socket = other.socket(place).await?;
        socket.bind(place)?;
        let listener: TcpListener = socket.listen(1)?;
        let place = listener.local_addr()?;
        let socket = self.socket(place).await?;
        Ok(match tokio::time::timeout(limit, socket.connect(place)).await {
            Ok(connected) => connected.map(drop),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        })
    }

    /// Returns a socket in this network: a socket belongs to the network in which it was created, whichever
    /// thread uses it later.
    async fn socket(&self, address: SocketAddr) -> io::Result<TcpSocket> {
        self.within(move || match address {
            SocketAddr::V4(_) => TcpSocket::new_v4(),
            SocketAddr::V6(_) => TcpSocket::new_v6(),
        })
        .await?
    }

    /// Runs a short function in the network. Processes that it starts live there.
    ///
    /// # Errors
    /// Fails if the network is not accessible.
    pub async fn within<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<T> {
        let (answer, done) = oneshot::channel();
        let network = Arc::clone(&self.0);
        // A single thread can enter a network; this one ends there, and never comes back.
        std::thread::Builder::new().name("network".to_owned()).spawn(move || {
            let entered = setns(&*network, CloneFlags::CLONE_NEWNET).map_err(io::Error::from);
            // The caller may be gone.
            drop(answer.send(entered.map(|()| work())));
        })?;
        done.await.map_err(io::Error::other)?
    }
}

/// Returns the PID of a process of a container that is visible here, the main process if `hint` is its PID.
#[must_use]
pub fn process_of_container(id: &str, hint: u32) -> Option<u32> {
    let is_inside = |process: &u32| {
        let groups = std::fs::read_to_string(format!("/proc/{process}/cgroup"));
        groups.is_ok_and(|groups| is_in(&groups, id))
    };
    Some(hint).filter(is_inside).or_else(|| processes().ok()?.find(is_inside))
}

/// Returns the PIDs that are visible from here, the lowest first.
fn processes() -> io::Result<impl Iterator<Item = u32>> {
    let mut all: Vec<u32> = std::fs::read_dir("/proc")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    all.sort_unstable();
    Ok(all.into_iter())
}

/// Returns whether a process is in a container, by its control groups (cgroups(7)): one of them is named
/// after the container's ID. The container's monitor has a group with another name.
fn is_in(groups: &str, id: &str) -> bool {
    let bears = |group: &str| {
        let group = group.strip_suffix(".scope").unwrap_or(group);
        let bare = ["docker-", "libpod-"].iter().find_map(|prefix| group.strip_prefix(prefix));
        bare.unwrap_or(group) == id
    };
    let paths = groups.lines().filter_map(|line| line.splitn(3, ':').nth(2));
    !id.is_empty() && paths.flat_map(|path| path.split('/')).any(bears)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_in_recognises_container_cgroups() {
        for inside in [
            "0::/system.slice/docker-abc.scope\n",
            "0::/machine.slice/libpod-abc.scope/container\n",
            "0::/user.slice/user-1.slice/user@1.service/user.slice/libpod-abc.scope\n",
            "9:name=systemd:/x\n8:pids:/libpod_parent/libpod-abc\n",
            "0::/docker/abc\n",
            "0::/../abc",
        ] {
            assert!(is_in(inside, "abc"), "{inside}");
        }
        for outside in
            ["0::/libpod_parent/libpod-conmon-abc\n", "0::/docker/abcd\n", "", "0::/\n", "abc", "1:abc:/"]
        {
            assert!(!is_in(outside, "abc"), "{outside}");
        }
        assert!(!is_in("0::/\n", ""));
    }

    #[test]
    fn netns_of_missing_container_is_an_error() {
        let id = "0123456789abcdef".repeat(4);
        assert!(NetNs::of_container(&id, std::process::id()).is_err());
        assert!(NetNs::of_container(&id, 0).is_err());
    }
}
