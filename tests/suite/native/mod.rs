//! Tests of real processes without an engine: their isolation, their end, and the cleanup. They run as the
//! current user; as root, also as an ordinary user; and also without kernel support for namespaces.
//!
//! The tests run this program itself: [`part`] plays the requested part.

mod isolation;
mod lifecycle;
mod runs;

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cki::base::secret::Secret;
use cki::host::{self, Env, Host};
use cki::model::event::Stream;
use cki::model::identity::{ResourceLabels, Retention, Role, RunId};
use cki::systems::native::{
    ExecSpec, Native, NativeError, Process, ProcessFacts, ProcessOutput, ProcessSpec, Sandbox,
};
use futures_util::StreamExt as _;
use tokio::io::AsyncReadExt as _;

use crate::support::gate::pass_gate;
use crate::support::part::{self, PART};
use crate::support::ports::free_port;

/// Starts what hides from its parent, its group and its session, and says so.
const HIDE: &str = "(setsid sh -c '(setsid sh -c \"echo hidden; exec sleep 1000\" &)' &); ";

/// Says which part to play.
const ROLE: &str = "NATIVE_ROLE";
const PORT: &str = "NATIVE_PORT";
/// Says that the kernel allows no namespaces.
const NONE: &str = "NATIVE_NONE";
/// Longer than anything here takes.
const LIMIT: Duration = Duration::from_secs(20);

/// A machine of its own: a runtime directory, and an environment with something to hide.
struct Machine {
    directory: tempfile::TempDir,
    native: Native,
}

impl Machine {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let native = Native::new(&Self::env(directory.path()));
        Self { directory, native }
    }

    fn env(directory: &Path) -> Env {
        let real = Host::real().env;
        Env::new([
            ("PATH", real.get("PATH").unwrap_or("/usr/bin:/bin")),
            ("TERM", "xterm"),
            ("LC_ALL", "C.UTF-8"),
            ("HOME", "/nonexistent"),
            ("API_TOKEN", "must-not-be-inherited"),
            ("XDG_RUNTIME_DIR", directory.to_str().expect("is text")),
        ])
    }

    fn spec(&self, name: &str, command: &[&str]) -> ProcessSpec {
        ProcessSpec {
            identity: identity(name, Retention::Owner),
            command: command.iter().map(|&word| word.to_owned()).collect(),
            workdir: self.directory.path().to_owned(),
            environment: Vec::new(),
            secret: Vec::new(),
            files: Vec::new(),
            ready: None,
            config_hash: None,
            ports: Vec::new(),
            detached: false,
        }
    }

    fn shell(&self, script: &str) -> ProcessSpec {
        self.spec("shell", &["sh", "-c", script])
    }

    fn part(&self, role: &str, port: u16) -> ProcessSpec {
        let program = Host::real().executable;
        let mut spec = self.spec(role, &[program.to_str().expect("is text")]);
        spec.environment = vec![
            (PART.into(), Secret::new("native")),
            (ROLE.into(), Secret::new(role)),
            (PORT.into(), Secret::new(port.to_string())),
        ];
        spec
    }

    fn run(&self, spec: ProcessSpec, space: &Sandbox) -> RunningProcess {
        let mut process = self.native.spawn(pass_gate(spec), space).expect("starts");
        let output = process.output().expect("is attached");
        RunningProcess { process, output, seen: String::new() }
    }

    fn only(&self) -> ProcessFacts {
        let mut all = self.native.list().expect("lists");
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    fn file(&self, facts: &ProcessFacts, name: &str) -> PathBuf {
        let directory = format!("cki/native/{}.{}", facts.identity.run, facts.identity.name);
        self.directory.path().join(directory).join(name)
    }

    /// The number of the process that sees to it that nothing is left.
    fn supervisor(&self, facts: &ProcessFacts) -> String {
        let record = std::fs::read_to_string(self.file(facts, "process.json")).expect("is there");
        let record: serde_json::Value = serde_json::from_str(&record).expect("is JSON");
        let process = record["process"].as_str().expect("is text");
        process.split('.').next().expect("has a part").to_owned()
    }

    fn is_clean(&self) -> bool {
        let runs = self.directory.path().join("cki/native");
        std::fs::read_dir(runs).expect("was made").next().is_none() && self.living().is_empty()
    }

    /// The processes that belong here, since their home does.
    fn living(&self) -> Vec<u32> {
        let home = format!("HOME={}/", self.directory.path().display());
        let environment = |pid: u32| std::fs::read(format!("/proc/{pid}/environ")).ok();
        let pids = std::fs::read_dir("/proc").expect("is there").flatten();
        pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|pid| {
                environment(*pid).is_some_and(|content| {
                    content.split(|byte| *byte == 0).any(|entry| entry.starts_with(home.as_bytes()))
                })
            })
            .collect()
    }
}

struct RunningProcess {
    process: Process,
    output: ProcessOutput,
    seen: String,
}

impl RunningProcess {
    /// Reads until a text has come.
    async fn until(&mut self, text: &str) {
        while !self.seen.contains(text) {
            let piece = tokio::time::timeout(LIMIT, self.output.next()).await.expect("says something");
            let (_, bytes) = piece.unwrap_or_else(|| panic!("ended without `{text}`: {}", self.seen));
            self.seen.push_str(&String::from_utf8_lossy(&bytes));
        }
    }

