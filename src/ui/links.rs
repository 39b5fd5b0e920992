//! Addresses of web pages as links that a terminal opens on a click (OSC 8). The text stays as it is: a terminal
//! without links shows the same.

/// Returns a line with its addresses as links. The line must be safe to show: no control characters in an address.
pub(super) fn linked(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = ["http://", "https://"].iter().filter_map(|scheme| rest.find(scheme)).min() {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let end = from.find(|c: char| !is_of_address(c)).unwrap_or(from.len());
        // A sentence may end after an address.
        let address = from[..end].trim_end_matches(['.', ',', ':', ';', '!', '?', ')']);
        let has_host = address.split_once("://").is_some_and(|(_, host)| !host.is_empty());
        if has_host {
            out.push_str(&format!("\u{1b}]8;;{address}\u{1b}\\{address}\u{1b}]8;;\u{1b}\\"));
        } else {
            out.push_str(address);
        }
        rest = &from[address.len()..];
        if address.is_empty() {
            break;
        }
    }
    out.push_str(rest);
    out
}

/// Returns whether a character may be part of an address, as RFC 3986 has it.
fn is_of_address(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linked_marks_addresses_and_changes_no_text() {
        let link = |url: &str| format!("\u{1b}]8;;{url}\u{1b}\\{url}\u{1b}]8;;\u{1b}\\");
        let url = "http://127.0.0.1:8080";
        assert_eq!(linked(&format!("web  ready  {url}")), format!("web  ready  {}", link(url)));
        assert_eq!(
            linked(&format!("see {url}, `{url}/a?b=1#c`.")),
            format!("see {}, `{}`.", link(url), link(&format!("{url}/a?b=1#c")))
        );
        assert_eq!(linked(&format!("\u{1b}[2m{url}\u{1b}[0m")), format!("\u{1b}[2m{}\u{1b}[0m", link(url)));
        for plain in ["", "http://", "https:// x", "no address", "http//x"] {
            assert_eq!(linked(plain), plain);
        }
    }
}
