//! Start and end of processes, without leftovers.

use super::*;
use crate::support::gate::pass_gate;

#[tokio::test]
async fn spawn_reports_exit_codes() {
    let (machine, space) = (Machine::new(), Sandbox::new());
    for (script, expected) in [("exit 0", 0), ("exit 3", 3), ("exit 255", 255), ("kill -9 $$", 137)] {
        let (_, code) = machine.run(machine.shell(script), &space).end().await;
        assert_eq!(code, expected, "{script}");
    }
    let script = "kill -s TERM $$; sleep 1000";
    assert_eq!(machine.run(machine.shell(script), &space).end().await.1, 143);
    assert!(machine.is_clean());
}

#[tokio::test]
async fn spawn_reports_start_errors_and_leaves_nothing() {
    let (machine, space) = (Machine::new(), Sandbox::new());
    let here = machine.directory.path();
    std::fs::write(here.join("plain"), "").expect("writes");
    std::fs::write(here.join("script"), "#!/no/such/interpreter\n").expect("writes");
    std::fs::set_permissions(here.join("script"), std::fs::Permissions::from_mode(0o755)).expect("may");
    let try_it = |command: &[&str]| machine.native.spawn(pass_gate(machine.spec("x", command)), &space);
    assert!(matches!(try_it(&["no-such-program"]), Err(NativeError::MissingProgram { .. })));
    assert!(matches!(try_it(&["./plain"]), Err(NativeError::NotExecutable { .. })));
    assert!(matches!(try_it(&[]), Err(NativeError::EmptyCommand { .. })));
    let error = try_it(&["./script"]).expect_err("cannot run");
    assert!(matches!(error, NativeError::Start { .. }), "{error}");
    assert!(error.to_string().contains("interpreter"), "{error}");
    let mut spec = machine.shell("true");
    spec.workdir = here.join("none");
    assert!(matches!(machine.native.spawn(pass_gate(spec), &space), Err(NativeError::MissingWorkdir { .. })));
    assert!(machine.is_clean());
    let first = machine.run(machine.shell("sleep 1000"), &space);
    assert!(matches!(
        machine.native.spawn(pass_gate(machine.shell("sleep 1000")), &space),
        Err(NativeError::Exists { .. })
    ));
    drop(first);
    assert!(machine.is_clean());
}

#[tokio::test]
async fn terminate_asks_and_kill_forces() {
    let (machine, space) = (Machine::new(), Sandbox::new());
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

#[tokio::test]
async fn processes_in_new_sessions_end_with_their_parent() {
    let (machine, space) = (Machine::new(), Sandbox::new());
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
async fn kill_ends_processes_that_keep_forking() {
    let (machine, space) = (Machine::new(), Sandbox::new());
    let script =
        format!("{HIDE} f() {{ while :; do (setsid sleep 1000 &); sleep 0.01; done; }}; f & f & f & wait");
    let mut running = machine.run(machine.shell(&script), &space);
    running.until("hidden").await;
    eventually("many processes", || machine.living().len() > 40).await;
    drop(running);
    assert!(machine.is_clean(), "{:?}", machine.living());
}
