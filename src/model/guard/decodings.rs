//! Decoded forms of a text: percent-encoded, escaped as in JSON, C or HTML, in base64 or base32, as the numbers of its
//! bytes, or with its dots in brackets. The search in them belongs in `host` and `credential`; references of HTML in
//! `base::html`, numbers in `bytes`.

use std::borrow::Cow;
use std::collections::BTreeSet;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::bytes::{SHORTEST, numbers, text_in};
use crate::base::html;
use crate::base::redact::as_read;

/// Maximum rounds of decoding.
const DEPTH: usize = 4;
/// Minimum length of base64 to decode: that of the shortest text.
const SHORTEST_BASE64: usize = (SHORTEST * 8).div_ceil(6);
/// Minimum length of base32 to decode.
const SHORTEST_BASE32: usize = (SHORTEST * 8).div_ceil(5);

/// Returns the text and all its decoded forms.
pub(super) fn decoded_variants(text: &str) -> Vec<Cow<'_, str>> {
    let mut seen = BTreeSet::new();
    let mut found: Vec<Cow<'_, str>> = vec![Cow::Borrowed(text)];
    let mut from = 0;
    for _ in 0..DEPTH {
        let until = found.len();
        let mut more = Vec::new();
        for view in &found[from..until] {
            more.extend(as_read(view));
            more.extend(unescape_percent(view));
            more.extend(unescape_json(view));
            more.extend(without_breaks(view));
            more.extend(html::unescape(view));
            more.extend(numbers(view));
            more.extend(base64_runs(view));
            more.extend(base32_runs(view));
            more.extend(without_brackets(view));
        }
        from = until;
        found.extend(more.into_iter().filter(|view| seen.insert(view.clone())).map(Cow::Owned));
    }
    found
}

fn unescape_percent(text: &str) -> Option<String> {
    match Cow::from(percent_encoding::percent_decode_str(text)) {
        Cow::Owned(plain) => Some(String::from_utf8_lossy(&plain).into_owned()),
        Cow::Borrowed(_) => None,
    }
}

