//! Amounts of memory as people write them. Formatting them is in the parent module.

/// Parses a number of bytes such as `512MiB`, `2 GB` or `64Mi`; `None` for any other form. As in
/// Kubernetes, `Mi` is a power of 1024, and `M` of 1000; the `B` is optional.
#[must_use]
pub fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.trim_start();
    let unit = unit.strip_suffix('B').unwrap_or(unit);
    let (power, base) = match unit.as_bytes() {
        [] => (0, 1000_u64),
        [scale] => (power(*scale)?, 1000),
        [scale, b'i'] => (power(*scale)?, 1024),
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(base.checked_pow(power)?)
}

fn power(scale: u8) -> Option<u32> {
    let at = b"KMGT".iter().position(|known| known.eq_ignore_ascii_case(&scale))?;
    u32::try_from(at + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_bytes_accepts_binary_and_decimal_units() {
        for (text, bytes) in [
            ("512MiB", 512 << 20),
            ("64Mi", 64 << 20),
            ("2 GB", 2_000_000_000),
            ("2g", 2_000_000_000),
            ("7", 7),
            ("7B", 7),
            ("1TiB", 1 << 40),
        ] {
            assert_eq!(parse_bytes(text), Some(bytes), "{text}");
        }
        for wrong in ["", "MiB", "-1", "1.5GB", "1XB", "1MBB", "1iB", "99999999999TiB", "1 M i"] {
            assert_eq!(parse_bytes(wrong), None, "{wrong}");
        }
    }
}
