//! Tests of masking: chosen texts, and the memory that endless ones take. Generated texts are in
//! [`properties`], dumps of programs in [`dumps`], the forms of a secret in [`written`].

mod context;
mod dumps;
mod properties;
mod written;

use super::*;
use base64::Engine as _;

use crate::base::secret::MASK;
use written::written;

fn redactor(secrets: &[&str]) -> Redactor {
    let secrets: Vec<Secret> = secrets.iter().map(|s| Secret::new(*s)).collect();
    Redactor::new(&secrets)
}

fn streamed(redactor: &Redactor, text: &[u8], cuts: &[usize]) -> Vec<u8> {
    let (mut stream, mut out, mut rest) = (redactor.stream(), Vec::new(), text);
    for cut in cuts.iter().cycle() {
        let (now, later) = rest.split_at((cut + 1).min(rest.len()));
        stream.push(now, &mut out);
        rest = later;
        if rest.is_empty() {
            break;
        }
    }
    stream.finish(&mut out);
    out
}

#[test]
fn redactor_masks_encoded_forms_once() {
    let redactor = redactor(&["s3cr3t/väl ue"]);
    assert_eq!(redactor.text("a s3cr3t/väl ue b"), format!("a {MASK} b"));
    assert_eq!(redactor.text("u=s3cr3t%2Fv%C3%A4l%20ue&x"), format!("u={MASK}&x"));
    for prefix in ["", "x", "xy"] {
        let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{prefix}s3cr3t/väl ue"));
        assert!(redactor.text(&encoded).contains(MASK), "{prefix}");
    }
    assert_eq!(redactor.text("s3cr3t"), "s3cr3t");
}

#[test]
fn redactor_masks_other_forms_of_characters_beyond_ascii() {
    let list = |text: &str, by: &str| {
        text.chars().map(|one| u32::from(one).to_string()).collect::<Vec<_>>().join(by).into_bytes()
    };
    for secret in ["pässwörd", "Übergröße!", "пароль-9", "密码密码密码", "p€ss_w0rd"] {
        let redactor = redactor(&[secret]);
        let quoted = secret.bytes().flat_map(|byte| match byte {
            b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => vec![byte],
            _ => vec![b'\\', byte],
        });
        let mut forms: Vec<Vec<u8>> = vec![
            quoted.collect(),
            secret.bytes().map(char::from).collect::<String>().into_bytes(),
            secret.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            secret.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        ];
        forms.extend([",", ", ", ",\n  "].map(|by| list(secret, by)));
        for form in forms {
            let text = [&b"a ("[..], &form, &b") b"[..]].concat();
            let wanted = format!("a ({MASK}) b").into_bytes();
            // Of UTF-16, a control character at an end is no part of what is found.
            let seen = |bytes: Vec<u8>| bytes.into_iter().filter(|byte| *byte >= b' ').collect::<Vec<u8>>();
            assert_eq!(seen(redactor.bytes(&text)), wanted, "{secret}: {form:?}");
            assert_eq!(seen(streamed(&redactor, &text, &[0])), wanted, "{secret}: {form:?}");
        }
    }
    // As `cat -v` and a reader with Windows-1252 show it.
    let redactor = redactor(&["pässwörd"]);
    assert_eq!(redactor.text("a pM-CM-$sswM-CM-6rd$\n"), format!("a {MASK}$\n"));
    assert_eq!(redactor.text("pÃ¤sswÃ¶rd"), MASK);
    assert_eq!(redactor.text("pässwör, M-C, 112,228,115"), "pässwör, M-C, 112,228,115");
}

#[test]
fn stream_releases_prefix_on_mismatch() {
    let redactor = redactor(&["secret"]);
    let mut stream = redactor.stream();
    let mut out = Vec::new();
    stream.push(b"login: sec", &mut out);
    assert_eq!(out, b"login: ");
    stream.push(b"tor!", &mut out);
    assert_eq!(out, b"login: sector!");
}

#[test]
fn stream_bounds_memory_for_overlaps() {
    let redactor = redactor(&["abab"]);
    let mut stream = redactor.stream();
    let mut out = Vec::new();
    for _ in 0..1000 {
        stream.push(b"abababab", &mut out);
        assert!(stream.held().len() < 16);
    }
    stream.finish(&mut out);
    assert_eq!(out, MASK.as_bytes());
}

#[test]
fn redactor_masks_secrets_with_escape_characters() {
    for secret in ["\\nabcd", "abcd\\n", "%0Aabcd", "a\\b\\", "\"\"\"\"", "\\\\\\\\"] {
        let redactor = redactor(&[secret]);
        for way in [0, 1, 5] {
            let text = format!("({})", written(secret, way));
            assert_eq!(redactor.text(&text), format!("({MASK})"), "{text}");
        }
    }
}

#[test]
fn redactor_keeps_control_sequences_intact() {
    let redactor = redactor(&["hunter22"]);
    let link = "\x1b]8;;https://example.net/?t=hunter22\x07hun\x1b[1mter22\x1b]8;;\x07";
    assert_eq!(redactor.text(link), format!("\x1b]8;;https://example.net/?t={MASK}\x07{MASK}\x1b]8;;\x07"));
    assert_eq!(redactor.text("a\x1b]0;hun\x07ter22"), format!("a{MASK}"));
}

