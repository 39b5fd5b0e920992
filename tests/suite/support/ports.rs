//! Ports of this machine for tests. What listens on them belongs to the tests.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};

/// First port. All of them are below the ports that the kernel gives to clients and to listeners on port 0.
const FIRST: u16 = 10_000;
/// Distance between two ports, for programs that take the next free one.
const STEP: u16 = 8;
/// Number of ports.
const COUNT: u16 = (32_768 - FIRST) / STEP;

/// Returns a port on which nothing listens. No other call returns it, so tests that run at the same time do
/// not take each other's.
pub(crate) fn free_port() -> u16 {
    // Two processes of tests begin at different ones.
    static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| {
        AtomicU16::new(u16::try_from(std::process::id() % u32::from(COUNT)).expect("is below"))
    });
    let is_free = |port: &u16| {
        [Ipv4Addr::LOCALHOST, Ipv4Addr::UNSPECIFIED]
            .iter()
            .all(|address| TcpListener::bind((*address, *port)).is_ok())
    };
    let ports = (0..COUNT).map(|_| FIRST + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT * STEP);
    ports.into_iter().find(is_free).expect("one of the ports is free")
}
