//! Times in which a team does not change production: days of the week, and hours of each day. A rule about a moment; the
//! question that follows from it is up to `cli`.

use jiff::civil::{DateTime, Weekday};

/// Days by their names in the setting.
const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];
/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// Quiet times, such as `fri, 16:00-09:00`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QuietTimes(Vec<QuietRule>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum QuietRule {
    /// From one day to another, with both; by their distance from Monday.
    Days(i8, i8),
    /// From a minute of the day to another, without the last; over midnight if it begins later than it ends.
    Hours(u16, u16, String),
}

/// A text that is no list of quiet times.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no quiet time: days are like `fri` or `sat-sun`, and hours like `16:00-09:00`")]
pub struct QuietTimesError(pub String);

impl QuietTimes {
    /// Parses a list, separated by commas. An empty text has no quiet times.
    ///
    /// # Errors
    /// Fails on any other text.
    pub fn parse(text: &str) -> Result<Self, QuietTimesError> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let rules = parts.map(|part| QuietRule::parse(part).ok_or_else(|| QuietTimesError(part.to_owned())));
        Ok(Self(rules.collect::<Result<_, _>>()?))
    }

    /// Returns why a moment is quiet, as a clause: `it is Friday`.
    #[must_use]
    pub fn reason(&self, now: DateTime) -> Option<String> {
        let day = now.weekday();
        let minute = minute_of(now.hour(), now.minute());
        self.0.iter().find_map(|rule| match rule {
            QuietRule::Days(from, to) => {
                let at = day.to_monday_zero_offset();
                let is_within =
                    if from <= to { (from..=to).contains(&&at) } else { at >= *from || at <= *to };
                is_within.then(|| format!("it is {}", name_of(day)))
            }
            QuietRule::Hours(from, to, text) => {
                let is_within =
                    if from <= to { (from..to).contains(&&minute) } else { minute >= *from || minute < *to };
                is_within.then(|| format!("it is within {text}"))
            }
        })
    }
}

impl QuietRule {
    fn parse(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let (from, to) =
            lower.split_once('-').map_or((lower.as_str(), None), |(from, to)| (from.trim(), Some(to.trim())));
        if let Some(first) = day_of(from) {
            return Some(Self::Days(first, to.map_or(Some(first), day_of)?));
        }
        let (from, to) = (time_of(from)?, time_of(to?)?);
        (from < DAY && from != to).then(|| Self::Hours(from, to, text.to_owned()))
    }
}

fn day_of(text: &str) -> Option<i8> {
    DAYS.iter().find(|(name, _)| *name == text).map(|(_, day)| day.to_monday_zero_offset())
}

fn name_of(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

fn time_of(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str| text.parse::<i8>().ok().filter(|_| text.len() == 2);
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let is_time = (0..24).contains(&hours) && (0..60).contains(&minutes);
    (is_time || (hours, minutes) == (24, 0)).then(|| minute_of(hours, minutes))
}

fn minute_of(hours: i8, minutes: i8) -> u16 {
    u16::from(hours.unsigned_abs()) * 60 + u16::from(minutes.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(text: &str, day: i8, hour: i8) -> Option<String> {
        // 2026-11-23 is a Monday.
        let now = jiff::civil::date(2026, 11, 22 + day).at(hour, 30, 0, 0);
        QuietTimes::parse(text).expect(text).reason(now)
    }

    #[test]
    fn quiet_times_are_days_and_hours() {
        let friday = Some("it is Friday".to_owned());
        assert_eq!(reason("fri, 16:00-24:00", 5, 10), friday);
        assert_eq!(reason("fri, 16:00-24:00", 4, 10), None);
        assert_eq!(reason("Fri - Mon", 1, 10), Some("it is Monday".to_owned()), "over the end of a week");
        assert_eq!(reason("fri-mon", 2, 10), None);
        let night = Some("it is within 16:00-09:00".to_owned());
        assert_eq!(reason("16:00-09:00", 2, 23), night);
        assert_eq!(reason("16:00-09:00", 2, 8), night);
        assert_eq!(reason("16:00-09:00", 2, 9), None, "the end is not part of it");
        assert_eq!(reason("", 5, 23), None);
    }

    #[test]
    fn quiet_times_say_which_part_is_wrong() {
        for wrong in [
            "freitag",
            "16-24",
            "16:00",
            "25:00-26:00",
            "fri-16:00",
            "16:00-fri",
            "1:00-2:00",
            "09:00-09:00",
            "24:00-09:00",
        ] {
            let error = QuietTimes::parse(&format!("sat,{wrong}")).expect_err(wrong);
            assert_eq!(error, QuietTimesError(wrong.to_owned()));
        }
    }
}
