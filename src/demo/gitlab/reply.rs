//! Requests and answers as plain data, in GitLab's forms: its errors, its pages, its tags. The network is
//! in `server`.

use serde_json::{Value, json};

use crate::base::digest;

/// A received request.
#[derive(Debug, Clone, Default)]
pub(super) struct IncomingRequest {
    pub(super) method: String,
    /// The path as received: percent-encoded.
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) token: Option<String>,
    pub(super) if_none_match: Option<String>,
    pub(super) range: Option<String>,
    /// The fields of the body, from JSON or from a form.
    pub(super) fields: Vec<(String, String)>,
}

impl IncomingRequest {
    /// Returns a parameter of the query or of the body.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let mut all = self.query.iter().chain(&self.fields);
        all.find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Returns a parameter that the request must have.
    pub(super) fn required(&self, name: &str) -> Result<&str, Reply> {
        self.parameter(name).ok_or_else(|| Reply::error(400, &format!("{name} is missing")))
    }

    /// Returns all values of a list such as `scope[]`.
    pub(super) fn list(&self, name: &str) -> Vec<&str> {
        let listed = format!("{name}[]");
        let wanted = |key: &str| key == name || key == listed;
        self.query.iter().filter(|(key, _)| wanted(key)).map(|(_, value)| value.as_str()).collect()
    }
}

/// An answer to a request.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn json(status: u16, value: &Value) -> Self {
        let body = value.to_string().into_bytes();
        Self { status, headers: vec![("content-type", "application/json".to_owned())], body }
    }

    pub(super) fn text(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![("content-type", content_type.to_owned())], body: body.into() }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Returns an answer of the form `{"message": "404 Project Not Found"}`.
    pub(super) fn message(status: u16, message: &str) -> Self {
        Self::json(status, &json!({ "message": message }))
    }

    /// Returns an answer of the form `{"error": "body is missing"}`.
    pub(super) fn error(status: u16, error: &str) -> Self {
        Self::json(status, &json!({ "error": error }))
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self::message(404, &format!("404 {what} Not Found"))
    }

    /// Returns GitLab's answer for a missing database record.
    pub(super) fn no_record() -> Self {
        Self::message(404, "404 Not found")
    }

    pub(super) fn unauthorized() -> Self {
        Self::message(401, "401 Unauthorized")
    }

    pub(super) fn forbidden() -> Self {
        Self::message(403, "403 Forbidden")
    }

    /// Adds an ETag, and answers 304 if the request has the same one.
    pub(super) fn tagged(mut self, incoming: &IncomingRequest) -> Self {
        if self.status != 200 || incoming.method != "GET" {
            return self;
        }
        let tag = format!("W/\"{}\"", &digest::sha256_hex([&self.body])[..32]);
        let known = incoming.if_none_match.as_deref().unwrap_or_default();
        if known.split(',').any(|one| one.trim() == tag) {
            self.status = 304;
            self.body.clear();
            self.headers.retain(|(name, _)| *name != "content-type");
        }
        self.with("etag", tag).with("cache-control", "max-age=0, private, must-revalidate")
    }
}

