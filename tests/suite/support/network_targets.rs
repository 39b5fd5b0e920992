//! Targets that a run must not reach: a production server in a network of its own that this machine reaches, and
//! services of this machine. Both count all connections and datagrams. They belong to threads of this process and
//! end with it.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, socket};

/// Interval at which a thread checks for its end.
const LOOK: Duration = Duration::from_millis(50);

/// Connections and datagrams that have arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ArrivalCount {
    pub(crate) tcp: usize,
    pub(crate) udp: usize,
}

/// Listens on a port at all addresses, for both.
struct Listener {
    tcp: Arc<AtomicUsize>,
    udp: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Listener {
    /// In the network of the thread that calls this.
    fn start(port: u16) -> Self {
        let (tcp, udp, stop) = <(Arc<AtomicUsize>, Arc<AtomicUsize>, Arc<AtomicBool>)>::default();
        let listener = TcpListener::bind(("::", port)).or_else(|_| TcpListener::bind(("0.0.0.0", port)));
        let listener = listener.expect("listens");
        listener.set_nonblocking(true).expect("does not block");
        let datagrams = UdpSocket::bind(("::", port)).or_else(|_| UdpSocket::bind(("0.0.0.0", port)));
        let datagrams = datagrams.expect("listens");
        datagrams.set_read_timeout(Some(LOOK)).expect("has a limit");
        let threads = vec![
            repeat(&stop, {
                let tcp = tcp.clone();
                move || match listener.accept() {
                    Ok(_) => drop(tcp.fetch_add(1, Ordering::SeqCst)),
                    // Polls: the listener does not block, so that the thread sees when to stop.
                    Err(_) => std::thread::sleep(LOOK),
                }
            }),
            repeat(&stop, {
                let udp = udp.clone();
                move || {
                    if datagrams.recv_from(&mut [0; 512]).is_ok() {
                        udp.fetch_add(1, Ordering::SeqCst);
                    }
                }
            }),
        ];
        Self { tcp, udp, stop, threads }
    }

    fn arrived(&self) -> ArrivalCount {
        ArrivalCount { tcp: self.tcp.load(Ordering::SeqCst), udp: self.udp.load(Ordering::SeqCst) }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        end(&self.stop, &mut self.threads);
    }
}

/// Does something until it is told to stop.
fn repeat(stop: &Arc<AtomicBool>, mut work: impl FnMut() + Send + 'static) -> JoinHandle<()> {
    let stop = stop.clone();
    std::thread::spawn(move || {
        while !stop.load(Ordering::SeqCst) {
            work();
        }
    })
}

fn end(stop: &AtomicBool, threads: &mut Vec<JoinHandle<()>>) {
    stop.store(true, Ordering::SeqCst);
    for thread in threads.drain(..) {
        // What went wrong in there has been printed.
        let _ = thread.join();
    }
}

/// A service of this machine that listens on all its addresses.
pub(crate) struct ThisMachine(Listener);

impl ThisMachine {
    pub(crate) fn listen(port: u16) -> Self {
        Self(Listener::start(port))
    }

    pub(crate) fn arrived(&self) -> ArrivalCount {
        self.0.arrived()
    }

