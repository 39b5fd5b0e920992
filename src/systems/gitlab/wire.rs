//! Requests and answers as lines of text, for `--debug-http`: without tokens, and of bounded length. Pure functions; their
//! display belongs in `ui`.

use reqwest::header::HeaderMap;

use super::request::{ApiRequest, Method};
use super::wire_text;
use crate::base::redact::{Redactor, without_tokens};
use crate::base::secret::MASK;
use crate::base::text::safe_line;

/// Maximum bytes of a body.
const BODY: usize = 4 << 10;
/// Maximum bytes of a body to search for secrets.
const READ: usize = 24 << 10;
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
    let mut lines = vec![format!("{} {}", word(request.method), wire_text::plain(url))];
    lines.extend(header_lines(headers));
    if let Some(body) = &request.body {
        lines.extend(body_lines(body.to_string().as_bytes(), redactor));
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
    lines.extend(body_lines(body, redactor));
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
        format!("{name}: {}", if is_hidden { MASK.to_owned() } else { wire_text::plain(&shown()) })
    };
    headers.iter().map(line).collect()
}

/// Returns the beginning of a body. Secrets are masked before it is cut, so that none of them is cut in two.
fn body_lines(body: &[u8], redactor: &Redactor) -> Vec<String> {
    let masked = redactor.bytes(&body[..body.len().min(READ)]);
    let masked = wire_text::body(&without_tokens(&String::from_utf8_lossy(&masked)));
    let end = (0..=BODY.min(masked.len())).rev().find(|at| masked.is_char_boundary(*at));
    let shown = &masked[..end.unwrap_or(0)];
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
        // Secrets of the project, which nobody has told this program, also where the text is cut.
        let mut asked = asked;
        asked.body =
            Some(serde_json::json!({"variables": [{"key": "DB_PASSWORD", "value": "correcthorse99"}]}));
        headers.insert("link", "<https://h/x?private_token=zzz9>".parse().expect("is a value"));
        let text = request_lines(&asked, "https://h/x?job_token=zzz9", &headers, &redactor).join("\n");
        assert!(
            text.contains("DB_PASSWORD") && text.contains("> link: <https://h/x?private_token="),
            "{text}"
        );
        let token = "glpat-0123456789abcdef0123";
        for length in BODY - 40..BODY + 40 {
            let body =
                format!("{{\"a\": \"{}{token}\", \"import_url\": \"https://u:pw99@h\"}}", "x".repeat(length));
            let more = answer_lines(&asked, 200, &headers, body.as_bytes(), &redactor).join("\n");
            for hidden in ["glpat-0", "pw99", "zzz9", "correcthorse"] {
                assert!(!format!("{text}{more}").contains(hidden), "{hidden} at {length}: {text}");
            }
        }
    }
}
