//! Retry rule of HTTP clients: decides whether to retry a request, and after which pause. A pure function; the callers
//! send and wait.

use std::time::{Duration, SystemTime};

/// First pause; each further one is twice as long.
const FIRST: Duration = Duration::from_millis(200);
/// Longest pause that this program chooses.
const LONGEST: Duration = Duration::from_secs(10);

/// Limits of a client.
#[derive(Debug, Clone, Copy)]
pub struct RetryLimits {
    /// Maximum number of tries in all.
    pub tries: u32,
    /// Longest wait that a server may ask for; beyond it, the client gives up.
    pub patience: Duration,
}

/// Failure of a try.
#[derive(Debug, Clone, Copy)]
pub enum Attempt {
    /// An unusable answer: its status, and the wait that the server asks for.
    Status(u16, Option<Duration>),
    /// The request was never sent.
    NotSent,
    /// The connection broke, or the answer ended, after the request was sent.
    Broken,
}

/// Decision after a failed try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryDecision {
    /// Wait this long, then retry.
    Wait(Duration),
    /// Give up. The server may have asked for this wait.
    GiveUp(Option<Duration>),
}

impl RetryLimits {
    /// Decides whether to retry after `tries` tries of a request, which only reads or may change something. `jitter` is
    /// between 0 and 1.
    #[must_use]
    pub fn next(self, only_reads: bool, tries: u32, trouble: Attempt, jitter: f64) -> RetryDecision {
        // A request that changes something may be repeated only if the server cannot have carried it out.
        let repeatable = match trouble {
            Attempt::Status(429, _) | Attempt::NotSent => true,
            Attempt::Status(500 | 502 | 503 | 504, _) | Attempt::Broken => only_reads,
            Attempt::Status(..) => false,
        };
        if !repeatable {
            return RetryDecision::GiveUp(None);
        }
        let asked = match trouble {
            Attempt::Status(_, asked) => asked,
            Attempt::NotSent | Attempt::Broken => None,
        };
        if tries >= self.tries || asked.is_some_and(|wait| wait > self.patience) {
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
}

/// Returns the wait that a server asks for: `Retry-After` in seconds or as a date, else `RateLimit-Reset` as seconds
/// since 1970.
#[must_use]
pub fn asked_wait(
    retry_after: Option<&str>,
    rate_limit_reset: Option<&str>,
    now: SystemTime,
) -> Option<Duration> {
    let until = |then: SystemTime| then.duration_since(now).unwrap_or(Duration::ZERO);
    let after = retry_after.map(str::trim).and_then(|text| {
        text.parse().ok().map(Duration::from_secs).or_else(|| httpdate::parse_http_date(text).ok().map(until))
    });
    after.or_else(|| {
        let seconds = rate_limit_reset?.trim().parse().ok()?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).map(until)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;
    const LIMITS: RetryLimits = RetryLimits { tries: 5, patience: Duration::from_secs(120) };

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
    }

    fn decide(only_reads: bool, tries: u32, trouble: Attempt) -> RetryDecision {
        LIMITS.next(only_reads, tries, trouble, 0.0)
    }

    #[test]
    fn retry_backs_off_and_gives_up() {
        let pauses: Vec<RetryDecision> =
            (1..=5).map(|tries| decide(true, tries, Attempt::Status(503, None))).collect();
        let millis = |ms| RetryDecision::Wait(Duration::from_millis(ms));
        assert_eq!(
            pauses,
            [millis(200), millis(400), millis(800), millis(1600), RetryDecision::GiveUp(None)]
        );
        assert_eq!(LIMITS.next(true, 1, Attempt::Broken, 1.0), millis(300));
    }

    #[test]
    fn retry_honours_server_delay() {
        let date = httpdate::fmt_http_date(now() + Duration::from_secs(7));
        let (soon, past) = ((NOW + 9).to_string(), (NOW - 9).to_string());
        for (retry_after, reset, wait) in [
            (Some("3"), None, 3),
            (Some(date.as_str()), None, 7),
            (None, Some(soon.as_str()), 9),
            (Some("0"), Some(soon.as_str()), 0),
            (None, Some(past.as_str()), 0),
        ] {
            let asked = asked_wait(retry_after, reset, now());
            let next = decide(false, 1, Attempt::Status(429, asked));
            assert_eq!(next, RetryDecision::Wait(Duration::from_secs(wait)));
        }
        for nonsense in ["soon", "-1", "99999999999999999999999"] {
            let asked = asked_wait(Some(nonsense), None, now());
            let next = decide(true, 1, Attempt::Status(429, asked));
            assert_eq!(next, RetryDecision::Wait(FIRST), "{nonsense}");
        }
        let hour = asked_wait(Some("3600"), None, now());
        assert_eq!(hour, Some(Duration::from_secs(3600)));
        assert_eq!(decide(true, 1, Attempt::Status(429, hour)), RetryDecision::GiveUp(hour));
    }

    #[test]
    fn change_is_retried_only_if_not_sent() {
        for trouble in [Attempt::Broken, Attempt::Status(500, None), Attempt::Status(502, None)] {
            assert_eq!(decide(false, 1, trouble), RetryDecision::GiveUp(None));
        }
        assert_eq!(decide(false, 1, Attempt::NotSent), RetryDecision::Wait(FIRST));
        for status in [400, 401, 403, 404, 501] {
            assert_eq!(decide(true, 1, Attempt::Status(status, None)), RetryDecision::GiveUp(None));
        }
    }
}
