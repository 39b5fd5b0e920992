//! Networks of this machine that other processes live in, and ways into them. Making one is for
//! whoever starts such processes.

use std::fs::File;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;
use std::time::Duration;

use nix::sched::{CloneFlags, setns};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;

/// The network that another process lives in. Only root may enter it.
#[derive(Debug, Clone)]
pub struct OtherNetwork(Arc<File>);

impl OtherNetwork {
    /// The network of a container's processes, by the container's id. `process` is the number of
    /// one of them, as the container's engine sees it: an engine may itself live where numbers
    /// differ from ours, so it is believed only if that process is in the container, and
    /// otherwise one is looked for.
    ///
    /// # Errors
    /// When none of its processes is found on this machine, or its network may not be looked at.
    pub fn of_container(id: &str, process: u32) -> io::Result<Self> {
        let network = |process: u32| -> Option<io::Result<Self>> {
            // Opened before it is asked whose it is: a number may be another process's by then.
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
    /// When the network may not be entered, or nobody answers there.
    pub async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        self.socket(address).await?.connect(address).await
    }

    /// The network of one process of this machine, which may be our own.
    ///
    /// # Errors
    /// When there is no such process, or its network may not be looked at.
    pub fn of_process(process: u32) -> io::Result<Self> {
        File::open(format!("/proc/{process}/ns/net")).map(|file| Self(Arc::new(file)))
    }

    /// Tries whether a process in this network reaches an address of another one, at which nobody
    /// needs to listen: a listener is put there for the moment. An answer is the kernel's own, so
    /// that it takes no program in either network.
    ///
    /// # Errors
    /// When the networks cannot be entered, which is an outer error, or when nothing gets through
    /// within the limit, which is an inner one.
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

    /// A socket belongs to the network in which it was made, whoever uses it then.
    async fn socket(&self, address: SocketAddr) -> io::Result<TcpSocket> {
        self.within(move || match address {
            SocketAddr::V4(_) => TcpSocket::new_v4(),
            SocketAddr::V6(_) => TcpSocket::new_v6(),
        })
        .await?
    }

    /// Does something short in the network. A process that it starts lives there.
    ///
    /// # Errors
    /// When the network may not be entered.
    pub async fn within<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<T> {
        let (answer, done) = oneshot::channel();
        let network = Arc::clone(&self.0);
        // A thread can enter a network by itself; this one ends there, and never comes back.
        std::thread::Builder::new().name("network".to_owned()).spawn(move || {
            let entered = setns(&*network, CloneFlags::CLONE_NEWNET).map_err(io::Error::from);
            // The caller may have gone.
            drop(answer.send(entered.map(|()| work())));
        })?;
        done.await.map_err(io::Error::other)?
    }
}

/// The processes of this machine that are seen from here, those that have been there longest first.
fn processes() -> io::Result<impl Iterator<Item = u32>> {
    let mut all: Vec<u32> = std::fs::read_dir("/proc")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    all.sort_unstable();
    Ok(all.into_iter())
}

/// Whether a process is in a container, by its control groups (cgroups(7)): one of them bears the
/// container's id, and what watches over the container has a group of another name.
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
    fn a_container_is_known_by_its_groups() {
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
    fn what_is_not_there_has_no_network() {
        let id = "0123456789abcdef".repeat(4);
        assert!(OtherNetwork::of_container(&id, std::process::id()).is_err());
        assert!(OtherNetwork::of_container(&id, 0).is_err());
    }
}