    /// Reads to the end.
    async fn end(mut self) -> (String, u8) {
        let rest = async {
            while let Some((_, bytes)) = self.output.next().await {
                self.seen.push_str(&String::from_utf8_lossy(&bytes));
            }
            self.process.wait().await.expect("is told")
        };
        let code = tokio::time::timeout(LIMIT, rest).await.expect("ends");
        (self.seen, code)
    }
}

fn identity(name: &str, lifetime: Retention) -> ResourceLabels {
    ResourceLabels {
        run: RunId::new(b"run"),
        component: "service/component".into(),
        role: Role::Component,
        name: name.into(),
        owner: Host::real().owner(),
        lifetime,
        inventory: String::new(),
    }
}

fn isolated(space: &Sandbox, what: &str) -> bool {
    let all: BTreeMap<_, _> =
        space.isolation().into_iter().map(|(what, state)| (what.to_string(), state)).collect();
    all[what].is_ok()
}

/// Waits for what is about to happen and cannot be waited for otherwise.
async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        // Polls: other processes do not say when they have got there.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Acts as the program that one of the tests runs.
pub(crate) fn part() {
    let env = Host::real().env;
    let port: u16 = env.get(PORT).and_then(|port| port.parse().ok()).unwrap_or(0);
    let mut out = std::io::stdout();
    match env.get(ROLE) {
        Some("connect") => {
            let answer =
                TcpStream::connect_timeout(&([127, 0, 0, 1], port).into(), LIMIT).map(|mut stream| {
                    let mut answer = String::new();
                    stream.set_read_timeout(Some(Duration::from_millis(200))).expect("may");
                    let _ = stream.read_to_string(&mut answer);
                    answer
                });
            let answer = answer.map_or("refused".to_owned(), |answer| format!("connected: {answer}"));
            writeln!(out, "{answer}").expect("writes");
        }
        Some("listen") => {
            let listener = TcpListener::bind(("127.0.0.1", port)).expect("binds");
            writeln!(out, "listening").expect("writes");
            for stream in listener.incoming() {
                // anyone who only looks whether somebody listens is gone already.
                let _ = stream.and_then(|mut stream| stream.write_all(b"hello"));
            }
        }
        Some("own") => own(&PathBuf::from(env.get_os("NATIVE_DIRECTORY").expect("is set"))),
        role => panic!("there is no role {role:?}"),
    }
}

/// Owns an attached process and leaves a detached one, until it is killed.
#[tokio::main(flavor = "current_thread")]
async fn own(directory: &Path) {
    let native = Native::new(&Machine::env(directory));
    let space = Sandbox::new();
    let spec = |name: &str, lifetime, script: &str| ProcessSpec {
        identity: identity(name, lifetime),
        command: vec!["sh".into(), "-c".into(), script.into()],
        workdir: "/".into(),
        environment: Vec::new(),
        secret: Vec::new(),
        files: Vec::new(),
        ready: None,
        config_hash: None,
        ports: Vec::new(),
        detached: lifetime == Retention::Retained,
    };
    let kept = native
        .spawn(pass_gate(spec("kept", Retention::Retained, "exec sleep 1000")), &space)
        .expect("starts");
    drop(kept);
    let script = format!("trap '' TERM; {HIDE} sleep 1000; exit 1");
    let mut owned =
        native.spawn(pass_gate(spec("owned", Retention::Owner, &script)), &space).expect("starts");
    let mut output = owned.output().expect("is attached");
    assert_eq!(output.next().await.expect("says something").1, "hidden\n");
    writeln!(std::io::stdout(), "ready").expect("writes");
    output.next().await;
}

/// Runs all of the above once more in another way.
fn run_native_tests_under(prefix: &[&str]) {
    let mut program = Host::real().executable;
    let readable = |path: &Path| path.metadata().is_ok_and(|facts| facts.permissions().mode() & 1 != 0);
    let directory = tempfile::tempdir().expect("a temporary directory");
    if !program.ancestors().all(readable) {
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).expect("may");
        program = directory.path().join("suite");
        std::fs::copy(Host::real().executable, &program).expect("copies");
    }
    let output = Command::new(prefix[0])
        .args(&prefix[1..])
        .arg(program)
        .args(["native::", "--skip", "native::native_tests_pass"])
        .current_dir("/")
        .output()
        .expect("runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains(" passed; 0 failed"), "{text}");
}

#[test]
#[ignore = "needs root (bash tests/run)"]
fn native_tests_pass_as_an_ordinary_user() {
    run_native_tests_under(&["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]);
}

#[test]
#[ignore = "needs root (bash tests/run)"]
fn native_tests_pass_without_namespaces() {
    // In a user namespace that allows no further one, without any power. Where the kernel allows not
    // even the first, that is what the tests are to be told.
    let script = "echo 0 > /proc/sys/user/max_user_namespaces && \
                  NATIVE_NONE=1 exec setpriv --bounding-set=-all --inh-caps=-all --ambient-caps=-all \"$0\" \"$@\"";
    let inside = ["unshare", "--user", "--map-root-user"];
    let allowed = Command::new(inside[0]).args(&inside[1..]).arg("true").status().expect("runs").success();
    if allowed {
        run_native_tests_under(&[&inside[..], &["sh", "-c", script]].concat());
    } else {
        run_native_tests_under(&["env", "NATIVE_NONE=1"]);
    }
}
