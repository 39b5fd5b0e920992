//! Ports of a service in their short and long forms. A local run uses only TCP ports; a range is
//! expanded to all its ports.

use std::collections::BTreeSet;

/// Maximum number of ports of a service.
const MOST: usize = 1000;

/// Ports of a container in the order of the file.
#[derive(Default)]
pub(super) struct Ports {
    pub(super) found: Vec<u16>,
    seen: BTreeSet<u16>,
}

impl Ports {
    /// Adds a port in the form `80` or `127.0.0.1:8080-8081:80-81/tcp`.
    ///
    /// # Errors
    /// Fails with the reason when the port is not TCP, or invalid for Compose.
    pub(super) fn add(&mut self, written: &str, protocol: Option<&str>) -> Result<(), String> {
        let (written_port, own) = match written.split_once('/') {
            Some((port, protocol)) => (port, Some(protocol)),
            None => (written, None),
        };
        let protocol = own.or(protocol).filter(|protocol| !protocol.is_empty()).unwrap_or("tcp");
        if !protocol.eq_ignore_ascii_case("tcp") {
            return Err(format!(
                "the port `{written}` is one of {}, not of TCP, and is left out",
                protocol.to_uppercase()
            ));
        }
        let inner = written_port.rsplit(':').next().unwrap_or(written_port);
        let (first, last) = inner.split_once('-').unwrap_or((inner, inner));
        let (Ok(first), Ok(last)) = (first.parse::<u16>(), last.parse::<u16>()) else {
            return Err(format!("`{written}` is no port, and is left out"));
        };
        if first > last {
            return Err(format!("`{written}` is no range of ports, and is left out"));
        }
        for port in first..=last {
            if self.found.len() >= MOST {
                return Err(format!("there are more than {MOST} ports, and the rest of them is left out"));
            }
            if self.seen.insert(port) {
                self.found.push(port);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_accept_every_compose_form() {
        let mut ports = Ports::default();
        for written in
            ["80", "8080:81", "127.0.0.1:8082:82/tcp", "3000-3002", "9000-9001:90-91", "[::1]:5000:83", "80"]
        {
            ports.add(written, None).expect(written);
        }
        assert_eq!(ports.found, [80, 81, 82, 3000, 3001, 3002, 90, 91, 83]);
        for wrong in ["53/udp", "x", "", "5-4", "70000", "1-65535"] {
            assert!(ports.add(wrong, None).is_err(), "{wrong}");
        }
        let error = ports.add("53", Some("udp")).expect_err("is UDP");
        assert_eq!(error, "the port `53` is one of UDP, not of TCP, and is left out");
    }
}
