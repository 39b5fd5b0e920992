//! Time limits: a test that does not end fails, with its name and what it waited for, and the
//! program with all tests ends, whatever hangs. A thread watches all others from before the test
//! harness begins, so that no test has to ask for it. The unit tests of the library use this file
//! too. Deadlines of a single call are in `call` and `terminal_session`.

use std::backtrace::Backtrace;
use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::libc;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, kill, sigaction};
use nix::unistd::{Pid, gettid};

/// Seconds for one test, and for all tests of this program. The first is at least three times what
/// any test needs on two busy cores.
const ONE: u64 = 300;
const ALL: u64 = 1800;

/// Events that tests wait for, by the number of their thread.
static WAITS: Mutex<BTreeMap<i32, String>> = Mutex::new(BTreeMap::new());
/// Threads of tests that have failed already, since they did not end in time.
static GIVEN_UP: Mutex<Vec<i32>> = Mutex::new(Vec::new());
/// Answer of the last thread asked: its name, and its position.
static ANSWER: Mutex<Option<(Option<String>, Backtrace)>> = Mutex::new(None);

fn locked<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The limit of one test.
pub(crate) fn of_a_test() -> Duration {
    seconds("CKI_TEST_LIMIT", ONE)
}

#[expect(clippy::disallowed_methods, reason = "there is no `Host` before the test harness begins")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn seconds(name: &str, otherwise: u64) -> Duration {
    Duration::from_secs(variable(name).and_then(|text| text.parse().ok()).unwrap_or(otherwise))
}

/// A wait of this thread, until it is dropped.
pub(crate) struct Wait {
    thread: i32,
    before: Option<String>,
}

/// Notes what this thread waits for, to be told if that never comes.
pub(crate) fn waits(what: impl Into<String>) -> Wait {
    let thread = gettid().as_raw();
    let before = locked(&WAITS).insert(thread, what.into());
    Wait { thread, before }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let mut waits = locked(&WAITS);
        match self.before.take() {
            Some(before) => waits.insert(self.thread, before),
            None => waits.remove(&self.thread),
        };
    }
}

/// Runs a test in a thread of its own, and fails when that has not ended in time.
#[track_caller]
pub(crate) fn within(name: &str, limit: Duration, test: impl FnOnce() + Send + 'static) {
    let (begin, begun) = mpsc::channel();
    let (end, ended) = mpsc::channel::<()>();
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        // Closed when the test has ended, however it does.
        let _end = end;
        begin.send(gettid().as_raw()).expect("somebody waits");
        test();
    });
    let thread = thread.expect("starts a thread");
    let number = begun.recv().expect("begins");
    if ended.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
        locked(&GIVEN_UP).push(number);
        let waited = told(number);
        end_children(number);
        panic!("test {name} has not ended within {} s{waited}", limit.as_secs_f32());
    }
    if let Err(panic) = thread.join() {
        resume_unwind(panic);
    }
}

/// Returns the known event that a thread waits for.
fn told(thread: i32) -> String {
    let waits = locked(&WAITS);
    waits.get(&thread).map_or_else(String::new, |what| format!("\n  it waits for: {what}"))
}

/// Kills the processes that a thread has started, which ends most of its waiting.
fn end_children(thread: i32) {
    let children = std::fs::read_to_string(format!("/proc/self/task/{thread}/children")).unwrap_or_default();
    for child in children.split_whitespace().filter_map(|number| number.parse::<i32>().ok()) {
        // Some lead a group of what they have started; any may have ended by now.
        let _ = kill(Pid::from_raw(-child), Signal::SIGKILL);
        let _ = kill(Pid::from_raw(child), Signal::SIGKILL);
    }
}

#[used]
#[expect(unsafe_code, reason = "the C library calls what is in this section before `main`")]
#[unsafe(link_section = ".init_array")]
static BEGIN: extern "C" fn() = begin;

extern "C" fn begin() {
    // A part that a test plays in a process of its own ends with the test.
    if variable("CKI_TEST_PART").is_none() {
        watch(of_a_test());
    }
}

/// Begins to watch.
pub(crate) fn watch(limit: Duration) {
    let action = SigAction::new(SigHandler::Handler(answer), SaFlags::SA_RESTART, SigSet::empty());
    #[expect(
        unsafe_code,
        reason = "the handler runs only in threads that hang, and the program ends after it"
    )]
    // Without it, threads do not answer, and their names are cut off.
    let _ = unsafe { sigaction(Signal::SIGURG, &action) };
    let began = Instant::now();
    let all = seconds("CKI_TEST_LIMIT_ALL", ALL);
    let thread = std::thread::Builder::new().name("limits".into()).spawn(move || {
        loop {
            // The watchdog looks at intervals; nothing waits for it.
            std::thread::sleep(limit.div_f32(20.0).min(Duration::from_secs(1)));
            look(limit, began.elapsed() > all);
        }
    });
    drop(thread.expect("starts a thread"));
}

