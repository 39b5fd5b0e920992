//! Forwarding of one port: accepts connections at 127.0.0.1 and passes their bytes to an instance. A connection
//! holds one small buffer in each direction, so a slow reader slows the writer down. Choosing the port is in
//! `reserved`.

use std::net::Ipv4Addr;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit};
use tokio::io;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};

use crate::ops::runtime::dialer::Dialer;

/// Maximum number of connections of all ports of a run at once; further ones wait in the queue of the kernel.
const MOST: usize = 1024;
/// Length of that queue.
const QUEUE: u32 = 1024;
/// Pause after a failure to accept, for instance at the limit of open files: other connections must end first.
const PAUSE: Duration = Duration::from_millis(50);

/// A port of this machine that leads to an instance until this is dropped. Before there is an instance, it
/// closes each connection at once.
#[derive(Debug)]
pub(super) struct Forward {
    listener: Arc<TcpListener>,
    target: watch::Sender<Dialer>,
    task: JoinHandle<()>,
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Forward {
    /// Accepts connections to `listener`, which lead to this port of the instance. Must be called within the
    /// runtime.
    pub(super) fn open(listener: TcpListener, port: u16, room: &Arc<Semaphore>) -> Self {
        let (target, known) = watch::channel(Dialer::Nothing);
        let listener = Arc::new(listener);
        let task = tokio::spawn(serve(Arc::clone(&listener), port, known, Arc::clone(room)));
        Self { listener, target, task }
    }

    /// Leads to another instance from now on.
    pub(super) fn lead_to(&self, way: &Dialer) {
        self.target.send_replace(way.clone());
    }

    /// Accepts no more connections, and returns the socket, in whose queue they wait.
    ///
    /// # Errors
    /// Fails at the limit of open files.
    pub(super) async fn into_socket(mut self) -> io::Result<OwnedFd> {
        self.task.abort();
        let _ = (&mut self.task).await;
        self.listener.as_fd().try_clone_to_owned()
    }

    /// Ends it, and waits until the port of this machine is free.
    pub(super) async fn close(mut self) {
        self.task.abort();
        // The task ends only by this cancellation.
        let _ = (&mut self.task).await;
    }
}

/// Returns room for connections: they must leave most of the open files of this process to others.
pub(super) fn room() -> Arc<Semaphore> {
    let files =
        getrlimit(Resource::RLIMIT_NOFILE).map_or(MOST, |(soft, _)| usize::try_from(soft).unwrap_or(MOST));
    // Each connection is two open files.
    Arc::new(Semaphore::new((files / 4).clamp(1, MOST)))
}

/// Listens at a port of 127.0.0.1. Must be called within the runtime.
pub(super) fn listen(port: u16) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    // Connections of an earlier run that are still closing do not count.
    socket.set_reuseaddr(true)?;
    socket.bind((Ipv4Addr::LOCALHOST, port).into())?;
    socket.listen(QUEUE)
}

/// Accepts connections forever. Dropping the future closes them.
async fn serve(listener: Arc<TcpListener>, port: u16, target: watch::Receiver<Dialer>, room: Arc<Semaphore>) {
    let mut connections = JoinSet::new();
    loop {
        let next = async {
            let place = Arc::clone(&room).acquire_owned().await;
            (place, listener.accept().await)
        };
        tokio::select! {
            (place, accepted) = next => match accepted {
                Ok((outside, _)) => {
                    let target = target.borrow().clone();
                    connections.spawn(async move {
                        // Either side may disconnect at any time.
                        let _ = pass(outside, &target, port).await;
                        drop(place);
                    });
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Passes bytes in both directions until both have ended: a side that has ended its own still gets the rest of
/// the other.
async fn pass(mut outside: TcpStream, target: &Dialer, port: u16) -> io::Result<()> {
    // A slow instance may take its time, as it would without `cki` in between.
    let mut inside = target.dial(port).await?;
    // Small pieces must not wait for more.
    outside.set_nodelay(true)?;
    inside.set_nodelay(true)?;
    io::copy_bidirectional(&mut outside, &mut inside).await.map(drop)
}
