//! Misbehaviour on demand: faults of real servers and networks, for a given number of requests.

use serde::Deserialize;

/// A misbehaviour that waits for matching requests.
#[derive(Debug, Clone, Deserialize)]
pub struct InjectedFault {
    /// `GET` or `POST`; any, if absent.
    pub method: Option<String>,
    /// A substring of the path and query.
    #[serde(default)]
    pub path: String,
    /// Number of matching requests to serve normally first.
    #[serde(default)]
    pub after: u32,
    /// Number of requests that meet the fault.
    #[serde(default = "once")]
    pub times: u32,
    /// The stand-in carries out the request, and only the answer is lost.
    #[serde(default)]
    pub done: bool,
    /// The kind of fault.
    pub kind: FaultKind,
}

fn once() -> u32 {
    1
}

/// A kind of fault.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Status 429, optionally with a `Retry-After` and a `RateLimit-Reset` header.
    TooMany {
        /// Value of the `Retry-After` header.
        retry_after: Option<String>,
        /// Seconds from now for the `RateLimit-Reset` header.
        reset_in: Option<u64>,
    },
    /// Another status, with an error page of a proxy.
    Status(u16),
    /// A delay in milliseconds of real time.
    Slow(u64),
    /// The connection ends in the middle of the body.
    Truncated,
    /// A complete body with half of the JSON.
    HalfJson,
    /// A reset of the connection before the answer.
    Reset,
    /// A redirect to another address.
    Redirect(String),
    /// The page of another program, with status 200.
    Page,
    /// Lists whose next page is the same page, without end.
    Circle,
    /// Lists with at most this many items on a page.
    SmallPages(usize),
    /// No answer at all, while the connection stays open.
    Silence,
    /// An answer a byte at a time, with this many milliseconds of real time between two.
    Trickle(u64),
    /// The answer to another request.
    OtherBody(String),
}

impl FaultKind {
    /// Returns whether the stand-in carries the request out in any case, and only its answer is broken.
    pub(super) fn answers(&self) -> bool {
        matches!(
            self,
            Self::Slow(_)
                | Self::Truncated
                | Self::HalfJson
                | Self::Circle
                | Self::Trickle(_)
                | Self::SmallPages(_)
        )
    }
}

impl InjectedFault {
    /// Returns whether this request meets the fault, and counts it if so.
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
    fn injected_fault_honours_after_and_times() {
        let mut fault: InjectedFault = serde_json::from_str(
            r#"{"method": "get", "path": "/notes", "after": 1, "times": 2, "kind": {"status": 500}}"#,
        )
        .expect("is a fault");
        assert_eq!(fault.kind, FaultKind::Status(500));
        let hits: Vec<bool> = (0..4).map(|_| fault.takes("GET", "/x/notes?page=1")).collect();
        assert_eq!(hits, [false, true, true, false]);
        assert!(!fault.takes("POST", "/x/notes"));
        let bare: FaultKind = serde_json::from_str("\"reset\"").expect("is a way");
        assert_eq!(bare, FaultKind::Reset);
    }
}
