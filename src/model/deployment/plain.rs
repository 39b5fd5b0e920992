//! Plain scalars as Docker Compose and kustomize read them: the mix of YAML 1.1 and 1.2 of
//! `go.yaml.in/yaml/v3`, printed by Go's `%v`. `010` is 8, `1.10` is 1.1, `yes` stays a text. The
//! differences of `kubectl` belong in `scalar`.

use std::sync::LazyLock;

use regex::Regex;

use super::date::Date;

/// Type of a plain scalar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scalar {
    Null,
    Truth(bool),
    /// Number in its printed form.
    Number(String),
    /// Text, equal to the source.
    Text,
    Date(Date),
}

static FLOAT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$").ok());

/// Parses a plain scalar.
pub(super) fn read(text: &str) -> Scalar {
    let number = |text: &str| Scalar::Number(text.to_owned());
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "true" | "True" | "TRUE" => return Scalar::Truth(true),
        "false" | "False" | "FALSE" => return Scalar::Truth(false),
        ".nan" | ".NaN" | ".NAN" => return number("NaN"),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return number("+Inf"),
        "-.inf" | "-.Inf" | "-.INF" => return number("-Inf"),
        _ => {}
    }
    let number = match text.as_bytes()[0] {
        // Go accepts `_` between digits, even where YAML does not.
        b'.' if has_separators_only(text) => float(&text.replace('_', "")),
        b'+' | b'-' | b'0'..=b'9' => {
            if let Some(date) = Date::read(text) {
                return Scalar::Date(date);
            }
            let digits = text.replace('_', "");
            integer(&digits).or_else(|| float(&digits))
        }
        _ => None,
    };
    number.map_or(Scalar::Text, Scalar::Number)
}

/// Returns whether a plain scalar is an integer.
pub(super) fn is_integer(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit() || c == '+' || c == '-')
        && integer(&text.replace('_', "")).is_some()
}

/// Prints a number with the type of a float; `None` if it is infinite.
pub(super) fn as_float(number: &str) -> Option<String> {
    number.parse().ok().filter(|number: &f64| number.is_finite()).map(printed)
}

/// Returns whether each `_` stands between two digits.
fn has_separators_only(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let underscores = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'_');
    underscores.into_iter().all(|(at, _)| is_digit(at.checked_sub(1)) && is_digit(Some(at + 1)))
}

/// Parses an integer in the bases of Go's `ParseInt`.
fn integer(text: &str) -> Option<String> {
    let (negative, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text),
    };
    let (base, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.starts_with(['-', '+']) {
        return None;
    }
    let number = i128::from_str_radix(digits, base).ok()?;
    let number = if negative { -number } else { number };
    let has_sign = text.starts_with(['-', '+']);
    let most = if has_sign { i128::from(i64::MAX) } else { i128::from(u64::MAX) };
    (number >= i128::from(i64::MIN) && number <= most).then(|| number.to_string())
}

/// Prints a number as a key in `kubectl`'s reading, in which floats have 32 bits; `None` if `kubectl`
/// refuses it.
pub(super) fn key(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    if [".inf", "+.inf", "-.inf", ".nan"].contains(&lower.as_str()) {
        return Some(lower.trim_start_matches('+').to_owned());
    }
    let digits = text.replace('_', "");
    match integer(&digits) {
        Some(number) => number.parse::<i64>().is_ok().then_some(number),
        None => digits.parse::<f32>().ok().map(|number| with_exponent(&format!("{number:e}"), number)),
    }
}

/// Parses a number of base ten, as Go's `Atoi` and `ParseFloat` do, and prints it: `010` is 10.
pub(super) fn decimal(text: &str) -> Option<String> {
    text.parse::<i64>().map(|number| number.to_string()).ok().or_else(|| float(text))
}

fn float(text: &str) -> Option<String> {
    if !FLOAT.as_ref().is_some_and(|float| float.is_match(text)) {
        return None;
    }
    let number: f64 = text.parse().ok()?;
    number.is_finite().then(|| printed(number))
}

/// Prints a number like Go's `%v`.
fn printed(number: f64) -> String {
    with_exponent(&format!("{number:e}"), number)
}

/// Chooses between the shortest form with an exponent and the one without, like Go.
fn with_exponent(shortest: &str, number: impl std::fmt::Display) -> String {
    let Some((mantissa, exponent)) = shortest.split_once('e') else { return shortest.to_owned() };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if !(-4..6).contains(&exponent) {
        return format!("{mantissa}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs());
    }
    format!("{number}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_scalars_are_read_like_go() {
        for (written, meant) in [
            ("False", "false"),
            ("010", "8"),
            ("1.10", "1.1"),
            ("0x1F", "31"),
            ("1e3", "1000"),
            ("+5", "5"),
            ("1_000", "1000"),
            ("yes", "yes"),
            (".inf", "+Inf"),
            ("0o17", "15"),
            ("0b101", "5"),
            ("-0x1F", "-31"),
            ("1e21", "1e+21"),
            ("1e20", "1e+20"),
            ("123456789012345678901234567890", "1.2345678901234568e+29"),
            ("18446744073709551615", "18446744073709551615"),
            ("0.000001", "1e-06"),
            ("0.0001", "0.0001"),
            ("1.", "1"),
            (".0_0", "0"),
            (".5_0", "0.5"),
            ("._5", "._5"),
            (".5_", ".5_"),
            (".5", "0.5"),
            ("-0", "0"),
            ("1:30", "1:30"),
            ("08", "8"),
            ("09.5", "9.5"),
            ("0x_F", "15"),
            ("12e03", "12000"),
            ("9007199254740993", "9007199254740993"),
            ("123456789.5", "1.234567895e+08"),
            ("21000000.0", "2.1e+07"),
            ("1e6", "1e+06"),
            ("-0.0", "-0"),
            ("0x", "0x"),
            ("0o8", "0o8"),
            ("1_000.5", "1000.5"),
            ("0777_1", "4089"),
            ("1e", "1e"),
            ("+010", "8"),
            ("_1", "_1"),
            ("1_", "1"),
            ("1e400", "1e400"),
            ("0b2", "0b2"),
            ("100000.0", "100000"),
            ("1.2.3", "1.2.3"),
            ("-", "-"),
            ("=", "="),
        ] {
            let read = match read(written) {
                Scalar::Number(number) => number,
                Scalar::Truth(truth) => truth.to_string(),
                Scalar::Text => written.to_owned(),
                other => panic!("{written} is {other:?}"),
            };
            assert_eq!(read, meant, "{written}");
        }
        assert!(matches!(read("2001-01-01"), Scalar::Date(_)));
        assert!(matches!(read("2001-01-01 10:00:00.5"), Scalar::Date(_)));
        assert_eq!(read("2001-01-01x"), Scalar::Text);
        assert_eq!(read("2001-02-30"), Scalar::Text);
    }

    proptest! {
        #[test]
        fn plain_scalar_read_never_panics(text in "[-+.0-9xobeE_:TéN~]{0,24}") {
            let _ = read(&text);
        }
    }
}
