//! Processes without an engine, for real: what they see and do not see, that they end and how, and
//! that nothing is left. All of it runs as whoever runs the tests; as root, once more as an
//! ordinary user; and once more where the kernel allows no namespaces at all.
//!
//! This program is also what the tests run: a test of the name in [`PART`] does nothing unless it
//! is told which part to play.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cki::base::secret::Secret;
use cki::host::{self, Env, Host};
use cki::model::event::Stream;
use cki::model::identity::{Identity, Lifetime, Role, RunId};
use cki::systems::native::{Native, NativeError, Output, Process, ProcessFacts, ProcessSpec, Space};
use futures_util::StreamExt as _;
use tokio::io::AsyncReadExt as _;

const PART: &str = "native::part";
/// Says which part to play.
const ROLE: &str = "NATIVE_ROLE";
const PORT: &str = "NATIVE_PORT";
/// Says that the kernel allows no namespaces.
const NONE: &str = "NATIVE_NONE";
/// Longer than anything here takes.
const LIMIT: Duration = Duration::from_secs(20);

/// A machine of its own: a runtime folder, and an environment with something to hide.
struct Machine {
    folder: tempfile::TempDir,
    native: Native,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let native = Native::new(&Self::env(folder.path()));
        Self { folder, native }
    }

    fn env(folder: &Path) -> Env {
        let real = Host::real().env;
        Env::new([
            ("PATH", real.get("PATH").unwrap_or("/usr/bin:/bin")),
            ("TERM", "xterm"),
            ("LC_ALL", "C.UTF-8"),
            ("HOME", "/nonexistent"),
            ("API_TOKEN", "must-not-be-inherited"),
            ("XDG_RUNTIME_DIR", folder.to_str().expect("is text")),
        ])
    }

    fn spec(&self, name: &str, command: &[&str]) -> ProcessSpec {
        ProcessSpec {
            identity: identity(name, Lifetime::Owner),
            command: command.iter().map(|&word| word.to_owned()).collect(),
            workdir: self.folder.path().to_owned(),
            environment: Vec::new(),
            ports: Vec::new(),
            detached: false,
        }
    }

    fn shell(&self, script: &str) -> ProcessSpec {
        self.spec("shell", &["sh", "-c", script])
    }

    fn part(&self, role: &str, port: u16) -> ProcessSpec {
        let program = Host::real().executable;
        let mut spec = self.spec(role, &[program.to_str().expect("is text"), "--exact", PART, "--nocapture"]);
        spec.environment =
            vec![(ROLE.into(), Secret::new(role)), (PORT.into(), Secret::new(port.to_string()))];
        spec
    }

    fn run(&self, spec: ProcessSpec, space: &Space) -> Running {
        let mut process = self.native.spawn(spec, space).expect("starts");
        let output = process.output().expect("is attached");
        Running { process, output, seen: String::new() }
    }

    fn only(&self) -> ProcessFacts {
        let mut all = self.native.list().expect("lists");
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    fn is_clean(&self) -> bool {
        let runs = self.folder.path().join("cki/native");
        std::fs::read_dir(runs).expect("was made").next().is_none() && self.living().is_empty()
    }

    /// The processes that belong here, since their home does.
    fn living(&self) -> Vec<u32> {
        let home = format!("HOME={}/", self.folder.path().display());
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

struct Running {
    process: Process,
    output: Output,
    seen: String,
}

impl Running {
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

fn identity(name: &str, lifetime: Lifetime) -> Identity {
    Identity {
        run: RunId::new(b"run"),
        component: "service/component".into(),
        role: Role::Component,
        name: name.into(),
        owner: Host::real().owner(),
        lifetime,
    }
}

fn isolated(space: &Space, what: &str) -> bool {
    let all: BTreeMap<_, _> = space.isolation().into_iter().collect();
    all[what].is_ok()
}

/// A port that nobody uses at the moment.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("binds").local_addr().expect("has one").port()
}

/// Waits for what is about to happen and cannot be waited for otherwise.
async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn the_environment_is_exactly_what_was_asked_for() {
    let machine = Machine::new();
    let mut spec = machine.spec("env", &["/usr/bin/env"]);
    spec.environment = vec![("A".into(), Secret::new("1 2\n3")), ("LC_ALL".into(), Secret::new("C"))];
    let (output, code) = machine.run(spec, &Space::new()).end().await;
    let mut lines: Vec<&str> = output.lines().collect();
    lines.sort_unstable();
    let path = Host::real().env.get("PATH").unwrap_or("/usr/bin:/bin").to_owned();
    let run = RunId::new(b"run");
    let home = format!("HOME={}/cki/native/{run}.env/home", machine.folder.path().display());
    let path = format!("PATH={path}");
    assert_eq!(lines, ["3", "A=1 2", &home, "LC_ALL=C", &path, "TERM=xterm"]);
    assert_eq!(code, 0);
    assert!(machine.is_clean());
}

#[tokio::test]
async fn it_has_a_home_of_its_own_no_open_files_and_no_terminal() {
    let machine = Machine::new();
    let script = "stat -c %a $HOME; touch $HOME/x; pwd; ls /proc/self/fd; readlink /proc/self/fd/0; \
                  test \"$(cut -d' ' -f7 /proc/self/stat)\" = 0 && echo no terminal; ulimit -c; echo e >&2";
    let mut process = machine.native.spawn(machine.shell(script), &Space::new()).expect("starts");
    let mut output = process.output().expect("is attached");
    let (mut stdout, mut stderr) = (String::new(), String::new());
    while let Some((stream, bytes)) = output.next().await {
        let target = if stream == Stream::Stdout { &mut stdout } else { &mut stderr };
        target.push_str(&String::from_utf8_lossy(&bytes));
    }
    let lines: Vec<&str> = stdout.lines().collect();
    let here = machine.folder.path().to_str().expect("is text");
    // Number 3 is the folder that `ls` reads.
    assert_eq!(lines[..8], ["700", here, "0", "1", "2", "3", "/dev/null", "no terminal"], "{stdout}");
    assert_eq!(stderr, "e\n");
    assert_eq!(process.wait().await.expect("is told"), 0);
    assert_eq!(process.wait().await.expect("is told again"), 0);
    process.kill().expect("is none the worse");
    drop(process);
    assert!(machine.is_clean());
}

#[tokio::test]
async fn exit_codes_come_through() {
    let (machine, space) = (Machine::new(), Space::new());
    for (script, expected) in [("exit 0", 0), ("exit 3", 3), ("exit 255", 255), ("kill -9 $$", 137)] {
        let (_, code) = machine.run(machine.shell(script), &space).end().await;
        assert_eq!(code, expected, "{script}");
    }
    let script = "kill -s TERM $$; sleep 1000";
    assert_eq!(machine.run(machine.shell(script), &space).end().await.1, 143);
    assert!(machine.is_clean());
}

#[tokio::test]
async fn what_cannot_be_started_is_said_and_leaves_nothing() {
    let (machine, space) = (Machine::new(), Space::new());
    let here = machine.folder.path();
    std::fs::write(here.join("plain"), "").expect("writes");
    std::fs::write(here.join("script"), "#!/no/such/interpreter\n").expect("writes");
    std::fs::set_permissions(here.join("script"), std::fs::Permissions::from_mode(0o755)).expect("may");
    let try_it = |command: &[&str]| machine.native.spawn(machine.spec("x", command), &space);
    assert!(matches!(try_it(&["no-such-program"]), Err(NativeError::MissingProgram { .. })));
    assert!(matches!(try_it(&["./plain"]), Err(NativeError::NotExecutable { .. })));
    assert!(matches!(try_it(&[]), Err(NativeError::EmptyCommand { .. })));
    let error = try_it(&["./script"]).expect_err("cannot run");
    assert!(matches!(error, NativeError::Start { .. }), "{error}");
    assert!(error.to_string().contains("interpreter"), "{error}");
    let mut spec = machine.shell("true");
    spec.workdir = here.join("none");
    assert!(matches!(machine.native.spawn(spec, &space), Err(NativeError::MissingWorkdir { .. })));
    assert!(machine.is_clean());
    let first = machine.run(machine.shell("sleep 1000"), &space);
    assert!(matches!(
        machine.native.spawn(machine.shell("sleep 1000"), &space),
        Err(NativeError::Exists { .. })
    ));
    drop(first);
    assert!(machine.is_clean());
}

#[tokio::test]
async fn term_asks_and_kill_does_not() {
    let (machine, space) = (Machine::new(), Space::new());
    let mut plain = machine.run(machine.shell("echo up; exec sleep 1000"), &space);
    plain.until("up").await;
    plain.process.terminate().expect("asks");
    assert_eq!(plain.end().await.1, 143);

    let mut polite = machine
        .run(machine.shell("trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.02; done"), &space);
    polite.until("up").await;
    polite.process.terminate().expect("asks");
    let (output, code) = polite.end().await;
    // The shell may say that its `sleep` was asked to end, too.
    assert_eq!((output.lines().last(), code), (Some("bye"), 5));

    let script = "trap 'echo no' TERM; echo up; while :; do sleep 0.02; done";
    let mut deaf = machine.run(machine.shell(script), &space);
    deaf.until("up").await;
    deaf.process.terminate().expect("asks");
    deaf.until("no").await;
    deaf.process.kill().expect("kills");
    assert_eq!(deaf.end().await.1, 137);
    assert!(machine.is_clean());
}

/// Starts what hides from its parent, its group and its session, and says so.
const HIDE: &str = "(setsid sh -c '(setsid sh -c \"echo hidden; exec sleep 1000\" &)' &); ";

#[tokio::test]
async fn what_has_detached_itself_ends_too() {
    let (machine, space) = (Machine::new(), Space::new());
    for ending in ["exit", "kill", "drop"] {
        let script = format!("trap 'exit 7' TERM; {HIDE} while :; do sleep 0.02; done");
        let mut running = machine.run(machine.shell(&script), &space);
        running.until("hidden").await;
        assert!(machine.living().len() >= 2);
        match ending {
            "exit" => {
                running.process.terminate().expect("asks");
                assert_eq!(running.end().await.1, 7);
            }
            "kill" => {
                running.process.kill().expect("kills");
                assert_eq!(running.end().await.1, 137);
            }
            _ => drop(running),
        }
        assert!(machine.is_clean(), "{ending}: {:?}", machine.living());
    }
}

#[tokio::test]
async fn many_children_that_fork_while_they_are_killed_end() {
    let (machine, space) = (Machine::new(), Space::new());
    let script =
        format!("{HIDE} f() {{ while :; do (setsid sleep 1000 &); sleep 0.01; done; }}; f & f & f & wait");
    let mut running = machine.run(machine.shell(&script), &space);
    running.until("hidden").await;
    eventually("many processes", || machine.living().len() > 40).await;
    drop(running);
    assert!(machine.is_clean(), "{:?}", machine.living());
}

#[tokio::test]
async fn the_network_is_the_runs_own() {
    let (machine, space) = (Machine::new(), Space::new());
    let outside = TcpListener::bind("127.0.0.1:0").expect("binds");
    let port = outside.local_addr().expect("has one").port();
    let (output, _) = machine.run(machine.part("connect", port), &space).end().await;
    let ours = isolated(&space, "network");
    assert_eq!(output.contains("refused"), ours, "{output}");
    assert_eq!(output.contains("connected"), !ours, "{output}");
    if ours {
        let (output, _) = machine.run(machine.spec("ls", &["ls", "/sys/class/net/"]), &space).end().await;
        let (routes, _) = machine.run(machine.spec("cat", &["cat", "/proc/net/dev"]), &space).end().await;
        assert_eq!(routes.lines().count(), 3, "only loopback: {routes}{output}");
    }
}

#[tokio::test]
async fn processes_of_a_run_reach_each_other_and_publish_lets_this_machine_in() {
    let (machine, space) = (Machine::new(), Space::new());
    let port = free_port();
    assert!(space.connect(port).await.is_err(), "nobody listens yet");
    let mut server = machine.run(machine.part("listen", port), &space);
    server.until("listening").await;
    let (output, _) = machine.run(machine.part("connect", port), &space).end().await;
    assert!(output.contains("connected: hello"), "{output}");

    let mut answer = String::new();
    let mut connection = space.connect(port).await.expect("somebody listens");
    connection.read_to_string(&mut answer).await.expect("reads");
    assert_eq!(answer, "hello");

    let ask = |local: u16| async move {
        let mut answer = String::new();
        let mut connection = tokio::net::TcpStream::connect(("127.0.0.1", local)).await?;
        connection.read_to_string(&mut answer).await.map(|_| answer)
    };
    let published = space.publish(port, None).await.expect("publishes");
    assert_eq!(published.port, port);
    for _ in 0..20 {
        assert_eq!(ask(published.local).await.expect("answers"), "hello");
    }
    let wanted = free_port();
    let asked = space.publish(port, Some(wanted)).await.expect("publishes");
    assert_eq!(asked.local, wanted);
    assert_eq!(ask(wanted).await.expect("answers"), "hello");
    let taken = space.publish(port, Some(wanted)).await.expect_err("is taken");
    assert!(matches!(taken, NativeError::Port { port, .. } if port == wanted), "{taken}");
    drop(asked);
    eventually("the port is free again", || TcpStream::connect(("127.0.0.1", wanted)).is_err()).await;

    if isolated(&space, "network") {
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "only the published port leads in");
        let (output, _) = machine.run(machine.part("connect", port), &Space::new()).end().await;
        assert!(output.contains("refused"), "another run does not reach it: {output}");
    }
}

#[tokio::test]
async fn isolation_is_told_plainly() {
    let space = Space::new();
    let all: BTreeMap<_, _> = space.isolation().into_iter().collect();
    for what in ["environment", "home", "terminal"] {
        assert!(all[what].is_ok());
    }
    for what in ["files", "user", "memory and processor"] {
        assert!(all[what].is_err());
    }
    for (what, how) in &all {
        writeln!(std::io::stdout(), "{what}: {how:?}").expect("writes");
    }
    let machine = Machine::new();
    let (output, _) = machine.run(machine.shell("echo $$; ls /proc; id -u"), &space).end().await;
    let numbers = output.lines().filter(|line| line.parse::<u32>().is_ok()).count();
    // Its own, init, `ls`, and what `echo` and `id` say.
    assert_eq!(numbers <= 6, all["processes"].is_ok(), "{output}");
    let user = std::os::unix::fs::MetadataExt::uid(&machine.folder.path().metadata().expect("is there"));
    assert_eq!(output.lines().last(), Some(user.to_string().as_str()));
    if Host::real().env.get(NONE).is_some() {
        assert!(all["network"].is_err() && all["processes"].is_err(), "{all:?}");
    }
    if let Err(reason) = &all["network"] {
        assert!(reason.starts_with("it uses this machine's: the kernel refuses"), "{reason}");
    }
}

#[tokio::test]
async fn a_detached_process_is_found_read_entered_and_stopped() {
    let (machine, space) = (Machine::new(), Space::new());
    let mut spec =
        machine.shell("echo out; echo err >&2; trap 'echo bye; exit' TERM; while :; do sleep 0.02; done");
    spec.identity.lifetime = Lifetime::Kept;
    spec.environment = vec![("TOKEN".into(), Secret::new("t0ken"))];
    spec.ports = vec![(1, 2)];
    spec.detached = true;
    let mut process = machine.native.spawn(spec.clone(), &space).expect("starts");
    assert!(process.output().is_none());
    drop(process);
    let facts = machine.only();
    assert!(facts.is_alive());
    assert_eq!(facts.identity, spec.identity);
    assert_eq!((&facts.command, &facts.ports, &facts.workdir), (&spec.command, &spec.ports, &spec.workdir));
    let record = machine.folder.path().join("cki/native");
    let record = std::fs::read_to_string(record.join(format!("{}.shell/process.json", facts.identity.run)));
    assert!(!record.expect("is there").contains("t0ken"));
    assert_eq!(machine.native.environment(&facts).expect("is read")["TOKEN"].expose(), "t0ken");

    let words = |command: &[&str]| command.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    let script = "echo $TOKEN; pwd; readlink /proc/self/ns/net; exit 9";
    let mut beside = machine.native.exec(&facts, &words(&["sh", "-c", script])).expect("enters");
    let output = beside.output().expect("is attached");
    let (output, code) = Running { process: beside, output, seen: String::new() }.end().await;
    let lines: Vec<&str> = output.lines().collect();
    let inside =
        std::fs::read_link(format!("/proc/{}/ns/net", facts.pid().expect("lives"))).expect("is a link");
    let here = machine.folder.path().to_str().expect("is text");
    assert_eq!(lines, ["t0ken", here, inside.to_str().expect("is text")]);
    assert_eq!(code, 9);
    let error = machine.native.exec(&facts, &words(&["no-such-program"])).expect_err("is missing");
    assert!(matches!(error, NativeError::MissingProgram { .. }), "{error}");

    assert!(machine.native.sweep(|_| true).await.expect("sweeps").is_empty(), "the living are left alone");
    let mut log = machine.native.logs(&facts, true).expect("has one");
    let first = log.next().await.expect("says something");
    let reader = tokio::spawn(async move {
        let mut all = first.to_vec();
        while let Some(piece) = log.next().await {
            all.extend_from_slice(&piece);
        }
        String::from_utf8(all).expect("is text")
    });
    machine.native.stop(&facts, LIMIT).await.expect("stops");
    let log = reader.await.expect("ends");
    assert!(log.starts_with("out\nerr\n") && log.ends_with("bye\n"), "{log}");
    assert!(!facts.is_alive());
    assert!(matches!(machine.native.exec(&facts, &words(&["true"])), Err(NativeError::NotRunning { .. })));
    assert!(machine.is_clean());
}

#[tokio::test]
async fn stop_does_not_wait_for_the_deaf_for_ever() {
    let (machine, space) = (Machine::new(), Space::new());
    let mut spec = machine.shell(&format!("trap '' TERM; {HIDE} while :; do sleep 0.02; done"));
    spec.detached = true;
    drop(machine.native.spawn(spec, &space).expect("starts"));
    let facts = machine.only();
    eventually("it hides", || machine.living().len() >= 2).await;
    machine.native.stop(&facts, Duration::from_millis(50)).await.expect("stops");
    assert!(machine.is_clean());
}

#[tokio::test]
async fn an_attached_process_has_the_log_that_is_given() {
    let (machine, space) = (Machine::new(), Space::new());
    let running = machine.run(machine.shell("exec sleep 1000"), &space);
    running.process.append_log("one").expect("writes");
    running.process.append_log("two").expect("writes");
    let facts = machine.only();
    assert_eq!(running.process.facts().map(|facts| facts.identity.clone()), Some(facts.identity.clone()));
    let mut log = machine.native.logs(&facts, false).expect("has one");
    assert_eq!(log.next().await.expect("has two lines"), "one\ntwo\n");
    assert!(log.next().await.is_none());
}

#[tokio::test]
async fn nothing_is_left_when_the_owner_is_killed_but_what_was_to_stay() {
    let machine = Machine::new();
    let mut owner = Command::new(Host::real().executable)
        .args(["--exact", PART, "--nocapture"])
        .env(ROLE, "own")
        .env("NATIVE_FOLDER", machine.folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut said = Vec::new();
    let mut stdout = owner.stdout.take().expect("is piped");
    while !String::from_utf8_lossy(&said).contains("ready") {
        let mut piece = [0; 100];
        let length = stdout.read(&mut piece).expect("reads");
        assert_ne!(length, 0, "ended: {}", String::from_utf8_lossy(&said));
        said.extend_from_slice(&piece[..length]);
    }
    let all = machine.native.list().expect("lists");
    assert_eq!(all.iter().map(ProcessFacts::is_alive).collect::<Vec<_>>(), [true, true]);
    let abandoned =
        |identity: &Identity| identity.lifetime == Lifetime::Owner && !host::is_alive(&identity.owner);
    assert!(machine.native.sweep(abandoned).await.expect("sweeps").is_empty(), "all is in use");

    owner.kill().expect("kills");
    assert_eq!(owner.wait().expect("is told").signal(), Some(9));
    let of = |lifetime| {
        let all = machine.native.list().expect("lists");
        all.into_iter().find(|facts| facts.identity.lifetime == lifetime)
    };
    eventually("its process ends", || of(Lifetime::Owner).is_some_and(|facts| !facts.is_alive())).await;
    let swept = machine.native.sweep(abandoned).await.expect("sweeps");
    assert_eq!(swept.len(), 1);
    let kept = of(Lifetime::Kept).expect("stays");
    assert!(kept.is_alive() && of(Lifetime::Owner).is_none());
    let pid = kept.pid().expect("lives");
    assert_eq!(machine.living(), [pid], "nothing but what was to stay");
    machine.native.stop(&kept, LIMIT).await.expect("stops");
    assert!(machine.is_clean());
}

#[tokio::test]
async fn a_killed_supervisor_is_swept_after() {
    let (machine, space) = (Machine::new(), Space::new());
    let mut spec = machine.shell(&format!("{HIDE} sleep 1000"));
    spec.detached = true;
    drop(machine.native.spawn(spec, &space).expect("starts"));
    let facts = machine.only();
    eventually("it hides", || machine.living().len() >= 2).await;
    let record = machine.folder.path().join(format!("cki/native/{}.shell/process.json", facts.identity.run));
    let record: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(record).expect("is there")).expect("is JSON");
    let supervisor =
        record["process"].as_str().expect("is there").split('.').next().expect("has one").to_owned();
    // A bystander with nearly the same home.
    let home = machine.folder.path().join("cki/native/home");
    let mut bystander = Command::new("sleep").arg("1000").env("HOME", &home).spawn().expect("starts");
    assert!(Command::new("kill").args(["-9", &supervisor]).status().expect("runs").success());
    eventually("it is dead", || !facts.is_alive()).await;
    assert_eq!(machine.native.sweep(|_| true).await.expect("sweeps").len(), 1);
    assert_eq!(machine.living(), [bystander.id()]);
    bystander.kill().expect("kills");
    bystander.wait().expect("is told");
    assert!(machine.is_clean());
}

/// What this program does when it is run by one of the tests above.
#[test]
fn part() {
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
                // Whoever only looks whether somebody listens is gone already.
                let _ = stream.and_then(|mut stream| stream.write_all(b"hello"));
            }
        }
        Some("own") => own(&PathBuf::from(env.get_os("NATIVE_FOLDER").expect("is set"))),
        _ => {}
    }
}

