//! One call of the program: its environment, its time limit and its result.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cki::host::Env;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::cli::{Cli, Outcome};

/// Longer than anything takes on a machine that does much else.
pub(super) const LIMIT: Duration = Duration::from_secs(90);

/// A run of the program that is being prepared.
pub(crate) struct Call<'a> {
    cli: &'a Cli,
    words: Vec<String>,
    variables: Vec<(&'static str, OsString)>,
    stdin: Option<Vec<u8>>,
    columns: Option<u16>,
    stdout: Option<Stdio>,
    stderr: Option<Stdio>,
    /// A directory with so little room, in kilobytes.
    cramped: Option<(PathBuf, String)>,
    directory: PathBuf,
    /// As somebody who has not trusted the project.
    untrusting: bool,
}

impl<'a> Call<'a> {
    pub(super) fn new(cli: &'a Cli, words: Vec<String>, directory: PathBuf) -> Self {
        std::fs::create_dir(&directory).expect("makes a directory");
        Self {
            cli,
            words,
            variables: Vec::new(),
            stdin: None,
            columns: None,
            stdout: None,
            stderr: None,
            cramped: None,
            directory,
            untrusting: false,
        }
    }

    /// With one more variable.
    pub(crate) fn set(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// As somebody who has not trusted what the project's files decide; all other calls have.
    pub(crate) fn untrusting(mut self) -> Self {
        self.untrusting = true;
        self
    }

    /// With something to read.
    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// With a terminal of so many columns as standard output.
    pub(crate) fn terminal(mut self, columns: u16) -> Self {
        self.columns = Some(columns);
        self
    }

    /// With something that the test has opened as standard output.
    pub(crate) fn stdout(mut self, stdout: impl Into<Stdio>) -> Self {
        self.stdout = Some(stdout.into());
        self
    }

    /// With something that the test has opened as standard error.
    pub(crate) fn stderr(mut self, stderr: impl Into<Stdio>) -> Self {
        self.stderr = Some(stderr.into());
        self
    }

    /// On a machine where a directory is empty and a disk of its own with so many kilobytes. What is in
    /// it in the end is listed on standard error.
    pub(crate) fn cramped(mut self, directory: &Path, kilobytes: u32) -> Self {
        self.cramped = Some((directory.to_owned(), format!("size={kilobytes}k")));
        self
    }

    /// On a machine where a directory is empty and a disk of its own that is mounted read-only.
    pub(crate) fn read_only(mut self, directory: &Path) -> Self {
        self.cramped = Some((directory.to_owned(), "ro".to_owned()));
        self
    }

    /// Runs it to its end.
    pub(crate) fn end(self) -> Outcome {
        self.start().end()
    }

    /// Starts it, in a process group of its own, as a shell would.
    pub(crate) fn start(self) -> StartedRun<'a> {
        let Self { cli, words, variables, stdin, columns, stdout, stderr, cramped, directory, untrusting } =
            self;
        if !untrusting {
            let env =
                Env::new(cli.variables.iter().chain(variables.iter().map(|(name, value)| (name, value))));
            // A test may write files that nobody can read, or have nowhere to keep trust.
            let _ = cki::ops::trust::trust_own(&env, &cli.project());
        }
        let (out, err) = (directory.join("stdout"), directory.join("stderr"));
        let file = |path: &Path| File::create(path).expect("makes a file");
        let mut command = match cramped {
            None => Command::new(env!("CARGO_BIN_EXE_cki")),
            Some((cramped, options)) => {
                // Mounted for the eyes of this program alone.
                let script = "mount -t tmpfs -o \"$1\" none \"$2\" && cd \"$PWD\" || exit 99
                    at=$2; shift 2; \"$@\"; code=$?; ls -A \"$at\" | sed 's/^/there is /' >&2; exit $code";
                let mut command = Command::new("unshare");
                command.args(["-rm", "sh", "-c", script, "sh", &options]);
                command.arg(cramped).arg(env!("CARGO_BIN_EXE_cki"));
                command
            }
        };
        command.args(&words).env_clear().envs(&cli.variables).envs(variables).current_dir(cli.project());
        command.stderr(file(&err)).process_group(0);
        match stdin {
            None => command.stdin(Stdio::null()),
            Some(bytes) => {
                let path = directory.join("stdin");
                file(&path).write_all(&bytes).expect("writes");
                command.stdin(File::open(path).expect("opens"))
            }
        };
        let mut reader = None;
        match columns {
            None => command.stdout(file(&out)),
            Some(columns) => {
                let (inner, outer) = terminal(columns);
                reader = Some(read(outer, file(&out)));
                command.stdout(inner)
            }
        };
        if let Some(stdout) = stdout {
            command.stdout(stdout);
        }
        if let Some(stderr) = stderr {
            command.stderr(stderr);
        }
        let child = command.spawn().expect("starts");
        // The program alone holds the terminal from here on, or its end is never seen.
        drop(command);
        cli.processes.borrow_mut().extend(cki::host::owner(child.id()));
        StartedRun { cli, child, words, out, err, reader }
    }
}

/// A run of the program that has begun; it is killed when this is dropped.
pub(crate) struct StartedRun<'a> {
    cli: &'a Cli,
    child: Child,
    words: Vec<String>,
    out: PathBuf,
    err: PathBuf,
    reader: Option<JoinHandle<()>>,
}

