//! Retry rule: decides whether to retry, and after which pause. A pure function; `send` waits.

use std::time::{Duration, SystemTime};

use super::answer::Headers;
use super::request::Method;

/// Maximum number of tries in all.
pub(super) const TRIES: u32 = 5;
/// First pause; each further one is twice as long.
const FIRST: Duration = Duration::from_millis(200);
/// Longest pause that this program chooses.
const LONGEST: Duration = Duration::from_secs(10);
/// Longest wait that a server may ask for; beyond it, the client gives up.
const PATIENCE: Duration = Duration::from_secs(120);

/// Failure of a try.
#[derive(Debug, Clone, Copy)]
pub(super) enum Attempt<'a> {
    /// An unusable answer.
    Status(u16, &'a Headers),
    /// The request was never sent.
    NotSent,
    /// The connection broke, or the answer ended, after the request was sent.
    Broken,
}

/// Decision after a failed try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RetryDecision {
    /// Wait this long, then retry.
    Wait(Duration),
    /// Give up. The server may have asked for this wait.
    GiveUp(Option<Duration>),
}

/// Decides whether to retry after `tries` tries. `jitter` is between 0 and 1.
pub(super) fn next(
    method: Method,
    tries: u32,
    trouble: Attempt<'_>,
    now: SystemTime,
    jitter: f64,
) -> RetryDecision {
    // A request that changes something may be repeated only if the server cannot have carried it out.
    let repeatable = matches!(
        (method, trouble),
        (_, Attempt::Status(429, _) | Attempt::NotSent)
            | (Method::Get, Attempt::Status(500 | 502 | 503 | 504, _) | Attempt::Broken)
    );
    if !repeatable {
        return RetryDecision::GiveUp(None);
    }
    let asked = match trouble {
        Attempt::Status(_, headers) => asked_for(headers, now),
        _ => None,
    };
    if tries >= TRIES || asked.is_some_and(|wait| wait > PATIENCE) {
        return RetryDecision::GiveUp(asked);
    }
    let pause = match asked {
        // Waits a little longer than asked, with jitter, so that clients do not all retry at once.
        Some(wait) => wait + FIRST.mul_f64(jitter.clamp(0.0, 1.0)),
        None => {
            let doubled = FIRST * 2u32.saturating_pow(tries.saturating_sub(1).min(16));
            doubled.min(LONGEST).mul_f64(1.0 + jitter.clamp(0.0, 1.0) / 2.0)
        }
    };
    RetryDecision::Wait(pause)
}

/// Returns the wait that the server asks for: `Retry-After` in seconds or as a date, else `RateLimit-Reset`
/// as seconds since 1970.
fn asked_for(headers: &Headers, now: SystemTime) -> Option<Duration> {
    let until = |then: SystemTime| then.duration_since(now).unwrap_or(Duration::ZERO);
    let after = headers.retry_after.as_deref().map(str::trim).and_then(|text| {
        text.parse().ok().map(Duration::from_secs).or_else(|| httpdate::parse_http_date(text).ok().map(until))
    });
    after.or_else(|| {
        let seconds = headers.rate_limit_reset.as_deref()?.trim().parse().ok()?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).map(until)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
    }

    fn decide(method: Method, tries: u32, trouble: Attempt<'_>) -> RetryDecision {
        next(method, tries, trouble, now(), 0.0)
    }

    #[test]
    fn retry_backs_off_and_gives_up() {
        let none = Headers::default();
        let pauses: Vec<RetryDecision> =
            (1..=5).map(|tries| decide(Method::Get, tries, Attempt::Status(503, &none))).collect();
        let millis = |ms| RetryDecision::Wait(Duration::from_millis(ms));
        assert_eq!(
            pauses,
            [millis(200), millis(400), millis(800), millis(1600), RetryDecision::GiveUp(None)]
        );
        let late = next(Method::Get, 1, Attempt::Broken, now(), 1.0);
        assert_eq!(late, millis(300));
    }

    #[test]
    fn retry_honours_server_delay() {
        let date = httpdate::fmt_http_date(now() + Duration::from_secs(7));
        for (retry_after, reset, wait) in [
            (Some("3"), None, 3),
            (Some(date.as_str()), None, 7),
            (None, Some((NOW + 9).to_string()), 9),
            (Some("0"), Some((NOW + 9).to_string()), 0),
            (None, Some((NOW - 9).to_string()), 0),
        ] {
            let headers = Headers {
                retry_after: retry_after.map(str::to_owned),
                rate_limit_reset: reset,
                ..Headers::default()
            };
            let next = decide(Method::Post, 1, Attempt::Status(429, &headers));
            assert_eq!(next, RetryDecision::Wait(Duration::from_secs(wait)));
        }
        for nonsense in ["soon", "-1", "99999999999999999999999"] {
            let headers = Headers { retry_after: Some(nonsense.into()), ..Headers::default() };
            let next = decide(Method::Get, 1, Attempt::Status(429, &headers));
            assert_eq!(next, RetryDecision::Wait(FIRST), "{nonsense}");
        }
        let headers = Headers { retry_after: Some("3600".into()), ..Headers::default() };
        let hour = RetryDecision::GiveUp(Some(Duration::from_secs(3600)));
        assert_eq!(decide(Method::Get, 1, Attempt::Status(429, &headers)), hour);
    }

    #[test]
    fn post_is_retried_only_if_not_sent() {
        let none = Headers::default();
        for trouble in [Attempt::Broken, Attempt::Status(500, &none), Attempt::Status(502, &none)] {
            assert_eq!(decide(Method::Post, 1, trouble), RetryDecision::GiveUp(None));
        }
        assert_eq!(decide(Method::Post, 1, Attempt::NotSent), RetryDecision::Wait(FIRST));
        for status in [400, 401, 403, 404, 501] {
            assert_eq!(decide(Method::Get, 1, Attempt::Status(status, &none)), RetryDecision::GiveUp(None));
        }
    }
}