    /// Its addresses, but for those that every machine has for itself.
    pub(crate) fn addresses() -> Vec<Ipv4Addr> {
        let all = nix::ifaddrs::getifaddrs().expect("lists them");
        let addresses: BTreeSet<Ipv4Addr> = all
            .filter_map(|one| one.address?.as_sockaddr_in().map(nix::sys::socket::SockaddrIn::ip))
            .filter(|address| !address.is_loopback())
            .collect();
        addresses.into_iter().collect()
    }
}

/// A server of production. Its network is that of a thread, and is gone with it.
pub(crate) struct Production {
    pub(crate) address: Ipv4Addr,
    ask: Option<mpsc::Sender<mpsc::Sender<(ArrivalCount, u64)>>>,
    thread: Option<JoinHandle<()>>,
}

impl Production {
    /// A server for a port; `id` sets its wire apart from all others.
    pub(crate) fn serve(id: &str, port: u16) -> Self {
        // One of the networks for measurements (RFC 2544), in which nobody lives.
        let digest = cki::base::digest::bytes_of_parts([id]);
        let at = |last: u8| Ipv4Addr::new(198, 18 + (digest[0] & 1), digest[1], (digest[2] & 0xfc) | last);
        let (near, far) = (at(1), at(2));
        let wire = format!("cki-{id}");
        let (ask, asked) = mpsc::channel::<mpsc::Sender<(ArrivalCount, u64)>>();
        let (ready, is_ready) = mpsc::channel();
        let machine = std::process::id().to_string();
        let thread = std::thread::spawn({
            let wire = wire.clone();
            move || {
                unshare(CloneFlags::CLONE_NEWNET).expect("makes a network");
                ip(&["link", "add", "wire", "type", "veth", "peer", "name", &wire, "netns", &machine]);
                ip(&["address", "add", &format!("{far}/30"), "dev", "wire"]);
                // Nobody says anything on the wire without being asked.
                ip(&["link", "set", "wire", "addrgenmode", "none", "up"]);
                ip(&["link", "set", "lo", "up"]);
                ip(&["route", "add", "default", "via", &near.to_string()]);
                let listener = Listener::start(port);
                ready.send(()).expect("somebody waits");
                while let Ok(answer) = asked.recv() {
                    answer.send((listener.arrived(), packets())).expect("somebody waits");
                }
            }
        });
        is_ready.recv().expect("production is set up");
        ip(&["address", "add", &format!("{near}/30"), "dev", &wire]);
        ip(&["link", "set", &wire, "addrgenmode", "none", "up"]);
        Self { address: far, ask: Some(ask), thread: Some(thread) }
    }

    /// Returns the connections at the server, and the packets of any kind.
    pub(crate) fn arrived(&self) -> (ArrivalCount, u64) {
        let (answer, answered) = mpsc::channel();
        self.ask.as_ref().expect("lives").send(answer).expect("listens");
        answered.recv().expect("answers")
    }
}

impl Drop for Production {
    fn drop(&mut self) {
        self.ask = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn ip(arguments: &[&str]) {
    let output = Command::new("ip").args(arguments).output().expect("there is `ip`");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "ip {}: {said}", arguments.join(" "));
}

/// The packets that the wire of this thread's network has brought.
fn packets() -> u64 {
    let table = std::fs::read_to_string("/proc/thread-self/net/dev").expect("is there");
    let line = table.lines().find_map(|line| line.trim().strip_prefix("wire:")).expect("has a wire");
    line.split_whitespace().nth(1).and_then(|count| count.parse().ok()).expect("is a number")
}

/// Counts the packets with a word in them, on every wire of this machine.
pub(crate) struct Watch {
    counts: Arc<Vec<(String, AtomicUsize)>>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Watch {
    pub(crate) fn for_words(words: &[&str]) -> Self {
        let flags = SockFlag::SOCK_CLOEXEC;
        let all =
            socket(AddressFamily::Packet, SockType::Raw, flags, SockProtocol::EthAll).expect("root may");
        let limit = nix::sys::time::TimeVal::new(0, 50_000);
        let name = nix::sys::socket::sockopt::ReceiveTimeout;
        nix::sys::socket::setsockopt(&all, name, &limit).expect("has a limit");
        let counts = words.iter().map(|word| ((*word).to_owned(), AtomicUsize::new(0)));
        let counts = Arc::new(counts.collect::<Vec<_>>());
        let stop = Arc::default();
        let thread = repeat(&stop, {
            let counts = counts.clone();
            let mut packet = vec![0; 1 << 16];
            move || {
                let Ok(length) = recv(all.as_raw_fd(), &mut packet, MsgFlags::empty()) else { return };
                for (word, count) in &*counts {
                    if packet[..length].windows(word.len()).any(|part| part == word.as_bytes()) {
                        count.fetch_add(1, Ordering::SeqCst);
                    }
                }
            }
        });
        Self { counts, stop, threads: vec![thread] }
    }

    pub(crate) fn seen(&self) -> Vec<usize> {
        self.counts.iter().map(|(_, count)| count.load(Ordering::SeqCst)).collect()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        end(&self.stop, &mut self.threads);
    }
}
