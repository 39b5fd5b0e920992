//! Points in time as people write them: a duration ago, a time of today, a day, or a full date.

use jiff::civil::{Date, DateTime, Time};
use jiff::{Span, Timestamp, Zoned};

/// Parses a time in the past: `10m`, `1h30m`, `2d`, `14:30`, `2026-11-22`, `2026-11-22T14:30`,
/// `2026-11-22T14:30:00+01:00`. A time without a zone is in the zone of `now`.
#[must_use]
pub fn parse(text: &str, now: &Zoned) -> Option<Timestamp> {
    let text = text.trim();
    let here = |at: DateTime| at.to_zoned(now.time_zone().clone()).ok().map(|at| at.timestamp());
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(timestamp);
    }
    if let Ok(date) = text.parse::<Date>().and_then(|date| match text.contains([':', 'T', ' ']) {
        true => text.parse::<DateTime>(),
        false => Ok(date.to_datetime(Time::midnight())),
    }) {
        return here(date);
    }
    if text.contains(':')
        && let Ok(time) = text.parse::<Time>()
    {
        let today = here(now.date().to_datetime(time))?;
        // A time later than now means yesterday's.
        let is_past = today <= now.timestamp();
        return if is_past { Some(today) } else { here(now.date().yesterday().ok()?.to_datetime(time)) };
    }
    let span = text.parse::<Span>().ok().filter(|span| !span.is_negative())?;
    now.checked_sub(span).ok().map(|at| at.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_accepts_durations_times_and_dates() {
        let now: Zoned = "2026-11-22T10:00:00+01:00[Europe/Prague]".parse().expect("is a time");
        let at = |text: &str| parse(text, &now).map(|timestamp| timestamp.to_string());
        for (text, meant) in [
            ("10m", "2026-11-22T08:50:00Z"),
            ("1h30m5s", "2026-11-22T07:29:55Z"),
            ("2d", "2026-11-20T09:00:00Z"),
            ("09:30", "2026-11-22T08:30:00Z"),
            ("10:30", "2026-11-21T09:30:00Z"),
            ("2026-11-22", "2026-11-21T23:00:00Z"),
            ("2026-11-22T09:30", "2026-11-22T08:30:00Z"),
            ("2026-11-22 09:30:07", "2026-11-22T08:30:07Z"),
            ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z"),
        ] {
            assert_eq!(at(text).as_deref(), Some(meant), "{text}");
        }
        for text in ["", "10", "m", "10x", "soon", "99:99", "-5m", "9999999999999999d", "2026-13-01"] {
            assert_eq!(at(text), None, "{text}");
        }
    }
}
