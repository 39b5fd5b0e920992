//! Causes of failed HTTP transfers: status codes, and errors of the HTTP client. Requests are made in
//! `transport`; `program` reads the output of `git`.

use std::error::Error;

use reqwest::StatusCode;

use super::GitError;
use crate::base::http::is_about_tls;
use crate::base::text::{safe_line, truncate};

/// Returns the error for an unexpected HTTP status.
pub(super) fn of_status(
    url: String,
    status: StatusCode,
    user: Option<String>,
    to: Option<String>,
    why: Option<String>,
) -> GitError {
    match status {
        StatusCode::UNAUTHORIZED => GitError::Unauthorised { url, user },
        StatusCode::FORBIDDEN => GitError::Forbidden { url, why },
        StatusCode::NOT_FOUND | StatusCode::GONE => GitError::NotFound { url },
        status if status.is_redirection() && to.is_some() => {
            GitError::Redirected { url, to: to.unwrap_or_default() }
        }
        status => GitError::Server { url, status: status.as_u16(), why },
    }
}

/// Returns the error for a request that failed before its answer began, or (`begun`) during it.
pub(super) fn of_transfer(url: String, error: reqwest::Error, begun: bool) -> GitError {
    let error = error.without_url();
    let why = sanitize_message(&innermost(&error));
    if error.is_redirect() {
        return GitError::Redirected { url, to: "too many addresses in turn".to_owned() };
    }
    if is_about_tls(&error) {
        return GitError::Tls { url, why };
    }
    if begun { GitError::Broken { url, why } } else { GitError::Unreachable { url, why } }
}

/// Returns foreign text made fit for a message: safe, one line, bounded.
pub(super) fn sanitize_message(text: &str) -> String {
    let line = text.lines().next().unwrap_or("");
    truncate(&safe_line(line.trim()), 200)
}

fn innermost(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_status_distinguishes_http_statuses() {
        let of = |code: u16, to: Option<&str>| {
            let status = StatusCode::from_u16(code).expect("a status");
            of_status("https://h/x".into(), status, Some("u".into()), to.map(Into::into), Some("no".into()))
        };
        assert_eq!(of(401, None).to_string(), "`https://h/x` refuses the login of `u`");
        assert_eq!(of(403, None).to_string(), "access to `https://h/x` is denied: no");
        assert!(matches!(of(404, None), GitError::NotFound { .. }));
        assert!(matches!(of(302, Some("https://y")), GitError::Redirected { .. }));
        assert!(matches!(of(302, None), GitError::Server { status: 302, .. }));
        assert_eq!(of(500, None).to_string(), "the server of `https://h/x` answered 500: no");
        let nobody = of_status("u".into(), StatusCode::UNAUTHORIZED, None, None, None);
        assert_eq!(nobody.to_string(), "`u` wants a login");
    }

    #[test]
    fn sanitize_message_strips_and_truncates() {
        assert_eq!(sanitize_message(" a\x1b[31mb\nc"), "ab");
        assert!(sanitize_message(&"x".repeat(9999)).len() < 300);
    }
}