/// Owns an attached process and leaves a detached one, until it is killed.
#[tokio::main(flavor = "current_thread")]
async fn own(folder: &Path) {
    let native = Native::new(&Machine::env(folder));
    let space = Space::new();
    let spec = |name: &str, lifetime, script: &str| ProcessSpec {
        identity: identity(name, lifetime),
        command: vec!["sh".into(), "-c".into(), script.into()],
        workdir: "/".into(),
        environment: Vec::new(),
        ports: Vec::new(),
        detached: lifetime == Lifetime::Kept,
    };
    let kept = native.spawn(spec("kept", Lifetime::Kept, "exec sleep 1000"), &space).expect("starts");
    drop(kept);
    let script = format!("trap '' TERM; {HIDE} sleep 1000; exit 1");
    let mut owned = native.spawn(spec("owned", Lifetime::Owner, &script), &space).expect("starts");
    let mut output = owned.output().expect("is attached");
    assert_eq!(output.next().await.expect("says something").1, "hidden\n");
    writeln!(std::io::stdout(), "ready").expect("writes");
    output.next().await;
}

/// Runs all of the above once more in another way.
fn again(prefix: &[&str]) {
    let mut program = Host::real().executable;
    let readable = |path: &Path| path.metadata().is_ok_and(|facts| facts.permissions().mode() & 1 != 0);
    let folder = tempfile::tempdir().expect("a temporary folder");
    if !program.ancestors().all(readable) {
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("may");
        program = folder.path().join("suite");
        std::fs::copy(Host::real().executable, &program).expect("copies");
    }
    let output = Command::new(prefix[0])
        .args(&prefix[1..])
        .arg(program)
        .args(["native::", "--skip", "native::again_"])
        .current_dir("/")
        .output()
        .expect("runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains(" passed; 0 failed"), "{text}");
}

/// Runs a program and says whether it succeeded; one that is missing did not.
fn works(command: &[&str]) -> bool {
    Command::new(command[0]).args(&command[1..]).output().is_ok_and(|output| output.status.success())
}

fn skip(why: &str) {
    writeln!(std::io::stdout(), "skipped: {why}").expect("writes");
}

#[test]
fn again_as_an_ordinary_user() {
    let prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    if works(&[&prefix[..], &["true"]].concat()) {
        again(&prefix);
    } else {
        skip("this user cannot become another one, and is most likely an ordinary one");
    }
}

#[test]
fn again_without_namespaces() {
    // In a user namespace that allows no further one, without any power.
    let script = "echo 0 > /proc/sys/user/max_user_namespaces && \
                  NATIVE_NONE=1 exec setpriv --bounding-set=-all --inh-caps=-all --ambient-caps=-all \"$0\" \"$@\"";
    let prefix = ["unshare", "--user", "--map-root-user", "sh", "-c", script];
    if works(&[&prefix[..], &["true"]].concat()) {
        again(&prefix);
    } else {
        skip("this kernel allows no user namespaces, so the other tests have shown this case");
    }
}
