//! Production hosts are recognised in every spelling of a URL. Python's parsers and resolvers are the reference.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use cki::model::guard::DenyList;
use cki::model::inventory::{Inventory, InventoryDocument};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};

use crate::support;

/// Number of URLs, unless `CKI_TEST_CASES` sets another.
const MANY: u32 = 4000;
const DENIED: [&str; 4] = ["gitlab.com", "xn--bcher-kva.example", "strasse.example", "10.1.2.3"];

fn list() -> DenyList {
    let text = "production: {hosts: [GitLab.com, 'bücher.example', strasse.example, 10.1.2.3]}\n";
    let head = InventoryDocument { file: "i.yaml".into(), text: text.into(), reference: None };
    DenyList::from(&Inventory::read("here", vec![head]).expect("reads"))
}

/// A character as it may be written instead.
fn written(c: char, how: u8) -> String {
    let wide = || char::from_u32(u32::from(c) + 0xfee0).map_or(c.to_string(), String::from);
    match (c, how) {
        ('.', 0) => "。".to_owned(),
        ('.', 1) => "．".to_owned(),
        ('ü', 0) => "u\u{308}".to_owned(),
        ('ü', 1) => "U\u{308}".to_owned(),
        (_, 2) if c.is_ascii_graphic() => wide(),
        (_, 3) => c.to_uppercase().to_string(),
        (_, 4) => format!("{c}\u{ad}"),
        (_, 5) => format!("\u{200b}{c}"),
        (_, 6) => format!("{c}\t"),
        (_, 7) => format!("{c}\n"),
        (_, 8) => c.to_string().bytes().map(|byte| format!("%{byte:02x}")).collect(),
        ('.', 10) => "&period;".to_owned(),
        ('ü', 10) => "&uuml;".to_owned(),
        ('ü', 11) => "&uuml".to_owned(),
        ('g', 10) => "&gscr;".to_owned(),
        (_, 10) => format!("{c}&shy"),
        (_, 11) => format!("&#{};", u32::from(c)),
        (_, 12) => format!("&#X{:x};", u32::from(c)),
        ('m', 9) => "ⓜ".to_owned(),
        ('g', 9) => "𝐠".to_owned(),
        _ => c.to_string(),
    }
}

fn name() -> impl Strategy<Value = String> {
    let names = prop::sample::select(vec![
        "gitlab.com",
        "bücher.example",
        "xn--bcher-kva.example",
        "strasse.example",
        "straße.example",
        "gitlab.com.",
        "other.example",
        "mygitlab.com",
        "gitlab.com.example",
    ]);
    // Most characters are as they are.
    (names, prop::collection::vec(prop_oneof![4 => Just(99u8), 1 => 0u8..13], 32))
        .prop_map(|(name, how)| name.chars().zip(how).map(|(c, how)| written(c, how)).collect())
}

fn address() -> impl Strategy<Value = String> {
    let number = |number: u32, radix: usize| match radix {
        0 => number.to_string(),
        1 => format!("0{number:o}"),
        2 => format!("0x{number:x}"),
        _ => format!("0X{number:08X}"),
    };
    let four = (
        prop::sample::select(vec![[10u8, 1, 2, 3], [10, 1, 2, 4]]),
        0usize..4,
        prop::collection::vec(0usize..4, 4),
    );
    let four = four.prop_map(move |(octets, first, radix)| {
        let bits = u32::from_be_bytes(octets);
        let rest = bits & u32::MAX.checked_shr(8 * u32::try_from(first).expect("is small")).unwrap_or(0);
        let mut parts: Vec<String> = octets[..first]
            .iter()
            .zip(&radix)
            .map(|(octet, radix)| number((*octet).into(), *radix))
            .collect();
        parts.push(number(rest, radix[3]));
        parts.join(".")
    });
    let six = prop::sample::select(vec![
        "[::ffff:10.1.2.3]",
        "[::FFFF:a01:203]",
        "[0:0:0:0:0:ffff:0a01:0203]",
        "[2002:a01:203::5]",
        "[64:ff9b::a01:203]",
        "[::10.1.2.3]",
        "[2001:0:a01:203::1]",
        "[2001:db8::a01:203]",
    ]);
    prop_oneof![3 => four, 1 => six.prop_map(str::to_owned)]
}

fn url() -> impl Strategy<Value = String> {
    let before = prop::sample::select(vec![
        "https://",
        "HTTP://",
        "amqps://me:pa%40ss@",
        "ht\ntp://",
        "//",
        "http://gitlab@",
    ]);
    let after = prop::sample::select(vec!["", "/", ":443/a", "/a?b=c#d", "#x", "?x"]);
    (before, prop_oneof![name(), address()], after)
        .prop_map(|(before, host, after)| format!("{before}{host}{after}"))
}

#[test]
#[ignore = "needs CKI_TEST_PYTHON (bash tests/run)"]
fn deny_list_matches_every_spelling_of_a_production_host() {
    let mut runner = support::runner(Config::default());
    let many = support::cases().unwrap_or(MANY);
    let tree = |runner: &mut TestRunner| url().new_tree(runner).expect("makes").current();
    let urls: Vec<String> = (0..many).map(|_| tree(&mut runner)).collect();
    let mut input = String::new();
    for url in &urls {
        input.push_str(&format!("{}\n", serde_json::json!(url)));
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/where_python_goes.py");
    let mut python = Command::new(support::python())
        .arg(script)
        .env("PYTHONIOENCODING", "utf-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let mut stdin = python.stdin.take().expect("is piped");
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = python.wait_with_output().expect("ends");
    writer.join().expect("ends").expect("reads all");
    assert!(output.status.success());
    let answers = String::from_utf8(output.stdout).expect("is text");
    let list = list();
    let (mut there, mut elsewhere) = (0, 0);
    for (url, answer) in urls.iter().zip(answers.lines()) {
        let goes: Vec<String> = serde_json::from_str(answer).expect("is JSON");
        if goes.iter().any(|host| DENIED.contains(&host.as_str())) {
            there += 1;
            assert!(list.names_production(url).is_some(), "{url:?} goes to {goes:?}");
        } else {
            elsewhere += 1;
        }
    }
    assert_eq!(there + elsewhere, many);
    assert!(there > many / 4 && elsewhere > many / 10, "{there} of {many}");
    // And what goes elsewhere in any reading is no production.
    for plain in
        ["https://other.example/", "https://mygitlab.com", "http://gitlab.com.example", "http://10.1.2.4"]
    {
        assert!(list.names_production(plain).is_none(), "{plain}");
    }
}
