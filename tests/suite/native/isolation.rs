//! View of a process: environment, home, files, network, other processes.

use super::*;
use crate::support::gate::pass_gate;

#[tokio::test]
async fn process_environment_is_exactly_the_requested_one() {
    let machine = Machine::new();
    let mut spec = machine.spec("env", &["/usr/bin/env"]);
    spec.environment = vec![("A".into(), Secret::new("1 2\n3")), ("LC_ALL".into(), Secret::new("C"))];
    let (output, code) = machine.run(spec, &Sandbox::new()).end().await;
    let mut lines: Vec<&str> = output.lines().collect();
    lines.sort_unstable();
    let path = Host::real().env.get("PATH").unwrap_or("/usr/bin:/bin").to_owned();
    let run = RunId::new(b"run");
    let home = format!("HOME={}/cki/native/{run}.env/home", machine.directory.path().display());
    let path = format!("PATH={path}");
    assert_eq!(lines, ["3", "A=1 2", &home, "LC_ALL=C", &path, "TERM=xterm"]);
    assert_eq!(code, 0);
    assert!(machine.is_clean());
}

#[tokio::test]
async fn process_has_its_own_home_no_open_files_and_no_terminal() {
    let machine = Machine::new();
    let script = "stat -c %a $HOME; touch $HOME/x; pwd; ls /proc/self/fd; readlink /proc/self/fd/0; \
                  test \"$(cut -d' ' -f7 /proc/self/stat)\" = 0 && echo no terminal; ulimit -c; echo e >&2";
    let mut process =
        machine.native.spawn(pass_gate(machine.shell(script)), &Sandbox::new()).expect("starts");
    let mut output = process.output().expect("is attached");
    let (mut stdout, mut stderr) = (String::new(), String::new());
    while let Some((stream, bytes)) = output.next().await {
        let target = if stream == Stream::Stdout { &mut stdout } else { &mut stderr };
        target.push_str(&String::from_utf8_lossy(&bytes));
    }
    let lines: Vec<&str> = stdout.lines().collect();
    let here = machine.directory.path().to_str().expect("is text");
    // Number 3 is the directory that `ls` reads.
    assert_eq!(lines[..8], ["700", here, "0", "1", "2", "3", "/dev/null", "no terminal"], "{stdout}");
    assert_eq!(stderr, "e\n");
    assert_eq!(process.wait().await.expect("is told"), 0);
    assert_eq!(process.wait().await.expect("is told again"), 0);
    process.kill().expect("is none the worse");
    drop(process);
    assert!(machine.is_clean());
}

#[tokio::test]
async fn process_cannot_read_its_parent() {
    let machine = Machine::new();
    // Its parent is a fork of this program. Where it sees the machine's processes, so is this one.
    let script = format!(
        "for p in $PPID {}; do \
           test -d /proc/$p || continue; echo looked; \
           (tr '\\0' '\\n' </proc/$p/environ | grep = && echo environment) 2>/dev/null; \
           (exec 5</proc/$p/mem && echo memory) 2>/dev/null; \
         done; \
         tr -d '\\0' </proc/$PPID/cmdline; \
         sed -n 's/^Cap\\(Prm\\|Eff\\|Amb\\):\\t//p' /proc/self/status",
        std::process::id(),
    );
    let space = Sandbox::new();
    let (output, _) = machine.run(machine.shell(&script), &space).end().await;
    let (looked, rest): (Vec<&str>, Vec<&str>) = output.lines().partition(|line| *line == "looked");
    assert!(!looked.is_empty(), "{output}");
    assert_eq!(rest, ["0000000000000000"; 3], "neither environment nor memory nor capabilities: {output}");
    let mut beside =
        machine.native.spawn(pass_gate(machine.spec("sleep", &["sleep", "60"])), &space).expect("starts");
    drop(beside.output());
    let supervisor = machine.supervisor(&machine.only());
    let arguments = std::fs::read(format!("/proc/{supervisor}/cmdline")).expect("is there");
    let shown = String::from_utf8_lossy(&arguments);
    assert_eq!(shown.trim_matches('\0'), "", "`ps` shows everybody the arguments of a process");
}

#[tokio::test]
async fn process_network_is_isolated_where_the_kernel_can() {
    let (machine, space) = (Machine::new(), Sandbox::new());
    // The kernel's own answer, so that a sandbox that gives up the isolation fails.
    let can = |flag: &&str| {
        let made = Command::new("unshare").args([*flag, "true"]).stderr(Stdio::null()).status();
        made.expect("has `unshare` of util-linux").success()
    };
    assert_eq!(isolated(&space, "network"), ["-n", "-rn"].iter().any(can), "{:?}", space.isolation());
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
async fn connect_reaches_ports_of_the_run_network() {
    let (machine, space) = (Machine::new(), Sandbox::new());
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

    if isolated(&space, "network") {
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "no port is published unless requested");
        let (output, _) = machine.run(machine.part("connect", port), &Sandbox::new()).end().await;
        assert!(output.contains("refused"), "another run does not reach it: {output}");
    }
}

#[tokio::test]
async fn process_may_listen_on_privileged_ports() {
    let (machine, space) = (Machine::new(), Sandbox::new());
    // In the network of this machine, its own rule holds.
    let may = isolated(&space, "network") || TcpListener::bind(("127.0.0.1", 80)).is_ok();
    let mut server = machine.run(machine.part("listen", 80), &space);
    if may {
        server.until("listening").await;
        space.connect(80).await.expect("somebody listens");
    } else {
        let (output, code) = server.end().await;
        assert!(code != 0 && !output.contains("listening"), "{output}");
    }
}

#[tokio::test]
async fn isolation_report_matches_the_process() {
    let space = Sandbox::new();
    let all: BTreeMap<_, _> =
        space.isolation().into_iter().map(|(what, state)| (what.to_string(), state)).collect();
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
    let user = machine.directory.path().metadata().expect("is there").uid();
    assert_eq!(output.lines().last(), Some(user.to_string().as_str()));
    if Host::real().env.get(NONE).is_some() {
        assert!(all["network"].is_err() && all["processes"].is_err(), "{all:?}");
    }
    if let Err(reason) = &all["network"] {
        assert!(reason.starts_with("it uses this machine's: the kernel refuses"), "{reason}");
    }
}