#[test]
fn stream_bounds_memory_for_ignored_bytes() {
    for junk in [&b"\0"[..], b"\x1b[0m", b"x"] {
        let redactor = redactor(&["supersecret"]);
        let mut stream = redactor.stream();
        let (begins, ends) =
            if junk == b"x" { (&b"s\x1b]0;"[..], &b"\x07"[..]) } else { (&b"s"[..], &b""[..]) };
        let mut out = Vec::new();
        stream.push(begins, &mut out);
        let many = junk.repeat(8 << 10);
        for _ in 0..40 {
            stream.push(&many, &mut out);
            assert!(stream.held().len() < 200 << 10, "{}", stream.held().len());
        }
        stream.push(ends, &mut out);
        stream.push(b"upersecret and more", &mut out);
        stream.finish(&mut out);
        let shown = String::from_utf8_lossy(&out);
        assert!(shown.contains(MASK) && shown.ends_with(" and more") && !shown.contains("secret"));
    }
}

/// Masks a text in pieces of one and of two bytes, at each single cut, and at once. All must give the same.
fn masked_at_any_cut(secret: &str, text: &str) -> String {
    let redactor = redactor(&[secret]);
    let whole = redactor.text(text);
    let cuts = [vec![0], vec![1]].into_iter().chain((0..text.len()).map(|cut| vec![cut, text.len()]));
    for cuts in cuts {
        let shown = streamed(&redactor, text.as_bytes(), &cuts);
        assert_eq!(String::from_utf8_lossy(&shown), whole, "{text:?} at {cuts:?}");
    }
    whole
}

#[test]
fn redactor_masks_percent_escapes_after_a_backslash() {
    for (secret, text) in [
        ("A%30AA", "A\\%30AA"),
        ("A%30AA", "A%5C%2530AA"),
        ("A%6eAA", "A\\%6eAA"),
        ("A%78AA", "A\\%78AA"),
        ("A%75AAAA", "A\\%75AAAA"),
        ("ab&%2365;cd", "ab\\&\\%2365\\;cd"),
        ("ab\u{e9}cd", "ab%5Cu00e9cd"),
        ("ab\u{e9}cd", "ab%5C%75%30%30%65%39cd"),
    ] {
        assert_eq!(masked_at_any_cut(secret, &format!("<{text}>")), format!("<{MASK}>"), "{text}");
    }
}

#[test]
fn stream_masks_overstruck_secrets_at_any_cut() {
    for (text, expected) in [
        ("<h\x08hu\x08un\x08nt\x08te\x08er\x08r2\x082>", "<*>"),
        ("<h\x1b[Dhu\x1b[Dun\x1b[Dnt\x1b[Dte\x1b[Der\x1b[Dr2\x1b[D2>", "<*>"),
        ("<_\x08h_\x08u_\x08n_\x08t_\x08e_\x08r_\x082>", "<*>"),
        ("<_\x08h\x08h_\x08u\x08u_\x08n\x08n_\x08t\x08t_\x08e\x08e_\x08r\x08r_\x082\x082>", "<*>"),
        ("<hunte\x08er2>", "<*>"),
        ("<hunter_\0\x082>", "<*>"),
        // A plain secret was masked before the last character came again.
        ("\0\0\x1bMhunter2\x082", "\0\0\x1bM*\x082"),
        ("hunter2\x08\x08\x08 ", "*\x08\x08\x08 "),
        ("<a \x08_\x08hunter2>", "<a \x08*>"),
        // What precedes a correction was shown before.
        ("hunX\x08ter2", "hunX\x08ter2"),
        ("hunXY\x08\x08ter2", "hunXY\x08\x08ter2"),
    ] {
        let expected = expected.replace('*', MASK);
        assert_eq!(masked_at_any_cut("hunter2", text), expected, "{text:?}");
    }
}

/// Masks endless repetitions of a text in pieces, and checks the bytes held back. Returns the bytes allocated
/// for half and for all of them.
fn allocated(begins: &str, again: &str) -> [usize; 2] {
    let redactor = redactor(&["supersecret", "hunter22", "hunt\"er'33"]);
    let pieces = again.repeat((8 << 10) / again.len());
    [12, 24].map(|count| {
        let (mut stream, mut out) = (redactor.stream(), Vec::with_capacity(128 << 10));
        stream.push(begins.as_bytes(), &mut out);
        let ((), bytes) = crate::base::allocated::during(|| {
            for _ in 0..count {
                out.clear();
                stream.push(pieces.as_bytes(), &mut out);
                let held = stream.held().len() + stream.room();
                assert!(held < 250 << 10, "{held} bytes after {begins:?} and {again:?}");
            }
        });
        stream.finish(&mut out);
        bytes
    })
}

#[test]
fn memory_depends_on_no_input_and_work_grows_as_the_input_does() {
    let texts = [
        "x", "73 ", "115,", "6873", "\r", "\\", "%25", "&#1", "\x1b[1m", "s\x08", "=73", "=\r\n", "'",
        "\u{200b}",
    ];
    for begins in ["", "hun\x1b[", "0000000 68 75 "] {
        for again in texts {
            let [half, all] = allocated(begins, again);
            // Four times as much would be quadratic; the first pieces allocate less.
            assert!(all <= 3 * half + (1 << 20), "{half} and {all} bytes for {begins:?} and {again:?}");
        }
    }
}
