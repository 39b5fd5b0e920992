//! The usual written forms of a secret, and what may be within one unseen.

use base64::Engine as _;

/// Invisible sequences and characters.
pub(super) const UNSEEN: &[&str] = &[
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
pub(super) fn written(text: &str, way: usize) -> String {
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
        25 => text.chars().map(|char| format!("\\x{{{:x}}}", u32::from(char))).collect(),
        26 => text.chars().map(|char| format!("\\o{{{:o}}}", u32::from(char))).collect(),
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
pub(super) fn numbered(text: &str, way: usize) -> String {
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
        15 => format!("\\x{}", join("", &|byte| format!("{byte:02x}"))),
        16..=19 => wide(text, way),
        20 => base64::engine::general_purpose::STANDARD.encode(json(text)),
        21 => base64::engine::general_purpose::STANDARD.encode(ascii_json(text)),
        22 => base64::engine::general_purpose::URL_SAFE.encode(percent(text, "-_.~", false, true)),
        23 => base64::engine::general_purpose::STANDARD.encode(percent(text, "-_.~/", false, false)),
        _ => join(" ", &|byte| format!("{byte:02x}")),
    }
}

/// Returns a dump of bytes with a prefix before each line: as `hexdump -C`, `xxd` and `xxd -e` write it.
pub(super) fn dumped(bytes: &[u8], prefix: &str, way: usize) -> String {
    let mut lines = String::new();
    for (nth, line) in bytes.chunks(16).enumerate() {
        let text: String =
            line.iter().map(|byte| if byte.is_ascii_graphic() { char::from(*byte) } else { '.' }).collect();
        let hex = |bytes: &mut dyn Iterator<Item = &u8>| {
            bytes.map(|byte| format!("{byte:02x}")).collect::<String>()
        };
        let (numbers, end) = match way {
            0 => {
                let numbers: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
                (format!("  {:49}", numbers.join(" ")), format!("|{text}|"))
            }
            1 => {
                let pairs: Vec<String> = line.chunks(2).map(|pair| hex(&mut pair.iter())).collect();
                (format!(": {:41}", pairs.join(" ")), text)
            }
            _ => {
                let groups: Vec<String> =
                    line.chunks(4).map(|group| format!("{:>8}", hex(&mut group.iter().rev()))).collect();
                (format!(": {:37}", groups.join(" ")), text)
            }
        };
        lines.push_str(&format!("{prefix}{:08x}{numbers}{end}\n", nth * 16));
    }
    lines
}

/// Returns a text in UTF-16, as digits or in base64.
fn wide(text: &str, way: usize) -> String {
    let unit = |unit: u16| if way.is_multiple_of(2) { unit.to_le_bytes() } else { unit.to_be_bytes() };
    let bytes: Vec<u8> = text.encode_utf16().flat_map(unit).collect();
    match way {
        16 | 17 => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        _ => base64::engine::general_purpose::STANDARD.encode(bytes),
    }
}

/// Inserts invisible sequences between characters.
pub(super) fn colored(text: &str, places: &[(usize, usize)]) -> String {
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
