//! Runs that are found again: detached ones, those whose owner or supervisor was killed, and logs.

use super::*;
use crate::support::gate::pass_gate;
use cki::model::event::Stream;
use cki::model::log::LogRequest;
use cki::model::port::PublishedPort;
use std::os::unix::fs::FileExt as _;

#[tokio::test]
async fn detached_process_supports_list_logs_exec_and_stop() {
    let (machine, space) = (Machine::new(), Sandbox::new());
    let mut spec =
        machine.shell("echo out; echo err >&2; trap 'echo bye; exit' TERM; while :; do sleep 0.02; done");
    spec.identity.lifetime = Retention::Retained;
    spec.environment = vec![("TOKEN".into(), Secret::new("t0ken"))];
    spec.secret = vec!["TOKEN".into()];
    let port = PublishedPort { local: 2, port: 1, is_http: false };
    spec.ports = vec![port];
    spec.detached = true;
    let mut process = machine.native.spawn(pass_gate(spec.clone()), &space).expect("starts");
    assert!(process.output().is_none());
    drop(process);
    let facts = machine.only();
    assert!(facts.is_alive());
    assert_eq!(facts.identity, spec.identity);
    assert_eq!((&facts.command, &facts.ports, &facts.workdir), (&spec.command, &spec.ports, &spec.workdir));
    let record = std::fs::read_to_string(machine.file(&facts, "process.json")).expect("is there");
    assert!(!record.contains("t0ken"));
    let secrets = machine.native.secrets(&facts).expect("is read");
    assert_eq!(secrets.iter().map(Secret::expose).collect::<Vec<_>>(), ["t0ken"]);

    let words = |command: &[&str]| command.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    let script = "echo $TOKEN; pwd; readlink /proc/self/ns/net; exit 9";
    let mut beside =
        machine.native.exec(&facts, ExecSpec::new(&pass_gate(words(&["sh", "-c", script])))).expect("enters");
    let output = beside.output().expect("is attached");
    let (output, code) = RunningProcess { process: beside, output, seen: String::new() }.end().await;
    let lines: Vec<&str> = output.lines().collect();
    let inside =
        std::fs::read_link(format!("/proc/{}/ns/net", facts.pid().expect("lives"))).expect("is a link");
    let here = machine.directory.path().to_str().expect("is text");
    assert_eq!(lines, ["t0ken", here, inside.to_str().expect("is text")]);
    assert_eq!(code, 9);
    let error = machine
        .native
        .exec(&facts, ExecSpec::new(&pass_gate(words(&["no-such-program"]))))
        .expect_err("is missing");
    assert!(matches!(error, NativeError::MissingProgram { .. }), "{error}");

    assert!(machine.native.prune(|_| true).await.expect("prunes").is_empty(), "the living are left alone");
    let mut log =
        machine.native.logs(&facts, LogRequest { follow: true, ..LogRequest::default() }).expect("has one");
    let mut pieces = vec![log.next().await.expect("says something")];
    let reader = tokio::spawn(async move {
        pieces.extend(log.collect::<Vec<_>>().await);
        pieces
    });
    machine.native.stop(&facts, LIMIT).await.expect("stops");
    machine.native.remove(&facts).await.expect("removes");
    let pieces = reader.await.expect("ends");
    let of = |stream: Stream| -> Vec<u8> {
        pieces.iter().filter(|piece| piece.stream == stream).flat_map(|piece| piece.bytes.to_vec()).collect()
    };
    assert_eq!(String::from_utf8(of(Stream::Stdout)).expect("is text"), "out\nbye\n");
    assert!(of(Stream::Stderr).starts_with(b"err\n"), "{pieces:?}");
    assert!(!facts.is_alive());
    assert!(matches!(
        machine.native.exec(&facts, ExecSpec::new(&pass_gate(words(&["true"])))),
        Err(NativeError::NotRunning { .. })
    ));
    assert!(machine.is_clean());
}

#[tokio::test]
async fn stop_kills_a_process_after_the_grace() {
    let (machine, space) = (Machine::new(), Sandbox::new());
    let mut spec = machine.shell(&format!("trap '' TERM; {HIDE} while :; do sleep 0.02; done"));
    spec.detached = true;
    drop(machine.native.spawn(pass_gate(spec), &space).expect("starts"));
    let facts = machine.only();
    eventually("it hides", || machine.living().len() >= 2).await;
    machine.native.stop(&facts, Duration::from_millis(50)).await.expect("stops");
    machine.native.remove(&facts).await.expect("removes");
    assert!(machine.is_clean());
}

