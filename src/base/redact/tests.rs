//! Tests of masking at any cut of a stream, and of text that passes unchanged.

use super::*;
use base64::Engine as _;
use proptest::prelude::*;

use crate::base::secret::MASK;

fn redactor(secrets: &[&str]) -> Redactor {
    let secrets: Vec<Secret> = secrets.iter().map(|s| Secret::new(*s)).collect();
    Redactor::new(&secrets)
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

proptest! {
    #[test]
    fn stream_masks_secrets_across_any_split(
        words in prop::collection::vec("[ab]{4,7}|[a-d]{1,3}|secret|secretive|[ -~]{0,9}", 0..30),
        cuts in prop::collection::vec(0usize..12, 1..40),
    ) {
        let secrets = ["secret", "secretive", "abab", "babba", "retbab"];
        let redactor = redactor(&secrets);
        let text = words.concat();
        let mut stream = redactor.stream();
        let (mut out, mut rest) = (Vec::new(), text.as_bytes());
        let mut cuts = cuts.iter().cycle();
        let mut steps = 0;
        while !rest.is_empty() {
            // A run of zeros would never advance; every few steps take one byte.
            steps += 1;
            let cut = cuts.next().copied().unwrap_or(1).max(usize::from(steps % 3 == 0)).min(rest.len());
            stream.push(&rest[..cut], &mut out);
            rest = &rest[cut..];
        }
        stream.finish(&mut out);
        let out = String::from_utf8(out).expect("the mask is UTF-8");
        for secret in secrets {
            prop_assert!(!out.replace(MASK, "\0").contains(secret), "{secret} in {out:?}");
        }
        prop_assert_eq!(&out, &redactor.text(&text));
        if !secrets.iter().any(|secret| text.contains(secret)) {
            prop_assert_eq!(out, text);
        }
    }
}

/// Invisible sequences and characters.
const UNSEEN: &[&str] = &[
    "\x1b[0m",
    "\x1b[1;36m",
    "\x1b[01;31m\x1b[K",
    "\x1b[38;2;1;2;3m",
    "\x1b(B",
    "\x1bM",
    "\x1b]0;a title\x07",
    "\x1b]8;;https://example.net/a\x1b\\",
    "\x1b]8;id=1;\x07",
    "\x1bPq#0;2;0\x1b\\",
    "\u{9b}31m",
    "\u{9d}8;;x\u{9c}",
    "\0",
    "\x07",
    "\x08",
    "\x7f",
    "\r",
    "\u{200b}",
    "\u{ad}",
    "\u{feff}",
    "\u{202e}",
];

fn percent(text: &str, safe: &str, lower: bool, plus: bool) -> String {
    text.bytes()
        .map(|byte| match byte {
            b' ' if plus => "+".to_owned(),
            _ if byte.is_ascii_alphanumeric() || safe.as_bytes().contains(&byte) => {
                char::from(byte).to_string()
            }
            _ if lower => format!("%{byte:02x}"),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

fn ascii_json(text: &str) -> String {
    json(text)
        .encode_utf16()
        .map(|unit| match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => char::from(byte).to_string(),
            _ => format!("\\u{unit:04x}"),
        })
        .collect()
}

fn each_byte(text: &str, write: impl Fn(u8) -> String) -> String {
    text.bytes().map(write).collect()
}

/// Returns a text in one of its usual written forms.
fn written(text: &str, way: usize) -> String {
    match way {
        0 => text.to_owned(),
        1 => percent(text, "-_.~", false, false),
        2 => percent(text, "-_.~/", true, false),
        3 => percent(text, "-_.~!'()*", false, false),
        4 => percent(text, "-_.", false, true),
        5 => json(text),
        6 => ascii_json(text),
        7 => json(&json(text)),
        8 => ascii_json(&ascii_json(text)),
        9 => each_byte(text, |byte| format!("\\x{byte:02x}")),
        10 => each_byte(text, |byte| format!("\\{byte:03o}")),
        11 => text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;")
            .replace('\'', "&#39;"),
        12 => text.chars().map(|char| format!("&#x{:x};", u32::from(char))).collect(),
        13 => text.replace('\'', "'\\''"),
        14 => text.replace('\'', "'\"'\"'"),
        15 => each_byte(text, |byte| format!("{byte:02x}")),
        16 => each_byte(text, |byte| format!("{byte:02X}")),
        17 => percent(&json(text), "", false, false),
        18 => percent(&percent(text, "", false, false), "", true, false),
        19 => json(text).replace('/', "\\/"),
        20 => text.chars().map(|char| format!("\\u{{{:x}}}", u32::from(char))).collect(),
        21 => text.chars().map(|char| format!("&#{}", u32::from(char))).collect(),
        22 => text.encode_utf16().map(|unit| format!("%u{unit:04x}")).collect(),
        23 => text.chars().map(|char| format!("&#X{:06X};", u32::from(char))).collect(),
        24 => text.chars().map(|c| if c.is_ascii_graphic() { full_width(c) } else { c }).collect(),
        _ => text
            .chars()
            .map(|char| if char.is_ascii_alphanumeric() { char.to_string() } else { format!("\\{char}") })
            .collect(),
    }
}

fn full_width(char: char) -> char {
    char::from_u32(u32::from(char) + 0xfee0).unwrap_or(char)
}

/// Returns a text in a form in which colours would change its meaning.
fn numbered(text: &str, way: usize) -> String {
    let join = |by: &str, write: &dyn Fn(u8) -> String| text.bytes().map(write).collect::<Vec<_>>().join(by);
    let pairs = |by: &str| {
        let pairs: Vec<String> = text
            .as_bytes()
            .chunks(2)
            .map(|pair| pair.iter().map(|byte| format!("{byte:02x}")).collect())
            .collect();
        pairs.join(by)
    };
    let bits = |bits: usize, alphabet: &[u8]| {
        let digits: String = text.bytes().map(|byte| format!("{byte:08b}")).collect();
        let digits = digits.as_bytes().chunks(bits).map(|chunk| {
            chunk.iter().fold(0, |value, bit| value * 2 + usize::from(bit - b'0')) << (bits - chunk.len())
        });
        digits.map(|value| char::from(alphabet[value])).collect::<String>()
    };
    match way {
        0 => join("-", &|byte| format!("{byte:02x}")),
        1 => join(", ", &|byte| format!("0x{byte:02x}")),
        2 => join(":", &|byte| format!("{byte:02X}")),
        3 => join("  ", &|byte| format!("{byte:02x}")),
        4 => format!("[{}]", join(", ", &|byte| byte.to_string())),
        5 => join(" ", &|byte| format!("{byte:03o}")),
        6 => join("", &|byte| format!("={byte:02X}")),
        7 => join(",", &|byte| byte.to_string()),
        8 => pairs(" "),
        9 => join("\n", &|byte| format!("{byte:02x}")),
        10 => text.chars().map(|char| format!("{char}\x08{char}")).collect(),
        11 => text.chars().map(|char| format!("_\x08{char}")).collect(),
        12 => bits(5, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
        13 => base64::engine::general_purpose::STANDARD
            .encode(base64::engine::general_purpose::STANDARD.encode(text)),
        14 => {
            let lines: Vec<String> = text
                .chars()
                .collect::<Vec<_>>()
                .chunks(3)
                .map(|chunk| chunk.iter().collect::<String>().replace('=', "=3D"))
                .collect();
            lines.join("=\r\n")
        }
        _ => join(" ", &|byte| format!("{byte:02x}")),
    }
}

/// Inserts invisible sequences between characters.
fn colored(text: &str, places: &[(usize, usize)]) -> String {
    let mut out = String::new();
    let last = text.chars().count().saturating_sub(1);
    for (index, char) in text.chars().enumerate() {
        if index > 0 && index <= last {
            for (_, what) in places.iter().filter(|(place, _)| place % last.max(1) == index - 1) {
                out.push_str(UNSEEN[what % UNSEEN.len()]);
            }
        }
        out.push(char);
    }
    out
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

fn a_secret() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9]{4,20}",
        "[a-zA-Z][!-~]{2,24}[a-zA-Z]{2}",
        "[a-zA-Z]{2}[a-z /+=&?%\\\\\"'<>]{2,12}[a-zA-Z0-9]{2}",
        "[a-z]{3}[äéßж€😀 ]{1,6}[a-z]{3}",
    ]
    // For these, only the usual forms are masked.
    .prop_filter("its ends are seen", |secret| {
        let folded = folded::fold(secret.as_bytes(), Folding { quotes: true });
        folded.bytes.len() >= SHORTEST && !folded.has_unseen_edge(secret.len())
    })
}

/// Returns the number of generated cases; `CKI_TEST_CASES` overrides it.
fn cases() -> u32 {
    #[expect(
        clippy::disallowed_methods,
        reason = "no test runs a command with an environment of its own here"
    )]
    let cases = std::env::var("CKI_TEST_CASES");
    cases.ok().and_then(|cases| cases.parse().ok()).unwrap_or(700)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn stream_masks_every_escaped_and_colored_form(
        secret in a_secret(),
        way in 0usize..26,
        places in prop::collection::vec((0usize..40, 0usize..UNSEEN.len()), 0..4),
        cuts in prop::collection::vec(0usize..20, 1..10),
    ) {
        let redactor = redactor(&[&secret, "another one"]);
        let text = format!("<< {} >>\n", colored(&written(&secret, way), &places));
        let expected = format!("<< {MASK} >>\n");
        let shown = streamed(&redactor, text.as_bytes(), &cuts);
        prop_assert_eq!(String::from_utf8_lossy(&shown), expected, "{:?}", text);
    }

    #[test]
    fn stream_masks_numeric_and_dump_forms(
        secret in a_secret(),
        way in 0usize..16,
        cuts in prop::collection::vec(0usize..20, 1..10),
    ) {
        // With one byte on each line, too little of a secret is known to wait for the next line.
        prop_assume!(way != 9 || cuts.len() > 8);
        let redactor = redactor(&[&secret, "another one"]);
        let written = numbered(&secret, way);
        let text = format!("<< {written} >>\n");
        let shown = match way {
            9 => redactor.bytes(text.as_bytes()),
            _ => streamed(&redactor, text.as_bytes(), &cuts),
        };
        let shown = String::from_utf8_lossy(&shown).into_owned();
        prop_assert!(shown.contains(MASK), "{:?} of {:?} as {:?}", text, secret, shown);
        // The prefix of a number may stay before a mask.
        let shown = shown.replace(&format!("0{MASK}"), MASK).replace(&format!("0x{MASK}"), MASK);
        let rest = shown.replace(MASK, "").replace(['<', '>', ' ', '\n', '[', ']', '=', '_', '\x08'], "");
        prop_assert!(rest.is_empty(), "{:?} of {:?} as {:?}", text, secret, shown);
    }

    #[test]
    fn stream_masks_base64_at_any_offset(
        secret in a_secret(),
        before in prop::collection::vec(any::<u8>(), 0..90),
        after in prop::collection::vec(any::<u8>(), 0..90),
        url in any::<bool>(),
        width in prop_oneof![Just(0usize), Just(64), Just(76)],
        places in prop::collection::vec((0usize..400, 0usize..UNSEEN.len()), 0..4),
        cuts in prop::collection::vec(0usize..90, 1..10),
    ) {
        use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
        let whole = [&before[..], secret.as_bytes(), &after].concat();
        let encoded = if url { URL_SAFE_NO_PAD.encode(&whole) } else { STANDARD.encode(&whole) };
        let from = before.len() * 8 / 6;
        let to = ((before.len() + secret.len()) * 8).div_ceil(6);
        let lines = |text: &str, first: usize| -> String {
            text.chars().enumerate().flat_map(|(index, char)| {
                let breaks = width > 0 && index + first > 0 && (index + first).is_multiple_of(width);
                breaks.then_some('\n').into_iter().chain([char])
            }).collect()
        };
        let wrapped = lines(&encoded, 0);
        let text = if url { colored(&wrapped, &places) } else { wrapped };
        let shown = String::from_utf8(streamed(&redactor(&[&secret]), text.as_bytes(), &cuts)).expect("UTF-8");
        let seen: String = String::from_utf8_lossy(&folded::fold(shown.as_bytes(), Folding { quotes: false }).bytes).into_owned();
        let expected = format!("{}{MASK}{}", &encoded[..from], &encoded[to..]);
        // Padding may be masked as well.
        prop_assert_eq!(seen.trim_end_matches('='), expected.trim_end_matches('='), "{:?}", text);
    }

    #[test]
    fn stream_output_is_independent_of_chunking(
        pieces in prop::collection::vec(prop_oneof![
            prop::collection::vec(any::<u8>(), 0..6),
            prop::sample::select(UNSEEN).prop_map(|text| text.as_bytes().to_vec()),
            "[%&;a-f0-9ux\\\\{}]{1,6}".prop_map(String::into_bytes),
            Just(b"hunter22".to_vec()), Just(b"hun".to_vec()), Just(b"ter22".to_vec()),
        ], 0..12),
        cuts in prop::collection::vec(0usize..9, 1..10),
    ) {
        // A line end finishes a phrase that begins in its last three characters, unless the line is known
        // to continue.
        let mut text = pieces.concat();
        text.retain(|byte| *byte != b'\n');
        let redactor = redactor(&["hunter22"]);
        let shown = streamed(&redactor, &text, &cuts);
        prop_assert_eq!(&shown, &redactor.bytes(&text));
        if text.iter().filter(|byte| **byte == b'h').count() == 0 && !text.contains(&b'%') {
            let may_be_hidden = text.windows(2).any(|pair| matches!(pair, b"\\1" | b"\\u" | b"\\x" | b"68"));
            prop_assert!(may_be_hidden || shown == text);
        }
    }
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
