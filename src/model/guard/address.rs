//! IP addresses in every spelling that a connecting program understands, and the addresses within others. Finding them
//! in a text is up to `host`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// Returns the addresses that a text stands for under `inet_aton` rules: one to four numbers, each
/// decimal, octal or hexadecimal, where the last number fills the remaining bytes. Some programs read a
/// number with a leading zero as decimal, so both readings count. Fewer than four numbers are an address
/// only with `expected`.
pub(super) fn ipv4_readings(text: &str, expected: bool) -> Vec<Ipv4Addr> {
    let parts: Vec<&str> = text.split('.').collect();
    if parts.len() > 4 || (parts.len() < 4 && !expected) || text.is_empty() {
        return Vec::new();
    }
    let read = |octal: bool| {
        let numbers: Option<Vec<u64>> = parts.iter().map(|part| number(part, octal)).collect();
        let numbers = numbers?;
        let (last, first) = numbers.split_last()?;
        let room = 4 - first.len();
        if first.iter().any(|number| *number > 255) || *last >= 1 << (8 * room) {
            return None;
        }
        let bits = first.iter().enumerate().fold(*last, |bits, (at, number)| bits | number << (24 - 8 * at));
        u32::try_from(bits).ok().map(Ipv4Addr::from)
    };
    let mut all: Vec<Ipv4Addr> = [read(true), read(false)].into_iter().flatten().collect();
    all.dedup();
    all
}

fn number(part: &str, octal: bool) -> Option<u64> {
    let (digits, radix) = match part.strip_prefix("0x").or_else(|| part.strip_prefix("0X")) {
        // Browsers read an empty number as zero.
        Some("") => return Some(0),
        Some(digits) => (digits, 16),
        None if octal && part.len() > 1 && part.starts_with('0') => (part, 8),
        None => (part, 10),
    };
    let is_number = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    // A number may have any count of leading zeros.
    let digits = digits.trim_start_matches('0');
    match (is_number, digits) {
        (false, _) => None,
        (true, "") => Some(0),
        (true, digits) if digits.len() > 12 => None,
        (true, digits) => u64::from_str_radix(digits, radix).ok(),
    }
}

/// Returns the IPv4 addresses that an IPv6 address leads to: mapped, compatible, translated, or by
/// NAT64, 6to4, ISATAP or Teredo.
pub(super) fn embedded(address: Ipv6Addr) -> Vec<Ipv4Addr> {
    let part = address.segments();
    let of = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    let last = of(part[6], part[7]);
    let mut all = Vec::new();
    if part[..4] == [0; 4] || part[..6] == [0x64, 0xff9b, 0, 0, 0, 0] || part[..3] == [0x64, 0xff9b, 1] {
        all.push(last);
    }
    if part[0] == 0x2002 {
        all.push(of(part[1], part[2]));
    }
    if matches!(part[4], 0 | 0x200) && part[5] == 0x5efe {
        all.push(last);
    }
    if part[..2] == [0x2001, 0] {
        all.extend([of(part[2], part[3]), of(!part[6], !part[7])]);
    }
    all
}

/// Returns whether an address, in any of its forms, is in a network.
pub(super) fn is_within(host: IpAddr, network: IpNet) -> bool {
    match (host, network) {
        (IpAddr::V6(host), IpNet::V4(network)) => {
            embedded(host).into_iter().any(|host| network.contains(&host))
        }
        (IpAddr::V4(host), IpNet::V6(network)) => network.contains(&host.to_ipv6_mapped()),
        (host, network) => network.contains(&host),
    }
}
