//! Secrets as the usual programs encode them: the redactor masks them completely, however the text is divided and
//! coloured. The search for secrets is tested in `src/base/redact`.

use std::io::Write as _;
use std::process::{Command, Stdio};

use cki::base::redact::Redactor;
use cki::base::secret::{MASK, Secret};

/// Secrets, and what Python makes of them: one JSON object a line.
const PYTHON: &str = r#"
import base64, binascii, configparser, html, html.entities, json, quopri, unicodedata, pprint, random, shlex, string, urllib.parse as u
random.seed(20)
plain = string.ascii_letters + string.digits
ends = string.ascii_letters
def made(between, least, most):
    return random.choice(ends) + ''.join(random.choice(between) for _ in range(random.randint(least, most))) + 'Zq'
secrets = [made(plain, 1, 20) for _ in range(12)] + [made(plain + ' /+=&?%"\'<>!()*~^,;@:$#', 4, 24) for _ in range(24)]
secrets += [made(plain + 'äéß€ж', 5, 12) for _ in range(6)] + ['Aé$!%&"/;^`*() \\Zq', 'Zq%(x)s$HOME'] + ['DOM\\user\\Zq1', 'a\tb\tc\tdZq']
secrets += ['-----BEGIN KEY-----\n' + '\n'.join(base64.b64encode(bytes(random.randbytes(48))).decode() for _ in range(6)) + '\n-----END KEY-----']
named = {c: n for n, c in html.entities.html5.items() if n.endswith(';') and len(c) == 1 and not c.isalnum() or n in ('eacute;', 'auml;', 'szlig;', 'euro;')}
for s in secrets:
    b = s.encode()
    forms = dict(plain=s, quote=u.quote(s), quote_all=u.quote(s, safe=''), quote_plus=u.quote_plus(s), lower=u.quote(s, safe='').lower()
        if s.islower() else u.quote(s, safe=''), urlencode=u.urlencode({'k': s})[2:], component=u.quote(s, safe="!'()*-_.~"),
        json=json.dumps(s)[1:-1], json_utf8=json.dumps(s, ensure_ascii=False)[1:-1], json_twice=json.dumps(json.dumps(s))[3:-3],
        go=json.dumps(s)[1:-1].replace('&', '\\u0026').replace('<', '\\u003c').replace('>', '\\u003e'),
        repr=repr(s)[1:-1], ascii=ascii(s)[1:-1], bytes=repr(b)[2:-1], html=html.escape(s), unicode=s.encode('unicode_escape').decode(),
        base64=base64.b64encode(b).decode(), url64=base64.urlsafe_b64encode(b).decode(), lines64=base64.encodebytes(b).decode().rstrip('\n'),
        b32=base64.b32encode(b).decode(), twice64=base64.b64encode(base64.b64encode(b)).decode(),
        quopri=quopri.encodestring(b, quotetabs=True).decode().rstrip('\n'), qp_all=''.join('=%02X' % c for c in b),
        references=''.join('&#%d' % ord(c) for c in s), references_hex=''.join('&#x%x;' % ord(c) for c in s),
        escape=''.join('%%u%04x' % ord(c) for c in s), octal=''.join('\\%03o' % c for c in b),
        wide=''.join(chr(ord(c) + 0xfee0) if '!' <= c <= '~' else c for c in s),
        utf16=base64.b64encode(s.encode('utf-16-le')).decode(), utf16_hex=s.encode('utf-16-le').hex(),
        postgresql='\\x' + b.hex(), perl=''.join('\\x{%x}' % ord(c) for c in s),
        dashes=b.hex('-'), c_array=', '.join('0x%02x' % c for c in b), array=', '.join(map(str, b)),
        go_bytes=' '.join(map(str, b)), xxd=b.hex(' ', -2),
        hex=b.hex(), HEX=b.hex().upper(), colons=b.hex(':'), hexlify=binascii.hexlify(b).decode())
    if "'" not in s[:1] + s[-1:]:
        forms['shlex'] = shlex.quote(s).strip("'") if "'" in s or shlex.quote(s) != s else s
    half = len(s) // 2
    forms['compose'], forms['make'] = s.replace('$', '$$'), s.replace('$', '$$').replace('%', '%%')
    forms['entities'] = ''.join('&' + named[c] if c in named else c for c in s)
    forms['entities_twice'] = html.escape(forms['entities'])
    assert html.unescape(forms['entities']) == s
    signs = lambda escape: ''.join(c if c.isalnum() and c.isascii() else ''.join(map(escape, c.encode())) for c in s)
    forms['ldap'], forms['ldap_all'] = signs(lambda c: '\\%02x' % c), ''.join('\\%02X' % c for c in b)
    forms['dns'], forms['dns_all'] = signs(lambda c: '\\%03d' % c), ''.join('\\%03d' % c for c in b)
    forms['css'] = ''.join(c if c.isalnum() and c.isascii() else '\\%x ' % ord(c) for c in s)
    forms['css_all'] = ''.join('\\%06x' % ord(c) for c in s)
    forms['braille'] = '\u2800'.join(s)
    forms['nfd'], forms['nfc'] = unicodedata.normalize('NFD', s), unicodedata.normalize('NFC', unicodedata.normalize('NFD', s))
    if '\n' not in s and '\t' not in s:
        forms['cmd'] = s[0] + ''.join('^' + c if not c.isalnum() else c for c in s[1:])
        forms['cmd_some'] = s[0] + ''.join('^' + c if random.random() < .5 and c != '^' else c.replace('^', '^^') for c in s[1:])
        forms['powershell'] = ''.join('`' + c if c in '$`"\' #;@(){}' else c for c in s)
        forms['header'] = quopri.encodestring(b, quotetabs=True, header=True).decode()
        ini = configparser.ConfigParser()
        ini['a'] = dict(k=s.replace('%', '%%'))
        assert ini['a']['k'] == s
        forms['configparser'] = ini.get('a', 'k', raw=True)
    lines = base64.encodebytes(b * (60 // len(b) + 1)).decode().split()
    if len(lines) > 1 and len(b) >= 20:
        lines = base64.b64encode(b).decode()
        lines = [lines[at:at + 24] for at in range(0, len(lines), 24)]
        for way, mark in dict(comment='\n# ', slashes='\n// ', quotation='\n> ', quoted='\\n"\n"', joined='" +\n    "', python="'\n    '").items():
            forms['lines_' + way] = mark.join(lines)
    if '\n' not in s:
        forms['grep'] = s[:half] + '\x1b[01;31m\x1b[K' + s[half:half + 1] + '\x1b[m\x1b[K' + s[half + 1:]
        forms['rich'] = ''.join('\x1b[1;36m' + c + '\x1b[0m' if c.isdigit() else c for c in s[:-1]) + s[-1]
        forms['link'] = s[:half] + '\x1b]8;id=7;https://example.net\x1b\\' + s[half:half + 1] + '\x1b]8;;\x1b\\' + s[half + 1:]
    for way, text in forms.items():
        print(json.dumps([s, way, text]))
"#;

fn output_of(program: &str, args: &[&str], input: &str) -> String {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("`{program}` is needed: {error}"));
    child.stdin.take().expect("is piped").write_all(input.as_bytes()).expect("reads");
    let output = child.wait_with_output().expect("ends");
    assert!(output.status.success(), "{program} {args:?}");
    String::from_utf8(output.stdout).expect("is UTF-8")
}

/// The text in pieces, of which no two in a row are of one size.
fn masked(redactor: &Redactor, text: &str, first: usize) -> String {
    let (mut stream, mut out, mut rest, mut size) = (redactor.stream(), Vec::new(), text.as_bytes(), first);
    while !rest.is_empty() {
        let (now, later) = rest.split_at(size.min(rest.len()));
        stream.push(now, &mut out);
        (rest, size) = (later, size * 7 % 23 + 1);
    }
    stream.finish(&mut out);
    String::from_utf8(out).expect("is UTF-8")
}

fn check(redactor: &Redactor, way: &str, text: &str) {
    let whole = format!("<{way}: {text} >\n");
    let expected = format!("<{way}: {MASK} >\n");
    for first in [1, 2, 5, whole.len()] {
        assert_eq!(masked(redactor, &whole, first), expected, "{way} of {text:?}");
    }
}

#[test]
fn redactor_masks_encodings_of_python() {
    let forms = output_of("python3", &["-"], PYTHON);
    let forms: Vec<[String; 3]> =
        forms.lines().map(|line| serde_json::from_str(line).expect("is JSON")).collect();
    assert!(forms.len() > 900, "{}", forms.len());
    for [secret, way, text] in &forms {
        check(&Redactor::new(&[Secret::new(secret.as_str()), Secret::new("another one")]), way, text);
    }
}

#[test]
fn redactor_masks_encodings_of_command_line_tools() {
    let long = "token-0123456789-abcdefghij-".repeat(5);
    for secret in ["hunter2", "four", "pa ss/w+rd&x'y\"z", long.trim_end_matches('-')] {
        let redactor = Redactor::new(&[Secret::new(secret)]);
        for (program, args) in [
            ("base64", &[][..]),
            ("base64", &["--wrap=0"]),
            ("base64", &["--wrap=64"]),
            ("openssl", &["base64"]),
            ("openssl", &["base64", "-A"]),
            ("bash", &["-c", "IFS= read -r -d '' x; printf %q \"$x\""]),
            ("od", &["-An", "-v", "-tx1", "-w999"]),
        ] {
            // `read` wants an end, which is none of the text.
            let input = if program == "bash" { format!("{secret}\0") } else { secret.to_owned() };
            let text = output_of(program, args, &input);
            check(&redactor, program, text.trim());
        }
    }
}

/// Checks that the rest of a dump shows no four bytes of a secret, neither as numbers nor as text.
fn check_dump(secret: &str, way: &str, text: &str) {
    let redactor = Redactor::new(&[Secret::new(secret)]);
    for first in [1, 7, text.len()] {
        let shown = masked(&redactor, text, first);
        assert!(shown.contains(MASK), "{way}: {shown}");
        let digits: String = shown.chars().filter(|c| !c.is_whitespace()).collect();
        for four in secret.as_bytes().windows(4) {
            let hex: String = four.iter().map(|byte| format!("{byte:02x}")).collect();
            let (low, high) = hex.split_at(4);
            let swapped = [low, high].map(|word| format!("{}{}", &word[2..], &word[..2]));
            let number = u32::from_le_bytes(four.try_into().expect("four"));
            let octal = [format!("{:06o}{:06o}", number & 0xffff, number >> 16), format!("{number:011o}")];
            let forms = [hex, swapped.concat(), format!("{number:08x}")];
            let plain = String::from_utf8_lossy(four);
            assert!(
                forms.iter().chain(&octal).all(|form| !digits.contains(form)) && !shown.contains(&*plain),
                "{way} of {secret}, from {first}: {shown}"
            );
        }
    }
}

#[test]
fn redactor_masks_byte_dumps() {
    for secret in
        ["hunter22", "abcdef0123456789fedcba", "a longer secret with Words and 9876 in it, of three lines"]
    {
        for before in ["", "x", "token is: "] {
            let input = format!("{before}{secret}; zzz yyy xxx\n");
            for args in [
                &["-An", "-v", "-tx1"][..],
                &["-v", "-tx1"],
                &["-v", "-Ax", "-tx1z"],
                &["-v", "-tu1"],
                &["-v", "-b"],
                &["-v"],
                &["-v", "-x"],
                &["-An", "-v", "-x"],
                &["-v", "-tx4"],
                &["-v", "-Ax", "-tx8z"],
            ] {
                check_dump(secret, &format!("od {args:?}"), &output_of("od", args, &input));
            }
            let forms = output_of("python3", &["-c", DUMPS], &input);
            let forms: Vec<[String; 2]> = serde_json::from_str(&forms).expect("is JSON");
            for [way, text] in &forms {
                check_dump(secret, way, text);
            }
        }
    }
}

/// The forms of `xxd` and `hexdump -C`, which not every machine has.
const DUMPS: &str = r#"
import json, sys
data = sys.stdin.buffer.read()
lines = [data[at:at + 16] for at in range(0, len(data), 16)]
text = lambda line: ''.join(chr(c) if 32 <= c < 127 else '.' for c in line)
xxd = ''.join('%08x: %-39s  %s\n' % (n * 16, l.hex(' ', -2) if len(l) % 2 == 0 else (l[:-1].hex(' ', -2) + ' ' + l[-1:].hex()).strip(), text(l)) for n, l in enumerate(lines))
canonical = ''.join('%08x  %-48s  |%s|\n' % (n * 16, l[:8].hex(' ') + '  ' + l[8:].hex(' '), text(l)) for n, l in enumerate(lines))
plain = ''.join(data[at:at + 30].hex() + '\n' for at in range(0, len(data), 30))
include = '  ' + ',\n  '.join(', '.join('0x%02x' % c for c in data[at:at + 12]) for at in range(0, len(data), 12)) + '\n'
print(json.dumps([['xxd', xxd], ['hexdump -C', canonical], ['xxd -p', plain], ['xxd -i', include]]))
"#;

#[test]
fn redactor_masks_parts_of_a_structured_secret() {
    let whole = [
        ("postgres://app:Hunt3r%2F22@db.example.org:5432/x", vec!["Hunt3r/22", "Hunt3r%2F22"]),
        (r#"{"user": "alice", "password": "tiger9", "host": "db.example.org"}"#, vec!["tiger9"]),
        ("Server=db.example.org;User Id=sa;Password=tiger9", vec!["tiger9"]),
        ("MODE=production\nAPI_KEY=tiger9\n", vec!["tiger9"]),
    ];
    for (secret, parts) in whole {
        let redactor = Redactor::new(&[Secret::new(secret)]);
        for part in parts {
            assert_eq!(redactor.text(&format!("a {part} b")), format!("a {MASK} b"), "{secret}");
        }
        let ordinary = "alice at db.example.org in production is true, mode x\n";
        assert_eq!(redactor.text(ordinary), ordinary);
    }
}

#[test]
fn redactor_leaves_other_text_unchanged() {
    let redactor = Redactor::new(&[Secret::new("hunter22")]);
    for text in [
        "100%\r\n",
        "a\\b &c; \x1b[31mred\x1b[0m\n",
        "\x1b]0;title\x07$ ",
        "\u{9b}1m\0\x08é€\n",
        "hunter2 2\n",
    ] {
        for first in 1..6 {
            assert_eq!(masked(&redactor, text, first), text);
        }
    }
}
