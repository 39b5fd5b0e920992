//! Dumps of secrets as the usual programs write them, behind the text that a log puts before each line. Dumps with other
//! text around the bytes are in [`super::properties`].

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::written::dumped;
use super::{redactor, streamed};

/// Lengths of secrets, around those at which a line, a word or half a line of a dump ends.
const LENGTHS: [usize; 9] = [4, 7, 12, 16, 17, 20, 33, 43, 64];

/// Text before each line.
const PREFIXES: [&str; 10] = [
    "",
    "INFO ",
    "app | ",
    "> ",
    "DEBUG send: ",
    "2026-11-28T20:37:11.001234Z ",
    "1795341600 ",
    "[host] DEBUG:",
    "cafe: ",
    "Nov 28 00:00:11 host app[123456]: ",
];

/// Programs and their options. Each is an applet of BusyBox, too.
const TOOLS: [(&str, &[&str]); 13] = [
    ("od", &["-v"]),
    ("od", &["-v", "-tx1"]),
    ("od", &["-v", "-tx2"]),
    ("od", &["-v", "-tx4"]),
    ("od", &["-v", "-b"]),
    ("od", &["-v", "-Ax", "-tx1z"]),
    ("od", &["-v", "-Ax", "-to2"]),
    ("od", &["-v", "-tu1"]),
    ("xxd", &[]),
    ("xxd", &["-g1"]),
    ("hexdump", &["-v"]),
    ("hexdump", &["-v", "-C"]),
    ("hexdump", &["-v", "-x"]),
];

/// Returns the output of a program, or of BusyBox in its place.
fn output_of(tool: &str, args: &[&str], input: &[u8]) -> String {
    let start = |command: &mut Command| {
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn()
    };
    let child = start(&mut Command::new(tool)).or_else(|_| start(Command::new("busybox").arg(tool)));
    let mut child = child.unwrap_or_else(|error| panic!("`{tool}` or BusyBox is needed: {error}"));
    child.stdin.take().expect("is piped").write_all(input).expect("reads");
    let output = child.wait_with_output().expect("ends");
    assert!(output.status.success(), "{tool} {args:?}");
    String::from_utf8(output.stdout).expect("is UTF-8")
}

/// Returns what would show four bytes in a dump, without blanks.
fn forms(four: &[u8]) -> Vec<String> {
    let join = |form: &dyn Fn(&u8) -> String| four.iter().map(form).collect::<String>();
    let words = |form: &dyn Fn(u16) -> String| {
        four.chunks(2).map(|two| form(u16::from_le_bytes([two[0], two[1]]))).collect::<String>()
    };
    let number = u32::from_le_bytes(four.try_into().expect("four"));
    vec![
        String::from_utf8_lossy(four).into_owned(),
        join(&|byte| format!("{byte:02x}")),
        join(&|byte| format!("{byte:03o}")),
        words(&|word| format!("{word:04x}")),
        words(&|word| format!("{word:06o}")),
        format!("{number:08x}"),
    ]
}

fn check(secret: &str, way: &str, prefix: &str, dump: &str) {
    let text: String = dump.lines().map(|line| format!("{prefix}{line}\n")).collect();
    let redactor = redactor(&[secret]);
    for cuts in [&[6, 40, 0][..], &[text.len()]] {
        let shown = String::from_utf8(streamed(&redactor, text.as_bytes(), cuts)).expect("is UTF-8");
        let bare: String = shown.to_lowercase().chars().filter(|char| *char != ' ').collect();
        for form in secret.as_bytes().windows(4).flat_map(forms) {
            assert!(
                !shown.contains(&form) && !bare.contains(&form.to_lowercase()),
                "{form} of {secret} ({}), {way} behind {prefix:?}, {cuts:?}:\n{text}\n{shown}",
                secret.len()
            );
        }
    }
}

#[test]
fn stream_masks_dumps_of_programs_behind_prefixes() {
    let letters = "glpat-Zk7Qw2Lm9Xc4Vb1Ns8Df5Gh3JtRyUpEoIaWqTxKzMvBnCjHfSdLgPr0-6_Y";
    let mut nth = 0;
    for secret in LENGTHS.map(|length| &letters[..length]) {
        for before in ["", "Authorization: Bearer "] {
            let bytes = format!("{before}{secret}").into_bytes();
            let of_tools =
                TOOLS.map(|(tool, args)| (format!("{tool} {args:?}"), output_of(tool, args, &bytes)));
            let upper = |line: &str| {
                let (digits, text) = line.split_at(50);
                format!("{}{text}\n", digits.to_uppercase())
            };
            let upper: String = dumped(&bytes, "", 1).lines().map(upper).collect();
            let made = [("xxd -u", upper), ("xxd -e", dumped(&bytes, "", 2))];
            for (way, dump) in of_tools.into_iter().chain(made.map(|(way, dump)| (way.to_owned(), dump))) {
                // Every third prefix, in turn: all of them together take long.
                let some = PREFIXES.iter().skip(nth % 3).step_by(3);
                some.for_each(|prefix| check(secret, &way, prefix, &dump));
                nth += 1;
            }
        }
    }
}

/// The first word of a line, and the last word of a text, may look like an offset.
#[test]
fn stream_masks_words_that_look_like_offsets() {
    for secret in ["glpat-Zk7Qw2Lm9Xc", "glpat-Zk7Qw2Lm9", "glpat-Zk7Qw2L", "hunter2xy"] {
        for args in [&["-v", "-An", "-tx4"][..], &["-v", "-An", "-to2"], &["-v", "-An", "-tx8"]] {
            let dump = output_of("od", args, secret.as_bytes());
            check(secret, &format!("od {args:?}"), "", &dump);
            if secret.len() <= 16 {
                check(secret, &format!("od {args:?}"), "INFO ", &dump);
            }
        }
    }
}
