//! Plain-data server answers and their interpretation. Server text is shortened and made safe before it
//! enters a message. Sending requests is `send`.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::GitLabError;
use super::request::ApiRequest;
use crate::base::text::{safe_line, truncate};

/// Answer to a request.
#[derive(Debug, Clone, Default)]
pub(super) struct ApiAnswer {
    pub(super) status: u16,
    pub(super) headers: Headers,
    pub(super) body: Vec<u8>,
    /// Number of bytes before `body` that were dropped.
    pub(super) skipped: u64,
}

/// Headers that this client uses.
#[derive(Debug, Clone, Default)]
pub(super) struct Headers {
    pub(super) content_type: String,
    pub(super) etag: Option<String>,
    pub(super) link: Option<String>,
    pub(super) next_page: Option<String>,
    pub(super) location: Option<String>,
    pub(super) retry_after: Option<String>,
    pub(super) rate_limit_reset: Option<String>,
    pub(super) content_range: Option<String>,
    /// The answer has a header that only GitLab sends.
    pub(super) gitlab_meta: bool,
}

impl ApiAnswer {
    fn is_json(&self) -> bool {
        self.headers.content_type.split(';').next().is_some_and(|kind| kind.trim().ends_with("json"))
    }

    /// Returns whether the body is only the end of the content.
    pub(super) fn is_tail(&self) -> bool {
        let whole = self.headers.content_range.as_deref().is_some_and(|range| range.starts_with("bytes 0-"));
        self.skipped > 0 || (self.status == 206 && !whole)
    }

    /// Returns whether the body is JSON that stops in the middle. "Not modified" has no body, whatever its headers say.
    pub(super) fn is_cut_short(&self) -> bool {
        self.status != 304
            && self.is_json()
            && serde_json::from_slice::<serde::de::IgnoredAny>(&self.body).is_err_and(|error| error.is_eof())
    }
}

/// Returns a usable answer, and turns any other into an error.
pub(super) fn error_for_status(
    server: &str,
    request: &ApiRequest,
    answer: ApiAnswer,
    had_token: bool,
) -> Result<ApiAnswer, GitLabError> {
    let server = server.to_owned();
    let what = request.what.clone();
    let status = answer.status;
    let speaks_gitlab = answer.headers.gitlab_meta || answer.is_json();
    let not_gitlab = |why: String| Err(GitLabError::NotGitLab { server: server.clone(), why });
    match status {
        304 if request.etag.is_some() => Ok(answer),
        // An empty log has no last bytes.
        416 if request.tail.is_some() => Ok(ApiAnswer { body: Vec::new(), ..answer }),
        200..=299 if request.tail.is_some() || (answer.is_json() && !answer.is_cut_short()) => Ok(answer),
        200..=299 if answer.is_json() => Err(GitLabError::Truncated { server, what }),
        200..=299 => not_gitlab(format!("it answers with {}", kind(&answer))),
        300..=399 => match &answer.headers.location {
            Some(target) => Err(GitLabError::Elsewhere { server, target: cut(target) }),
            None => not_gitlab(format!("it answers with status {status}")),
        },
        401 if speaks_gitlab => Err(GitLabError::Unauthorised { server, what, had_token }),
        403 => Err(GitLabError::Forbidden { server, what, reason: reason(&answer) }),
        404 if speaks_gitlab => Err(GitLabError::NotFound { server, what }),
        401 | 404 => not_gitlab(format!("it answers with status {status} and {}", kind(&answer))),
        429 => Err(GitLabError::RateLimited { server, wait: None }),
        500..=599 => Err(GitLabError::Server { server, what, status }),
        _ => Err(GitLabError::Refused { server, what, status, reason: reason(&answer) }),
    }
}

/// Parses the body as JSON.
pub(super) fn read<T: DeserializeOwned>(
    server: &str,
    request: &ApiRequest,
    answer: &ApiAnswer,
) -> Result<T, GitLabError> {
    serde_json::from_slice(&answer.body).map_err(|error| GitLabError::BadAnswer {
        server: server.to_owned(),
        what: request.what.clone(),
        why: cut(&error.to_string()),
    })
}

fn kind(answer: &ApiAnswer) -> String {
    match answer.headers.content_type.as_str() {
        "" => "something without a type".to_owned(),
        kind => format!("`{}`", cut(kind)),
    }
}

