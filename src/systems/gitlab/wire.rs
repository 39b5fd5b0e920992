//! Requests and answers as lines of text, for `--debug-http`: without tokens, and of bounded length. Pure functions; their
//! display belongs in `ui`.

use reqwest::header::HeaderMap;

use super::request::{ApiRequest, Method};
use crate::base::redact::Redactor;
use crate::base::secret::MASK;
use crate::base::text::safe_line;

/// Maximum bytes of a body.
const BODY: usize = 4 << 10;
/// Maximum bytes of a header's value.
const VALUE: usize = 1 << 10;
/// Headers whose value is never shown.
const HIDDEN: [&str; 6] =
    ["authorization", "cookie", "job-token", "private-token", "proxy-authorization", "set-cookie"];

/// Returns a request.
pub(super) fn request_lines(
    request: &ApiRequest,
    url: &str,
    headers: &HeaderMap,
    redactor: &Redactor,
) -> Vec<String> {
    let mut lines = vec![format!("{} {url}", word(request.method))];
    lines.extend(header_lines(headers));
    if let Some(body) = &request.body {
        lines.extend(body_lines(body.to_string().as_bytes()));
    }
    finish('>', &lines, redactor)
}

/// Returns an answer. Requests overlap, so that it names its own.
pub(super) fn answer_lines(
    request: &ApiRequest,
    status: u16,
    headers: &HeaderMap,
    body: &[u8],
    redactor: &Redactor,
) -> Vec<String> {
    let mut lines = vec![format!("{status}, {} {}", word(request.method), request.path)];
    lines.extend(header_lines(headers));
    lines.extend(body_lines(body));
    finish('<', &lines, redactor)
}

fn word(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
    }
}

fn header_lines(headers: &HeaderMap) -> Vec<String> {
    let line = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        let is_hidden = value.is_sensitive() || HIDDEN.contains(&name.as_str());
        let shown = || String::from_utf8_lossy(&value.as_bytes()[..value.len().min(VALUE)]).into_owned();
        format!("{name}: {}", if is_hidden { MASK.to_owned() } else { shown() })
    };
    headers.iter().map(line).collect()
}

fn body_lines(body: &[u8]) -> Vec<String> {
    let shown = String::from_utf8_lossy(&body[..body.len().min(BODY)]);
    let mut lines: Vec<String> = shown.lines().map(str::to_owned).collect();
    if body.len() > BODY {
        lines.push(format!("… {} bytes more", body.len() - BODY));
    }
    lines
}

/// Masks the token, and only then changes anything else.
fn finish(mark: char, lines: &[String], redactor: &Redactor) -> Vec<String> {
    let masked = redactor.text(&lines.join("\n"));
    masked.lines().map(|line| format!("{mark} {}", safe_line(line))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::request;
    use super::*;
    use crate::base::secret::Secret;

    #[test]
    fn wire_lines_hide_the_token_both_ways() {
        let token = Secret::new("glpat-secret-token");
        let redactor = Redactor::new([&token]);
        let mut headers = HeaderMap::new();
        headers.insert("private-token", token.expose().parse().expect("is a value"));
        headers.insert("range", "bytes=-1".parse().expect("is a value"));
        let asked = request::create_note("a/b", 3, "see glpat-secret-token\n\u{1b}[2J");
        let lines = request_lines(&asked, "https://h/api/v4/x?t=glpat-secret-token", &headers, &redactor);
        let text = lines.join("\n");
        assert!(
            text.contains("> POST https://h/api/v4/x?t=") && text.contains("> range: bytes=-1"),
            "{text}"
        );
        assert!(text.contains(&format!("> private-token: {MASK}")) && !text.contains("secret"), "{text}");
        headers.insert("set-cookie", "session=1".parse().expect("is a value"));
        let body = format!("{{\"token\": \"glpat-secret-token\"}}\n\u{1b}[31mred{}", "x".repeat(9000));
        let text = answer_lines(&asked, 200, &headers, body.as_bytes(), &redactor).join("\n");
        assert!(text.starts_with("< 200, POST /projects/") && text.contains(" bytes more"), "{text}");
        for hidden in ["secret", "session=1", "\u{1b}"] {
            assert!(!text.contains(hidden), "{hidden}: {text}");
        }
    }
}