/// Ends what is over its limit: first its processes, and when that does not help, this program.
fn look(limit: Duration, is_end: bool) {
    static WARNED: Mutex<BTreeMap<i32, Instant>> = Mutex::new(BTreeMap::new());
    let grace = limit.div_f32(10.0);
    let mut warned = locked(&WARNED);
    let mut hopeless = Vec::new();
    let given_up = locked(&GIVEN_UP).clone();
    for (thread, age) in threads() {
        if given_up.contains(&thread) || !(is_end || age > limit + grace) {
            continue;
        }
        match warned.get(&thread) {
            Some(when) if when.elapsed() < grace => {}
            known => {
                let Some(name) = test_of(thread) else { continue };
                if is_end || known.is_some() {
                    hopeless.push(name);
                    continue;
                }
                let said = format!("test {name} has not ended within {} s", limit.as_secs_f32());
                say(&format!("{said}{}", told(thread)));
                warned.insert(thread, Instant::now());
                end_children(thread);
            }
        }
    }
    if is_end || !hopeless.is_empty() {
        say("the tests do not end; those that were still running:");
        hopeless.iter().for_each(|name| say(&format!("test {name} ... FAILED (time limit)")));
        end();
    }
}

#[expect(clippy::disallowed_methods, reason = "the test harness would wait for ever")]
fn end() -> ! {
    std::process::exit(101)
}

/// To the stream itself: the test harness keeps what the macros print.
fn say(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// The threads of this program but the first, with their age.
fn threads() -> Vec<(i32, Duration)> {
    let numbers = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let main = i32::try_from(std::process::id()).unwrap_or_default();
    let up = std::fs::read_to_string("/proc/uptime").unwrap_or_default();
    let up: f64 = up.split(' ').next().and_then(|text| text.parse().ok()).unwrap_or_default();
    numbers
        .filter(|number| *number != main && *number != gettid().as_raw())
        .filter_map(|number| {
            let stat = std::fs::read_to_string(format!("/proc/self/task/{number}/stat")).ok()?;
            // Field 22, after a name in brackets; there are a hundred ticks in a second on Linux.
            let started =
                stat[stat.rfind(')')? + 1..].split_whitespace().nth(19)?.parse::<f64>().ok()? / 100.0;
            Some((number, Duration::from_secs_f64((up - started).max(0.0))))
        })
        .collect()
}

/// The test that a thread runs, with where it is; `None` for threads that tests have started.
fn test_of(thread: i32) -> Option<String> {
    locked(&ANSWER).take();
    #[expect(unsafe_code, reason = "the number is that of a thread of this process, or of none")]
    unsafe {
        libc::syscall(libc::SYS_tgkill, libc::getpid(), thread, libc::SIGURG);
    }
    for _ in 0..100 {
        if let Some((name, place)) = ANSWER.try_lock().ok().and_then(|mut answer| answer.take()) {
            // The harness names a thread after its test, all of which are in modules.
            return name.filter(|name| name.contains("::")).map(|name| format!("{name}{}", at(&place)));
        }
        // Polls: the answer comes from a signal handler, which cannot wake anybody.
        std::thread::sleep(Duration::from_millis(50));
    }
    let name = std::fs::read_to_string(format!("/proc/self/task/{thread}/comm")).ok()?;
    Path::new(&name).to_str().filter(|name| name.contains("::")).map(|name| format!("{}…", name.trim()))
}

/// The lines of this project on the way to where a thread is.
fn at(place: &Backtrace) -> String {
    let place = place.to_string();
    let lines = place.lines().filter_map(|line| line.trim().strip_prefix("at ./"));
    let lines: Vec<_> = lines.filter(|line| !line.contains("support/limit.rs")).collect();
    if lines.is_empty() { String::new() } else { format!(" (at {})", lines.join(", ")) }
}

/// Answers a signal in the thread that receives it. The thread hangs: it holds none of the locks taken here.
extern "C" fn answer(_: libc::c_int) {
    let name = std::thread::current().name().map(str::to_owned);
    let place = Backtrace::force_capture();
    *locked(&ANSWER) = Some((name, place));
}
