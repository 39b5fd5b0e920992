//! Starting, stopping and ending.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cki::host::Env;
use cki::model::container::{Publish, Status};
use cki::systems::engine::{EngineChoice, EngineError, discover};

use super::lab::{Lab, eventually, until, words};
use super::on_both;
use crate::support::proxy::{Hold, Proxy};

on_both!(
    wait_and_attach_give_exit_code_and_output,
    attach_delivers_large_output_completely,
    stop_ends_a_container_and_wait_returns_its_code,
    stop_kills_a_container_after_the_grace,
    wait_reports_exited_unstarted_and_removed_containers,
    engine_reports_version_and_reachability,
    missing_images_and_containers_are_not_found,
    start_names_a_port_that_is_taken,
    start_reports_a_program_that_cannot_run,
    create_refuses_a_name_that_is_taken,
);

async fn wait_and_attach_give_exit_code_and_output(lab: Arc<Lab>) {
    for round in 0..20 {
        let (code, out, err) = lab.run_to_exit(&lab.shell("echo hi; echo oh >&2; printf end; exit 3")).await;
        assert_eq!((code, out.as_str(), err.as_str()), (3, "hi\nend", "oh\n"), "round {round}");
    }
}

async fn attach_delivers_large_output_completely(lab: Arc<Lab>) {
    let (code, out, _) = lab.run_to_exit(&lab.shell("seq 1 200000")).await;
    assert_eq!(code, 0);
    let expected: String = (1..=200_000).map(|number| format!("{number}\n")).collect();
    assert!(out == expected, "{} of {} bytes", out.len(), expected.len());
}

async fn stop_ends_a_container_and_wait_returns_its_code(lab: Arc<Lab>) {
    let spec = lab.shell("trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.1; done");
    let id = lab.engine.create(&spec).await.expect("creates");
    let mut output = lab.engine.attach(&id).await.expect("attaches");
    lab.start(&id).await.expect("starts");
    lab.start(&id).await.expect("a second start is no error");
    until(&mut output, "up").await;
    let all = lab.engine.list(Some(&lab.run)).await.expect("lists");
    assert_eq!((all.len(), &all[0].status, all[0].name.as_str()), (1, &Status::Running, spec.name.as_str()));
    assert_eq!(all[0].image, super::lab::BOX);
    assert_eq!(all[0].labels.get("cki.component").map(String::as_str), Some("service/test"));
    let (stopped, code) = tokio::join!(lab.engine.stop(&id, Duration::from_secs(10)), lab.engine.wait(&id));
    stopped.expect("stops");
    assert_eq!(code.expect("ends"), 5);
    until(&mut output, "bye").await;
    assert!(output.next().await.is_none());
    lab.engine.stop(&id, Duration::from_secs(1)).await.expect("a second stop is no error");
    let all = lab.engine.list(Some(&lab.run)).await.expect("lists");
    assert_eq!(all[0].status, Status::Exited(5));
}

async fn stop_kills_a_container_after_the_grace(lab: Arc<Lab>) {
    let deaf = lab.engine.create(&lab.shell("trap '' TERM; echo up; while :; do sleep 0.1; done")).await;
    let deaf = deaf.expect("creates");
    let mut output = lab.engine.attach(&deaf).await.expect("attaches");
    lab.start(&deaf).await.expect("starts");
    until(&mut output, "up").await;
    let began = Instant::now();
    lab.engine.stop(&deaf, Duration::from_secs(1)).await.expect("stops");
    assert!(began.elapsed() < Duration::from_secs(20));
    assert_eq!(lab.engine.wait(&deaf).await.expect("has ended"), 137);
    // Process 1 of its own would ignore the signal: there is an init before it.
    let plain = lab.engine.create(&lab.shell("echo up; exec sleep 1000")).await.expect("creates");
    let mut output = lab.engine.attach(&plain).await.expect("attaches");
    lab.start(&plain).await.expect("starts");
    // Before it is up, the init may not listen yet.
    until(&mut output, "up").await;
    lab.engine.stop(&plain, Duration::from_secs(20)).await.expect("stops");
    assert_eq!(lab.engine.wait(&plain).await.expect("has ended"), 143);
    let killed = lab.create_and_start(&lab.shell("sleep 1000")).await;
    lab.engine.kill(&killed).await.expect("kills");
    assert_eq!(lab.engine.wait(&killed).await.expect("has ended"), 137);
    lab.engine.kill(&killed).await.expect("a second kill is no error");
}

