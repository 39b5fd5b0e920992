//! Ways to misbehave, on demand: so many times, on so many requests, each a way in which real
//! servers and networks fail.

use serde::Deserialize;

/// A misbehaviour that waits for its requests.
#[derive(Debug, Clone, Deserialize)]
pub struct Fault {
    /// `GET` or `POST`; any, if absent.
    pub method: Option<String>,
    /// A part of the path and query.
    #[serde(default)]
    pub path: String,
    /// So many matching requests are let through first.
    #[serde(default)]
    pub after: u32,
    /// So many requests then meet it.
    #[serde(default = "once")]
    pub times: u32,
    /// The request is carried out all the same, only its answer is lost.
    #[serde(default)]
    pub done: bool,
    /// What happens.
    pub how: How,
}

fn once() -> u32 {
    1
}

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// 429; with a `Retry-After` header if one is given, and a `RateLimit-Reset` so many seconds
    /// from now.
    TooMany {
        /// The header.
        retry_after: Option<String>,
        /// Seconds.
        reset_in: Option<u64>,
    },
    /// Another status, with the page of a proxy.
    Status(u16),
    /// It takes so many milliseconds of the machine's time.
    Slow(u64),
    /// The connection ends in the middle of the body.
    Truncated,
    /// The body is whole, and half of the JSON.
    HalfJson,
    /// The connection is reset before anything is answered.
    Reset,
    /// A redirect to another place.
    Redirect(String),
    /// The page of another program, with status 200.
    Page,
    /// Every list has another page, the same one.
    Circle,
}

impl Fault {
    /// Whether this request meets it; counts it, if so.
    pub(super) fn takes(&mut self, method: &str, target: &str) -> bool {
        let matches = self.times > 0
            && self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && target.contains(&self.path);
        if !matches {
            return false;
        }
        if self.after > 0 {
            self.after -= 1;
            return false;
        }
        self.times -= 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_strikes_as_often_as_was_said() {
        let mut fault: Fault = serde_json::from_str(
            r#"{"method": "get", "path": "/notes", "after": 1, "times": 2, "how": {"status": 500}}"#,
        )
        .expect("is a fault");
        assert_eq!(fault.how, How::Status(500));
        let hits: Vec<bool> = (0..4).map(|_| fault.takes("GET", "/x/notes?page=1")).collect();
        assert_eq!(hits, [false, true, true, false]);
        assert!(!fault.takes("POST", "/x/notes"));
        let bare: How = serde_json::from_str("\"reset\"").expect("is a way");
        assert_eq!(bare, How::Reset);
    }
}