/// Returns one page of a list, with GitLab's headers for it.
pub(super) fn page(base: &str, incoming: &IncomingRequest, items: &[Value]) -> Result<Reply, Reply> {
    let number = |name: &str, default: usize| match incoming.parameter(name) {
        None => Ok(default),
        Some(text) => match text.parse() {
            Ok(0) => Err(Reply::error(400, &format!("{name} does not have a valid value"))),
            Ok(number) => Ok(number),
            Err(_) => Err(Reply::error(400, &format!("{name} is invalid"))),
        },
    };
    let page: usize = number("page", 1)?;
    let per_page = number("per_page", 20)?.min(100);
    let pages = items.len().div_ceil(per_page).max(1);
    let from = (page - 1).saturating_mul(per_page).min(items.len());
    let to = (from + per_page).min(items.len());
    let next = (page < pages).then_some(page + 1);
    let previous = (page > 1).then(|| (page - 1).min(pages));
    let link = |page: usize, rel: &str| {
        let mut query: Vec<(String, String)> =
            incoming.query.iter().filter(|(key, _)| key != "page" && key != "per_page").cloned().collect();
        query.push(("page".to_owned(), page.to_string()));
        query.push(("per_page".to_owned(), per_page.to_string()));
        query.sort();
        format!("<{base}{}?{}>; rel=\"{rel}\"", incoming.path, encode_query(&query))
    };
    let links = [
        previous.map(|page| link(page, "prev")),
        next.map(|page| link(page, "next")),
        Some(link(1, "first")),
        Some(link(pages, "last")),
    ];
    let links: Vec<String> = links.into_iter().flatten().collect();
    let text = |number: Option<usize>| number.map_or_else(String::new, |number| number.to_string());
    Ok(Reply::json(200, &Value::Array(items[from..to].to_vec()))
        .with("link", links.join(", "))
        .with("x-page", page.to_string())
        .with("x-per-page", per_page.to_string())
        .with("x-next-page", text(next))
        .with("x-prev-page", text(previous))
        .with("x-total", items.len().to_string())
        .with("x-total-pages", pages.to_string()))
}

/// Encodes a query.
pub(super) fn encode_query(query: &[(String, String)]) -> String {
    let pairs: Vec<String> =
        query.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect();
    pairs.join("&")
}

fn encode(text: &str) -> percent_encoding::PercentEncode<'_> {
    const UNRESERVED: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    percent_encoding::utf8_percent_encode(text, UNRESERVED)
}

/// Decodes a part of a URL. With `plus`, `+` is a space, as in queries.
pub(super) fn decode(text: &str, plus: bool) -> String {
    let text = if plus { text.replace('+', " ") } else { text.to_owned() };
    percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
}

/// Decodes a query or the body of a form.
pub(super) fn decode_query(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(key, value)| (decode(key, true), decode(value, true)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header<'a>(reply: &'a Reply, name: &str) -> &'a str {
        reply.headers.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }

    #[test]
    fn page_sends_gitlab_pagination_headers() {
        let items: Vec<Value> = (0..5).map(|number| json!(number)).collect();
        let ask = |query: &str| IncomingRequest {
            method: "GET".into(),
            path: "/api/v4/projects/a%2Fb/x".into(),
            query: decode_query(query),
            ..IncomingRequest::default()
        };
        let reply = page("http://h", &ask("per_page=2&page=2&sort=asc"), &items).expect("is a page");
        assert_eq!(reply.body, b"[2,3]");
        assert_eq!(
            header(&reply, "link"),
            "<http://h/api/v4/projects/a%2Fb/x?page=1&per_page=2&sort=asc>; rel=\"prev\", \
             <http://h/api/v4/projects/a%2Fb/x?page=3&per_page=2&sort=asc>; rel=\"next\", \
             <http://h/api/v4/projects/a%2Fb/x?page=1&per_page=2&sort=asc>; rel=\"first\", \
             <http://h/api/v4/projects/a%2Fb/x?page=3&per_page=2&sort=asc>; rel=\"last\""
        );
        assert_eq!((header(&reply, "x-total"), header(&reply, "x-next-page")), ("5", "3"));
        let last = page("http://h", &ask("per_page=500"), &items).expect("is a page");
        assert_eq!((header(&last, "x-per-page"), header(&last, "x-next-page")), ("100", ""));
        let beyond = page("http://h", &ask("page=99999999999999999"), &items).expect("is a page");
        assert_eq!(beyond.body, b"[]");
        for query in ["page=x", "per_page=0"] {
            assert_eq!(page("http://h", &ask(query), &items).expect_err("is refused").status, 400);
        }
    }

    #[test]
    fn decode_handles_percent_and_plus() {
        assert_eq!(decode("a%2Fb%", false), "a/b%");
        assert_eq!(decode("a+b%+", true), "a b% ");
        assert_eq!(
            decode_query("a=1&b=%5B&c"),
            [("a", "1"), ("b", "["), ("c", "")].map(|(k, v)| (k.into(), v.into()))
        );
    }
}