fn unescape_json(text: &str) -> Option<String> {
    if !text.contains('\\') {
        return None;
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(next) = rest.next() {
        if next != '\\' {
            plain.push(next);
            continue;
        }
        match rest.next() {
            Some('n' | 'r' | 't') => plain.push('\n'),
            Some(kind @ ('u' | 'x' | 'U')) => {
                let length = match kind {
                    'x' => 2,
                    'u' => 4,
                    _ => 8,
                };
                let code =
                    rest.as_str().get(..length).and_then(|digits| u32::from_str_radix(digits, 16).ok());
                match code.and_then(char::from_u32) {
                    Some(meant) => {
                        plain.push(meant);
                        rest = rest.as_str()[length..].chars();
                    }
                    None => plain.push(kind),
                }
            }
            Some(other) => plain.push(other),
            None => {}
        }
    }
    Some(plain)
}

/// Removes tabs and line breaks from a text, as URL parsers do.
fn without_breaks(text: &str) -> Option<String> {
    let breaks = ['\t', '\n', '\r'];
    text.trim().contains(breaks).then(|| text.replace(breaks, ""))
}

/// Decodes unbroken runs of base64 characters that hold text; if the text is nothing but base64 in
/// several lines, decodes the whole.
fn base64_runs(text: &str) -> Vec<String> {
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_' | '=');
    let mut found: Vec<String> = text.split(|c| !is_base64(c)).filter_map(decode).collect();
    let lines = text.trim();
    if lines.contains('\n') && lines.chars().all(|c| is_base64(c) || c.is_ascii_whitespace()) {
        found.extend(decode(&lines.split_ascii_whitespace().collect::<String>()));
    }
    found
}

/// Alphabets of base32 (RFC 4648), in either case.
const BASE32: [&[u8]; 2] = [b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789ABCDEFGHIJKLMNOPQRSTUV"];

/// Decodes unbroken runs of base32 characters that hold text.
fn base32_runs(text: &str) -> Vec<String> {
    let lines = text.trim();
    let is_wrapped = lines.contains('\n')
        && lines.chars().all(|c| c.is_ascii_alphanumeric() || c == '=' || c.is_ascii_whitespace());
    let whole = is_wrapped.then(|| lines.split_ascii_whitespace().collect::<String>());
    let runs = text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .chain(whole.as_deref().map(|all| all.trim_end_matches('=')));
    let runs = runs.filter(|run| run.len() >= SHORTEST_BASE32 && is_of_one_case(run));
    runs.flat_map(|run| BASE32.into_iter().filter_map(|alphabet| text_in(&decode_base32(run, alphabet)?)))
        .collect()
}

fn is_of_one_case(run: &str) -> bool {
    let has = |is: fn(&u8) -> bool| run.as_bytes().iter().any(is);
    !(has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase))
}

/// Returns the bytes of base32, without the bits of an incomplete last byte.
fn decode_base32(run: &str, alphabet: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(run.len() * 5 / 8);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in run.bytes() {
        let value = alphabet.iter().position(|one| *one == byte.to_ascii_uppercase())?;
        bits = bits << 5 | u32::try_from(value).ok()?;
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    Some(bytes)
}

/// Dots as texts have them that must not be links, and as patterns have them.
const DOTS: [&str; 7] = ["[.]", "(.)", "{.}", "[dot]", "(dot)", "{dot}", "<dot>"];

/// Removes the brackets around dots (`mq[.]example[.]org`).
fn without_brackets(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let found = DOTS.into_iter().filter(|dot| lower.contains(dot));
    let plain = found.fold(lower.clone(), |text, dot| text.replace(dot, "."));
    (plain != lower).then_some(plain)
}

fn decode(run: &str) -> Option<String> {
    const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    const ENGINE: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);
    // `NAME=` may precede the base64.
    let run = run.trim_end_matches('=');
    let run = run.rsplit('=').next().unwrap_or(run);
    if run.len() < SHORTEST_BASE64 {
        return None;
    }
    let mut run = run.replace('-', "+").replace('_', "/");
    // A single remaining character is less than a byte.
    if run.len() % 4 == 1 {
        run.pop();
    }
    text_in(&ENGINE.decode(run).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn says(text: &str, wanted: &str) -> bool {
        decoded_variants(text).iter().any(|view| view.contains(wanted))
    }

    #[test]
    fn decoded_variants_unwrap_nested_encodings() {
        let wrapped = base64::engine::general_purpose::STANDARD.encode("amqps://u:p@mq.example.org:5671/%2F");
        let lines = format!("{}\n{}\n", &wrapped[..20], &wrapped[20..]);
        for text in [
            wrapped.clone(),
            format!("URL={wrapped}"),
            format!("{{\"url\": \"{wrapped}\"}}"),
            lines,
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode("?mq.example.org?>~~"),
            base64::engine::general_purpose::STANDARD.encode(wrapped.as_bytes()),
            "amqps%3A%2F%2Fmq%2Eexample%2Eorg".to_owned(),
            "amqps%253A%252F%252Fmq%252Eexample.org".to_owned(),
            r#"{"a": "{\"b\": \"https:\/\/mq\u002eexample.org\"}"}"#.to_owned(),
            "mq\\x2eexample\\x2eorg".to_owned(),
            "mq.exa\tmple.o\nrg".to_owned(),
            "mq&#46;example&#x2e;org".to_owned(),
            "mq&#46example.org".to_owned(),
            "mq\\056example\\56org".to_owned(),
            "mq%u002eexample.org".to_owned(),
            "mq.ex\x1b[1mample.org".to_owned(),
            "6d712e6578616d706c652e6f7267".to_owned(),
            // base32(1), Python's `b32encode` and `b32hexencode`.
            "NVYS4ZLYMFWXA3DFFZXXEZY=".to_owned(),
            "nvys4zlymfwxa3dffzxxezy".to_owned(),
            "URL=NVYS4ZLYMFWX\nA3DFFZXXEZY=\n".replace("URL=", ""),
            "DLOISPBOC5MN0R355PNN4PO=".to_owned(),
            "mq[.]example[.]org".to_owned(),
            "hxxps://mq(dot)example[DOT]org".to_owned(),
            base64::engine::general_purpose::STANDARD.encode(b"\xff\xfe\x00\x01mq.example.org\x80"),
        ] {
            assert!(says(&text, "mq.example.org"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn decoded_variants_start_with_original_text(text in "\\PC{0,60}|[%\\\\u0-9a-f=A-Za-z+/\n]{0,80}") {
            prop_assert!(decoded_variants(&text)[0] == text);
        }

        #[test]
        fn decoded_variants_unwrap_base64_with_prefix(text in "[a-z]{3,10}\\.[a-z:/@?&=]{6,30}", prefix in "[A-Z_]{1,8}=|") {
            let encoded = base64::engine::general_purpose::STANDARD.encode(&text);
            let wrapped = format!("{prefix}{encoded}");
            prop_assert!(says(&wrapped, &text));
        }
    }
}