impl StartedRun<'_> {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("waits").is_some()
    }

    /// The most memory that it has taken so far, in bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix(" kB"));
        peak.map_or(0, |peak| peak.trim().parse::<u64>().expect("is a number") << 10)
    }

    /// Returns the memory of its own, apart from mapped files, in bytes.
    pub(crate) fn own_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let own = status.lines().find_map(|line| line.strip_prefix("RssAnon:")?.strip_suffix(" kB"));
        own.map_or(0, |own| own.trim().parse::<u64>().expect("is a number") << 10)
    }

    /// Its arguments, as `ps` shows them to every user.
    pub(crate) fn arguments(&self) -> String {
        let bytes = std::fs::read(format!("/proc/{}/cmdline", self.child.id())).unwrap_or_default();
        String::from_utf8_lossy(&bytes).replace('\0', " ")
    }

    /// The port of this machine by which it says that the component is reached.
    pub(crate) fn port(&self) -> u16 {
        let said = self.said();
        let address = said
            .rsplit("  ")
            .find_map(|word| word.trim_start_matches("http://").strip_prefix("127.0.0.1:")?.lines().next());
        address.and_then(|port| port.trim().parse().ok()).unwrap_or_else(|| panic!("says no port: {said}"))
    }

    /// Waits until it has said this, on either stream.
    #[track_caller]
    pub(crate) fn until(&mut self, text: &str) {
        let text = self.cli.fill(text);
        self.wait(&format!("says `{text}`"), |this| this.said().contains(&text));
    }

    /// Waits for something that it does.
    #[track_caller]
    pub(crate) fn wait(&mut self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let _wait = super::limit::waits(format!("`cki {}`: {what}", self.words.join(" ")));
        let deadline = Instant::now() + LIMIT;
        while !is_so(self) {
            let ended = self.child.try_wait().expect("waits");
            if let Some(status) = ended.filter(|_| !is_so(self)) {
                panic!("`cki {}` ended ({status}) without: {what}\n{}", self.words.join(" "), self.said());
            }
            assert!(Instant::now() < deadline, "`cki` never {what}\n{}", self.said());
            // Polls: output and the end of the process are both waited for.
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Returns the number of reports that sources have changed.
    pub(crate) fn changes(&self) -> usize {
        text(&self.err).matches("  changed ").count()
    }

    fn said(&self) -> String {
        text(&self.out) + &text(&self.err)
    }

    /// Sends a signal to it alone.
    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).expect("a process id");
        kill(Pid::from_raw(id), signal).expect("is there");
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn end(mut self) -> Outcome {
        let _wait = super::limit::waits(format!("the end of `cki {}`", self.words.join(" ")));
        let deadline = Instant::now() + LIMIT;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("waits") {
                break status;
            }
            assert!(
                Instant::now() < deadline,
                "`cki {}` does not end: {}",
                self.words.join(" "),
                self.said()
            );
            // Polls: `wait` has no time limit.
            std::thread::sleep(Duration::from_millis(5));
        };
        if let Some(reader) = self.reader.take() {
            reader.join().expect("reads to the end");
        }
        let code = status.code().or_else(|| status.signal().map(|signal| -signal)).expect("one of the two");
        let bytes = std::fs::read(&self.out).expect("was made");
        let (stdout, stderr) = (String::from_utf8_lossy(&bytes).into_owned(), text(&self.err));
        super::hints::check(&stderr);
        let gap = |text: &str| if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        let whole = if stderr.is_empty() {
            format!("{stdout}{}--- exit {code}", gap(&stdout))
        } else {
            format!("{stdout}{}--- stderr\n{stderr}{}--- exit {code}", gap(&stdout), gap(&stderr))
        };
        Outcome { code, text: self.cli.redact(&whole), bytes, stdout, stderr }
    }
}

impl Drop for StartedRun<'_> {
    fn drop(&mut self) {
        // Most have ended long ago, and been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).expect("was made")).into_owned()
}

/// Both ends of a terminal: for the program, and for anyone who looks at it.
fn terminal(columns: u16) -> (OwnedFd, OwnedFd) {
    let size = nix::libc::winsize { ws_row: 40, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    let (mut outer, mut inner) = (-1, -1);
    #[expect(unsafe_code, reason = "openpty(3) fills the two numbers, which nobody else owns")]
    let (inner, outer) = unsafe {
        let null = std::ptr::null_mut();
        let made = nix::libc::openpty(&raw mut outer, &raw mut inner, null, null.cast(), &raw const size);
        assert_eq!(made, 0, "there are no terminals");
        (OwnedFd::from_raw_fd(inner), OwnedFd::from_raw_fd(outer))
    };
    (inner, outer)
}

/// Copies what comes out of a terminal, until nobody holds its other end.
fn read(outer: OwnedFd, mut to: File) -> JoinHandle<()> {
    let mut outer = File::from(outer);
    std::thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(length @ 1..) = outer.read(&mut piece) {
            let text: Vec<u8> = piece[..length].iter().copied().filter(|byte| *byte != b'\r').collect();
            to.write_all(&text).expect("writes");
        }
    })
}