async fn wait_reports_exited_unstarted_and_removed_containers(lab: Arc<Lab>) {
    let id = lab.engine.create(&lab.shell("exit 4")).await.expect("creates");
    assert!(matches!(lab.engine.wait(&id).await, Err(EngineError::NotStarted { .. })));
    lab.start(&id).await.expect("starts");
    for _ in 0..3 {
        assert_eq!(lab.engine.wait(&id).await.expect("ends"), 4, "as often as it is asked");
    }
    let zero = lab.create_and_start(&lab.shell("sleep 0.3")).await;
    assert_eq!(lab.engine.wait(&zero).await.expect("ends"), 0);
    // Removed while somebody waits: the engine has been asked before.
    let gone = lab.create_and_start(&lab.shell("sleep 1000")).await;
    let directory = tempfile::tempdir().expect("a temporary directory");
    let proxy = Proxy::holding(
        lab.engine.address(),
        &directory.path().join("engine.sock"),
        Hold::Nothing("POST /wait"),
    );
    eventually("the proxy listens", || async { proxy.listens() }).await;
    let found = discover(&Env::new([("DOCKER_HOST", proxy.address())]), EngineChoice::Auto).await;
    let engine = found.engine.expect("answers");
    let (ended, removed) = tokio::join!(engine.wait(&gone), async {
        eventually("the engine is asked", || async { proxy.holds() }).await;
        lab.engine.remove(&gone).await
    });
    removed.expect("removes");
    // The engine kills it before it removes it, and tells one of the two.
    match ended {
        Ok(code) => assert_eq!(code, 137),
        Err(error) => assert!(error.is_not_found(), "{error}"),
    }
    assert!(lab.engine.wait(&gone).await.expect_err("is gone").is_not_found());
}

async fn engine_reports_version_and_reachability(lab: Arc<Lab>) {
    lab.engine.ping().await.expect("answers");
    assert!(lab.engine.address().starts_with("unix://"));
    assert!(lab.engine.version().starts_with(|c: char| c.is_ascii_digit()), "{}", lab.engine.version());
    let rootless = lab.engine.is_rootless().await.expect("answers");
    assert_eq!(lab.engine.reaches_containers().await.expect("answers"), !rootless);
}

async fn missing_images_and_containers_are_not_found(lab: Arc<Lab>) {
    let mut spec = lab.shell("true");
    spec.image = "cki-test/nope:1".to_owned();
    let error = lab.engine.create(&spec).await.expect_err("there is no such image");
    assert_eq!(error.to_string(), "there is no image `cki-test/nope:1` on the container engine");
    spec.image = "no/../thing?".to_owned();
    assert!(matches!(lab.engine.create(&spec).await, Err(EngineError::Invalid { .. })));
    let nobody = "0".repeat(64);
    assert!(lab.start(&nobody).await.expect_err("is not there").is_not_found());
    assert!(lab.engine.inside(&nobody).await.expect_err("is not there").is_not_found());
    assert!(lab.engine.wait(&nobody).await.expect_err("is not there").is_not_found());
    assert!(lab.engine.logs(&nobody, Default::default()).await.expect_err("is not there").is_not_found());
    lab.engine.stop(&nobody, Duration::from_secs(1)).await.expect("is stopped enough");
    lab.engine.kill(&nobody).await.expect("is dead enough");
    lab.engine.remove(&nobody).await.expect("is removed enough");
    lab.engine.remove_network(&nobody).await.expect("is removed enough");
}

async fn start_names_a_port_that_is_taken(lab: Arc<Lab>) {
    let network = lab.engine.create_network(&lab.name(), lab.labels(), false).await.expect("creates");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
    let port = taken.local_addr().expect("has one").port();
    for attached in [false, true] {
        let mut spec = lab.shell("sleep 1000");
        spec.network = Some((network.clone(), Vec::new()));
        spec.publish = vec![Publish { container: 80, host: Some(port) }];
        let id = lab.engine.create(&spec).await.expect("creates");
        let result = async {
            let output = if attached { Some(lab.engine.attach(&id).await?) } else { None };
            lab.start(&id).await.map(|()| output)
        };
        let error = result.await.expect_err("the port is taken");
        assert!(
            matches!(error, EngineError::PortTaken { port: Some(named), .. } if named == port),
            "{error}"
        );
        lab.engine.remove(&id).await.expect("removes");
    }
}

async fn start_reports_a_program_that_cannot_run(lab: Arc<Lab>) {
    for attached in [false, true] {
        for (program, is_there) in
            [("no-such-program", false), ("/bin/no-such-program", false), ("/etc", true)]
        {
            let mut spec = lab.shell("");
            spec.command = Some(words(&[program]));
            let id = lab.engine.create(&spec).await.expect("creates");
            let result = async {
                let _output = if attached { Some(lab.engine.attach(&id).await?) } else { None };
                lab.start(&id).await?;
                lab.engine.wait(&id).await
            };
            match result.await.expect_err(program) {
                EngineError::NoProgram { message, .. } if !is_there => assert!(!message.is_empty()),
                EngineError::NotExecutable { message, .. } if is_there => assert!(!message.is_empty()),
                error => panic!("{program}: {error}"),
            }
            lab.engine.remove(&id).await.expect("removes");
        }
    }
    for code in [1, 126, 127] {
        let (ended, ..) = lab.run_to_exit(&lab.shell(&format!("echo gone wrong >&2; exit {code}"))).await;
        assert_eq!(ended, code, "a program that ran has a code");
    }
}

async fn create_refuses_a_name_that_is_taken(lab: Arc<Lab>) {
    let spec = lab.shell("true");
    let id = lab.engine.create(&spec).await.expect("creates");
    let error = lab.engine.create(&spec).await.expect_err("the name is taken");
    assert!(matches!(error, EngineError::NameTaken { ref name, .. } if *name == spec.name), "{error}");
    let (one, two) = tokio::join!(lab.engine.remove(&id), lab.engine.remove(&id));
    one.and(two).expect("both are content");
    lab.engine.create(&spec).await.expect("the name is free again");
}
