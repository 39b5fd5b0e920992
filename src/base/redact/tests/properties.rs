//! Properties of masking: a secret is hidden however it is written and cut, and other text passes unchanged.

use base64::Engine as _;
use proptest::prelude::*;

use super::written::{UNSEEN, colored, dumped, numbered, written};
use super::{redactor, streamed};
use crate::base::redact::phrases::SHORTEST;
use crate::base::redact::{FoldOptions, folded};
use crate::base::secret::MASK;

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

fn a_secret() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9]{4,20}",
        "[a-zA-Z][!-~]{2,24}[a-zA-Z]{2}",
        "[a-zA-Z]{2}[a-z /+=&?%\\\\\"'<>]{2,12}[a-zA-Z0-9]{2}",
        "[a-z]{3}[äéßж€😀 ]{1,6}[a-z]{3}",
    ]
    // If an end is unseen, only the usual forms are masked.
    .prop_map(|secret| {
        let folded = folded::fold(secret.as_bytes(), FoldOptions { quotes: true });
        let is_seen = folded.bytes.len() >= SHORTEST && !folded.has_unseen_edge(secret.len());
        if is_seen { secret } else { format!("ab{secret}zz") }
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
        way in 0usize..28,
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
        way in 0usize..25,
        cuts in prop::collection::vec(0usize..20, 1..10),
    ) {
        let redactor = redactor(&[&secret, "another one"]);
        let written = numbered(&secret, way);
        let text = format!("<< {written} >>\n");
        let shown = match way {
            // With one byte on each line, too little of a secret is known to wait for the next line.
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
    fn stream_masks_dumps_behind_log_prefixes(
        secret in "[a-zA-Z0-9/+_-]{12,40}",
        before in 0usize..40,
        prefix in prop::sample::select(vec![
            "",
            "2026-11-28T20:37:11.123456Z app: ",
            "[12:00:01] ",
            "app-1  | ",
            "Nov 28 20:37:11 host app[123456]: ",
            "1795341600 DEBUG - ",
        ]),
        way in 0usize..3,
        cuts in prop::collection::vec(0usize..90, 1..10),
    ) {
        let bytes = [".".repeat(before).as_bytes(), secret.as_bytes(), b"...."].concat();
        let text = format!("some words\n{}and more\n", dumped(&bytes, prefix, way));
        let shown = streamed(&redactor(&[&secret, "another one"]), text.as_bytes(), &cuts);
        let shown = String::from_utf8(shown).expect("is UTF-8");
        prop_assert!(shown.starts_with("some words\n") && shown.ends_with("and more\n"), "{shown}");
        for part in secret.as_bytes().windows(4) {
            let part = String::from_utf8_lossy(part);
            prop_assert!(!shown.contains(&*part) || prefix.contains(&*part), "{part} in\n{shown}");
        }
        let digits: String = shown.chars().filter(|c| *c != ' ').collect();
        let hidden: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        prop_assert!(way == 2 || !digits.contains(&hidden[..16]), "{shown}");
    }

    #[test]
    fn stream_masks_base64_at_any_offset(
        secret in a_secret(),
        before in prop::collection::vec(any::<u8>(), 0..90),
        after in prop::collection::vec(any::<u8>(), 0..90),
        url in any::<bool>(),
        width in prop_oneof![Just(0usize), Just(64), Just(76)],
        indent in prop::sample::select(vec!["", "    ", "\t"]),
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
                let before = if breaks { format!("\n{indent}") } else { String::new() };
                before.chars().chain([char]).collect::<Vec<_>>()
            }).collect()
        };
        let wrapped = lines(&encoded, 0);
        let text = if url { colored(&wrapped, &places) } else { wrapped };
        let shown = String::from_utf8(streamed(&redactor(&[&secret]), text.as_bytes(), &cuts)).expect("UTF-8");
        let seen: String = String::from_utf8_lossy(&folded::fold(shown.as_bytes(), FoldOptions { quotes: false }).bytes).into_owned();
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
            "[hunter2_]{0,2}(\x08|\x1b\\[D)[hunter2_]{0,2}".prop_map(String::into_bytes),
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