#[tokio::test]
async fn logs_of_an_attached_process_are_its_appended_lines() {
    let (machine, space) = (Machine::new(), Sandbox::new());
    let running = machine.run(machine.shell("exec sleep 1000"), &space);
    let log = running.process.log().expect("has one");
    log.append([(Stream::Stdout, b"one\n".as_slice()), (Stream::Stderr, b"oops\n")]).expect("writes");
    log.append([(Stream::Stdout, b"two\n".as_slice())]).expect("writes");
    let facts = machine.only();
    assert_eq!(running.process.facts().map(|facts| facts.identity.clone()), Some(facts.identity.clone()));
    let mut log = machine.native.logs(&facts, LogRequest::default()).expect("has one");
    for wanted in [(Stream::Stdout, "one\n"), (Stream::Stderr, "oops\n"), (Stream::Stdout, "two\n")] {
        let piece = log.next().await.expect("has three lines");
        assert_eq!((piece.stream, &piece.bytes[..]), (wanted.0, wanted.1.as_bytes()));
    }
    assert!(log.next().await.is_none());
}

#[tokio::test]
async fn log_of_a_detached_process_is_bounded() {
    const WRITTEN: u64 = 60_000_000;
    let machine = Machine::new();
    let script = format!("yes 'some line' | head -c {WRITTEN}; echo; echo end; exec sleep 1000");
    let mut spec = machine.shell(&script);
    spec.detached = true;
    drop(machine.native.spawn(pass_gate(spec), &Sandbox::new()).expect("starts"));
    let facts = machine.only();
    let log = || std::fs::metadata(machine.file(&facts, "log")).expect("is there");
    let is_written = || {
        let mut end = [0; 6];
        let file = std::fs::File::open(machine.file(&facts, "log")).expect("opens");
        let at = file.metadata().expect("is there").len().saturating_sub(6);
        file.read_at(&mut end, at).is_ok() && &end == b"\noend\n"
    };
    eventually("all is written", is_written).await;
    eventually("the log is cut", || log().blocks() * 512 < WRITTEN / 2).await;
    let mut pieces = machine.native.logs(&facts, LogRequest::default()).expect("has one");
    let mut text = String::new();
    while let Some(piece) = pieces.next().await {
        text.push_str(&String::from_utf8_lossy(&piece.bytes));
    }
    assert!(text.len() > 1_000_000 && text.starts_with("some line\n") && text.ends_with("\nend\n"));
    machine.native.stop(&facts, LIMIT).await.expect("stops");
    machine.native.remove(&facts).await.expect("removes");
    assert!(machine.is_clean());
}

#[tokio::test]
async fn prune_keeps_retained_processes_of_a_killed_owner() {
    let machine = Machine::new();
    let mut owner = part::command("native")
        .env(ROLE, "own")
        .env("NATIVE_DIRECTORY", machine.directory.path())
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
        |identity: &ResourceLabels| identity.lifetime == Retention::Owner && !host::is_alive(&identity.owner);
    assert!(machine.native.prune(abandoned).await.expect("prunes").is_empty(), "all is in use");

    owner.kill().expect("kills");
    assert_eq!(owner.wait().expect("is told").signal(), Some(9));
    let of = |lifetime| {
        let all = machine.native.list().expect("lists");
        all.into_iter().find(|facts| facts.identity.lifetime == lifetime)
    };
    eventually("its process ends", || of(Retention::Owner).is_some_and(|facts| !facts.is_alive())).await;
    let report = machine.native.prune(abandoned).await.expect("prunes");
    assert_eq!(report.len(), 1);
    let kept = of(Retention::Retained).expect("stays");
    assert!(kept.is_alive() && of(Retention::Owner).is_none());
    let pid = kept.pid().expect("lives");
    assert_eq!(machine.living(), [pid], "nothing but what was to stay");
    machine.native.stop(&kept, LIMIT).await.expect("stops");
    machine.native.remove(&kept).await.expect("removes");
    assert!(machine.is_clean());
}

#[tokio::test]
async fn prune_ends_processes_of_a_killed_supervisor() {
    let (machine, space) = (Machine::new(), Sandbox::new());
    let mut spec = machine.shell(&format!("{HIDE} sleep 1000"));
    spec.detached = true;
    drop(machine.native.spawn(pass_gate(spec), &space).expect("starts"));
    let facts = machine.only();
    eventually("it hides", || machine.living().len() >= 2).await;
    let supervisor = machine.supervisor(&facts);
    // A bystander with nearly the same home.
    let home = machine.directory.path().join("cki/native/home");
    let mut bystander = Command::new("sleep").arg("1000").env("HOME", &home).spawn().expect("starts");
    assert!(Command::new("kill").args(["-9", &supervisor]).status().expect("runs").success());
    eventually("it is dead", || !facts.is_alive()).await;
    assert_eq!(machine.native.prune(|_| true).await.expect("prunes").len(), 1);
    assert_eq!(machine.living(), [bystander.id()]);
    bystander.kill().expect("kills");
    bystander.wait().expect("is told");
    assert!(machine.is_clean());
}
