//! Secrets that begin before the shown part of a stream.

use base64::Engine as _;

use super::redactor;
use crate::base::secret::MASK;

#[test]
fn stream_masks_secrets_that_begin_in_the_context() {
    let secret = "Zk7pQ2xW9vLm4TgB8nRd5YcH1sJf6UaE0oKiNbGt3MyPzXqDrVwS";
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("user:{secret}"));
    let wrapped: Vec<&str> =
        encoded.as_bytes().chunks(20).map(|line| std::str::from_utf8(line).expect("text")).collect();
    let dump: String = secret.as_bytes().chunks(16).enumerate().fold(String::new(), |dump, (line, bytes)| {
        let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{dump}{:08x}  {}\n", line * 16, bytes.join(" "))
    });
    let key = format!(
        "-----BEGIN PRIVATE KEY-----\n{}-----END PRIVATE KEY-----\n",
        "MIIEvQIBADANBgkqhkiG9w0B\n".repeat(9)
    );
    for (name, text) in [("base64", wrapped.join("\n") + "\n"), ("dump", dump), ("key", key)] {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        for cut in 1..lines.len() {
            for size in [1, 7, 4096] {
                let mut stream = redactor(&[secret]).outside_stream();
                let mut out = Vec::new();
                stream.push_context(b"before\n");
                for piece in lines[..cut].concat().as_bytes().chunks(size) {
                    stream.push_context(piece);
                }
                for piece in (lines[cut..].concat() + "after\n").as_bytes().chunks(size) {
                    stream.push(piece, &mut out);
                }
                stream.finish(&mut out);
                let out = String::from_utf8(out).expect("the mask is UTF-8");
                let shown = out.strip_suffix("after\n").expect("ordinary text is shown");
                // Offsets, and line ends at the edges of a secret, are no secret.
                let rest = shown.replace(MASK, "");
                let leaks = lines[cut..].iter().any(|line| {
                    let body =
                        line.trim_end().get(10..).filter(|_| name == "dump").unwrap_or(line.trim_end());
                    rest.contains(&body[..body.len().min(12)])
                });
                assert!(!leaks, "{name} cut before line {cut}: {shown:?}");
                assert!(shown.contains(MASK), "{name} cut before line {cut}: {shown:?}");
            }
        }
    }
}

#[test]
fn pause_shows_the_short_beginning_of_a_secret_and_masks_its_rest() {
    let secret = "hunter22-hunter33";
    for (before, after, shown) in [
        ("Enter h", "", "Enter h"),
        ("Enter h", "ello", "Enter hello"),
        ("Enter h", "f_aB3aB3aB3aB3aB3aB3aB3aB3aB3aB3aB3aB3", &format!("Enter h{MASK}")),
        ("is hun", "ter22-hunter33.", &format!("is hun{MASK}.")),
        ("is hun", "ted", "is hunted"),
        // As many characters as the shortest secret stay hidden.
        ("is hunt", "", "is "),
    ] {
        let mut stream = redactor(&[secret]).outside_stream();
        let mut out = Vec::new();
        stream.push(before.as_bytes(), &mut out);
        stream.pause(&mut out);
        stream.pause(&mut out);
        stream.push(after.as_bytes(), &mut out);
        if !shown.ends_with(' ') {
            stream.finish(&mut out);
        }
        assert_eq!(String::from_utf8_lossy(&out), shown, "{before:?}, {after:?}");
    }
}
