//! Dates among plain scalars, as `go.yaml.in/yaml/v3` recognizes them, and their two forms in Go:
//! Compose prints them with `%v`, kustomize in RFC 3339. Other scalars belong in `plain`.

use std::sync::LazyLock;

use jiff::civil::DateTime;
use regex::Regex;

/// A date with time and UTC offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Date {
    at: DateTime,
    /// UTC offset in minutes, positive to the east.
    offset: i32,
}

/// Form of a date: with `T`, a zone is required; with a space, none is allowed.
static FORM: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let time = r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,]([0-9]+))?";
    let zone = "(?:Z|([-+])([0-9]{2}):([0-9]{2}))";
    Regex::new(&format!("^([0-9]{{4}})-([0-9]{{1,2}})-([0-9]{{1,2}})(?:[Tt]{time}{zone}| {time})?$")).ok()
});

impl Date {
    /// Parses a plain scalar; returns `None` if it is not a date, or not a valid one.
    pub(super) fn read(text: &str) -> Option<Self> {
        let found = FORM.as_ref()?.captures(text)?;
        let number = |group: usize| found.get(group).map_or("0", |part| part.as_str()).parse::<i32>().ok();
        let small = |group: usize| i8::try_from(number(group)?).ok();
        // The time is in other groups if no zone follows.
        let first = if found.get(11).is_some() { 11 } else { 4 };
        let fraction = found.get(first + 3).map_or("", |part| part.as_str());
        let nanoseconds = format!("{:0<9}", &fraction[..fraction.len().min(9)]).parse().ok()?;
        let year = i16::try_from(number(1)?).ok()?;
        let (hour, minute, second) = (small(first)?, small(first + 1)?, small(first + 2)?);
        let at = DateTime::new(year, small(2)?, small(3)?, hour, minute, second, nanoseconds).ok()?;
        let (hours, minutes) = (number(9)?, number(10)?);
        if hours > 24 || minutes > 60 {
            return None;
        }
        let sign = if found.get(8).is_some_and(|sign| sign.as_str() == "-") { -1 } else { 1 };
        Some(Self { at, offset: sign * (hours * 60 + minutes) })
    }

    /// Returns the form of Go's `%v`: `2024-01-01 00:00:00 +0000 UTC`.
    pub(super) fn printed(self) -> String {
        let zone = match self.offset {
            0 => "+0000 UTC".to_owned(),
            _ => format!("{zone} {zone}", zone = self.zone("")),
        };
        format!("{} {} {zone}", self.at.date(), self.time())
    }

    /// Returns the form of Go's JSON: `2024-01-01T00:00:00Z`.
    pub(super) fn rfc3339(self) -> String {
        let zone = if self.offset == 0 { "Z".to_owned() } else { self.zone(":") };
        format!("{}T{}{zone}", self.at.date(), self.time())
    }

    fn time(self) -> String {
        let (hour, minute, second) = (self.at.hour(), self.at.minute(), self.at.second());
        let whole = format!("{hour:02}:{minute:02}:{second:02}");
        match self.at.subsec_nanosecond() {
            0 => whole,
            part => format!("{whole}.{}", format!("{part:09}").trim_end_matches('0')),
        }
    }

    fn zone(self, between: &str) -> String {
        let (sign, minutes) = (if self.offset < 0 { '-' } else { '+' }, self.offset.abs());
        format!("{sign}{:02}{between}{:02}", minutes / 60, minutes % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn date_prints_like_go() {
        for (written, printed, json) in [
            ("2024-01-01", "2024-01-01 00:00:00 +0000 UTC", "2024-01-01T00:00:00Z"),
            ("2024-1-1", "2024-01-01 00:00:00 +0000 UTC", "2024-01-01T00:00:00Z"),
            ("2024-01-01 10:00:00", "2024-01-01 10:00:00 +0000 UTC", "2024-01-01T10:00:00Z"),
            ("2024-01-01T1:00:00Z", "2024-01-01 01:00:00 +0000 UTC", "2024-01-01T01:00:00Z"),
            (
                "2024-01-01T10:00:00.5+02:00",
                "2024-01-01 10:00:00.5 +0200 +0200",
                "2024-01-01T10:00:00.5+02:00",
            ),
            (
                "2024-01-01t10:00:00.120-00:30",
                "2024-01-01 10:00:00.12 -0030 -0030",
                "2024-01-01T10:00:00.12-00:30",
            ),
            ("2024-01-01T10:00:00+00:00", "2024-01-01 10:00:00 +0000 UTC", "2024-01-01T10:00:00Z"),
        ] {
            let date = Date::read(written).expect(written);
            assert_eq!((date.printed().as_str(), date.rfc3339().as_str()), (printed, json), "{written}");
        }
        for text in [
            "2024-02-30",
            "2024-13-45",
            "2024-01-01 10:00",
            "2024-01-01T25:00:00Z",
            "2024-01-01T10:00:00",
            "2024-01-01 10:00:00 +02:00",
            "2024-01-01 10:00:00Z",
            "24-01-01",
            "2024-01-01x",
        ] {
            assert_eq!(Date::read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn date_read_never_panics(text in "[0-9]{0,5}-[0-9]{0,3}-[0-9]{0,3}[Tt ]?[-+0-9:.,Z]{0,20}") {
            let _ = Date::read(&text).map(|date| (date.printed(), date.rfc3339()));
        }
    }
}