/// Returns the server's reason for a refusal: GitLab's `message`, `error` or `error_description`.
fn reason(answer: &ApiAnswer) -> Option<String> {
    let value: Value = serde_json::from_slice(&answer.body).ok()?;
    let text =
        ["error_description", "message", "error"].into_iter().find_map(|key| match value.get(key)? {
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        })?;
    Some(cut(text.trim_end_matches('.'))).filter(|text| !text.is_empty())
}

/// Returns server text made safe and short enough for a message.
pub(super) fn cut(text: &str) -> String {
    truncate(&safe_line(&text.chars().take(400).collect::<String>()), 160)
}

#[cfg(test)]
mod tests {
    use super::super::request;
    use super::*;

    fn answer(status: u16, content_type: &str, body: &str) -> ApiAnswer {
        ApiAnswer {
            status,
            headers: Headers { content_type: content_type.to_owned(), ..Headers::default() },
            body: body.as_bytes().to_vec(),
            skipped: 0,
        }
    }

    fn verdict(answer: ApiAnswer) -> String {
        match error_for_status("https://git.example", &request::merge_request("a/b", 1), answer, true) {
            Ok(answer) => format!("ok {}", answer.status),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn not_modified_is_never_cut_short() {
        assert!(!answer(304, "application/json", "").is_cut_short());
        assert!(answer(200, "application/json", "").is_cut_short());
    }

    #[test]
    fn answers_map_to_results_and_errors() {
        let json = "application/json";
        for (given, meaning) in [
            (answer(200, json, "{}"), "ok 200"),
            (
                answer(200, json, "{\"a\": [1,"),
                "the answer of `https://git.example` about merge request `a/b!1` ended too early",
            ),
            (
                answer(200, "text/html", "<html>"),
                "`https://git.example` is not a GitLab server: it answers with `text/html`",
            ),
            (
                answer(401, json, "{\"message\":\"401 Unauthorized\"}"),
                "`https://git.example` does not accept the token",
            ),
            (
                answer(401, "text/html", "who?"),
                "`https://git.example` is not a GitLab server: it answers with status 401 and `text/html`",
            ),
            (
                answer(
                    403,
                    json,
                    "{\"error\":\"insufficient_scope\",\"error_description\":\"The request requires higher privileges than provided by the access token.\",\"scope\":\"api\"}",
                ),
                "`https://git.example` does not allow access to merge request `a/b!1`: The request requires higher privileges than provided by the access token",
            ),
            (
                answer(403, "text/html", "no"),
                "`https://git.example` does not allow access to merge request `a/b!1`",
            ),
            (
                answer(404, json, "{\"message\":\"404 Project Not Found\"}"),
                "merge request `a/b!1` was not found on `https://git.example`",
            ),
            (
                answer(404, "text/html", ""),
                "`https://git.example` is not a GitLab server: it answers with status 404 and `text/html`",
            ),
            (
                answer(429, "text/plain", "Retry later\n"),
                "`https://git.example` allows no more requests for now",
            ),
            (
                answer(502, "text/html", ""),
                "`https://git.example` failed on merge request `a/b!1` (status 502)",
            ),
            (
                answer(400, json, "{\"message\":{\"note\":[\"can't be blank\"]}}"),
                "`https://git.example` refused merge request `a/b!1` (status 400): {\"note\":[\"can't be blank\"]}",
            ),
            (
                answer(304, json, ""),
                "`https://git.example` is not a GitLab server: it answers with status 304",
            ),
        ] {
            assert_eq!(verdict(given), meaning);
        }
    }

    #[test]
    fn server_messages_are_truncated_and_sanitised() {
        let body = format!("{{\"message\":\"\\u001b[31m{}\"}}", "x".repeat(100_000));
        let text = verdict(answer(422, "application/json", &body));
        assert!(text.len() < 300 && !text.contains('\x1b'), "{text}");
        let hop = ApiAnswer {
            headers: Headers { location: Some("https://else.example/\x1b[2J".into()), ..Headers::default() },
            ..answer(302, "", "")
        };
        assert_eq!(verdict(hop), "`https://git.example` sends requests on to `https://else.example/`");
    }
}
