//! Tests of the time limits: a test that hangs fails with its name and its last wait, and a test program that
//! hangs ends.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cki::host::Host;

use super::{limit, part};

/// Says how the part hangs.
const HOW: &str = "HANG_HOW";

/// Hangs like a test, in a thread that has the name of one.
pub(crate) fn part() {
    let how = Host::real().env.get(HOW).expect("is given").to_owned();
    limit::watch(limit::of_a_test());
    let test = std::thread::Builder::new().name("a::test::that_hangs".into()).spawn(move || {
        let _wait = limit::waits("what never comes");
        if how == "child" {
            let mut child = Command::new("sleep").arg("1000").stdout(Stdio::null()).spawn().expect("starts");
            let status = child.wait().expect("has ended");
            assert!(!status.success(), "was killed");
        } else {
            loop {
                std::thread::park();
            }
        }
    });
    test.expect("starts a thread").join().expect("ends");
}

fn hangs(how: &str) -> (Option<i32>, String) {
    let _wait = limit::waits(format!("the end of a part that hangs: {how}"));
    let output = part::command("hang")
        .env(HOW, how)
        .env("CKI_TEST_LIMIT", "1")
        .stdin(Stdio::null())
        .output()
        .expect("runs itself");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn limit_names_a_test_and_kills_its_process() {
    let began = Instant::now();
    let (code, said) = hangs("child");
    assert_eq!(code, Some(0), "the test was able to end: {said}");
    assert!(said.contains("test a::test::that_hangs"), "{said}");
    assert!(said.contains("has not ended within 1 s\n  it waits for: what never comes"), "{said}");
    assert!(began.elapsed() < Duration::from_secs(60));
}

#[test]
fn limit_ends_a_program_whose_test_hangs() {
    let (code, said) = hangs("for ever");
    assert_eq!(code, Some(101), "{said}");
    assert!(said.contains("it waits for: what never comes"), "{said}");
    assert!(said.contains("test a::test::that_hangs"), "{said}");
    assert!(said.contains("tests/suite/support/limit_test.rs:"), "where it hangs: {said}");
    assert!(said.contains("... FAILED (time limit)"), "{said}");
}

#[test]
fn limit_within_fails_one_test_alone() {
    let hang = || {
        let _wait = limit::waits("an answer");
        std::thread::park_timeout(Duration::from_secs(10));
    };
    let failed = std::panic::catch_unwind(|| limit::within("a::b", Duration::from_millis(50), hang));
    let why = failed.expect_err("fails");
    let why = why.downcast_ref::<String>().expect("is text");
    assert_eq!(why, "test a::b has not ended within 0.05 s\n  it waits for: an answer");
    limit::within("a::b", Duration::from_secs(10), || {});
    let failed =
        std::panic::catch_unwind(|| limit::within("a::b", Duration::from_secs(10), || panic!("why")));
    assert_eq!(failed.expect_err("fails").downcast_ref::<&str>(), Some(&"why"));
}
