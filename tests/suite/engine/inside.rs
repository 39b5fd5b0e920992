//! Surroundings of a process in a container: environment, files, limits, network.

use std::sync::Arc;
use std::time::Duration;

use cki::base::secret::Secret;
use cki::model::container::{ContainerFile, Limits, Publish};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use super::lab::{Lab, eventually};
use super::on_both;

on_both!(
    container_environment_is_exact,
    container_files_keep_modes_of_existing_directories,
    container_limits_are_applied,
    container_overrides_entrypoint_workdir_and_command,
    containers_reach_each_other_by_alias_and_port,
    container_without_a_network_has_loopback_only,
);

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, Secret)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect()
}

async fn container_environment_is_exact(lab: Arc<Lab>) {
    let pairs = [
        ("EMPTY", ""),
        ("QUOTES", "it's \"so\" $HOME `x` \\n"),
        ("LINES", "a\nb\n\nc"),
        ("UMLAUT", "grün ☺"),
        ("EQUALS", "a=b=c"),
        ("HOME", "/elsewhere"),
        ("BAKED", "over"),
    ];
    let mut spec = lab.shell("for n in EMPTY QUOTES LINES UMLAUT EQUALS HOME BAKED; do eval \"printf '%s\\\\0' \\\"\\$$n\\\"\"; done");
    spec.environment = variables(&pairs);
    let id = lab.engine.create(&spec).await.expect("creates");
    let inside = lab.engine.inside(&id).await.expect("is there");
    for (name, value) in pairs {
        assert_eq!(inside.environment.get(name).map(String::as_str), Some(value), "{name}");
    }
    lab.engine.remove(&id).await.expect("removes");
    let (code, out, err) = lab.run_to_exit(&spec).await;
    assert_eq!((code, err.as_str()), (0, ""));
    let values: Vec<&str> = out.split_terminator('\0').collect();
    assert_eq!(values, pairs.map(|(_, value)| value));
    let mut names = lab.shell("env | cut -d= -f1 | sort | tr '\\n' ' '");
    names.environment = variables(&[("MINE", "1")]);
    let (_, out, _) = lab.run_to_exit(&names).await;
    let foreign: Vec<&str> = out
        .split(' ')
        .filter(|name| {
            !["", "BAKED", "HOME", "HOSTNAME", "MINE", "PATH", "PWD", "SHLVL", "TERM", "container"]
                .contains(name)
        })
        .collect();
    assert!(foreign.is_empty(), "{foreign:?}");
}

async fn container_files_keep_modes_of_existing_directories(lab: Arc<Lab>) {
    let file = |path: &str, text: &str, mode: u32| ContainerFile {
        path: path.to_owned(),
        content: Secret::new(text),
        mode,
    };
    let mut spec = lab.shell(
        "stat -c '%a %u:%g %n' /tmp /new/deep /new/deep/key /tmp/plain /data/in; cat /new/deep/key /tmp/plain /data/in",
    );
    spec.files = vec![
        file("/new/deep/key", "k\n", 0o600),
        file("/tmp/plain", "p\n", 0o644),
        file("/data/in", "d\n", 0o640),
    ];
    spec.volumes = vec!["/data".to_owned()];
    for read_only in [false, true] {
        spec.limits.read_only = read_only;
        spec.name = lab.name();
        let (code, out, err) = lab.run_to_exit(&spec).await;
        assert_eq!((code, err.as_str()), (0, ""));
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(
            lines,
            [
                "1777 0:0 /tmp",
                "755 0:0 /new/deep",
                "600 0:0 /new/deep/key",
                "644 0:0 /tmp/plain",
                "640 0:0 /data/in",
                "k",
                "p",
                "d"
            ]
        );
    }
    // Where secrets are put, below a directory for what is temporary.
    let mut secret = lab.shell("cat /run/secrets/a; touch /run/x && touch /x");
    secret.files = vec![file("/run/secrets/a", "s\n", 0o400)];
    secret.limits.read_only = true;
    let (code, out, err) = lab.run_to_exit(&secret).await;
    assert_eq!((code, out.as_str(), err.as_str()), (1, "s\n", "touch: /x: Read-only file system\n"));
    assert!(
        lab.engine
            .volumes()
            .await
            .expect("lists")
            .iter()
            .all(|volume| { volume.labels.get("cki.run") != Some(&lab.run.to_string()) })
    );
}

async fn container_limits_are_applied(lab: Arc<Lab>) {
    let mut spec = lab.shell(
        "grep -E '^(CapEff|NoNewPrivs)' /proc/self/status; cat /proc/1/comm; ulimit -n >/dev/null && echo ok",
    );
    spec.limits =
        Limits { unprivileged: true, memory: Some(64 << 20), processes: Some(50), ..Limits::default() };
    let (code, out, _) = lab.run_to_exit(&spec).await;
    assert_eq!(code, 0);
    assert!(out.contains("CapEff:\t0000000000000000") && out.contains("NoNewPrivs:\t1"), "{out}");
    assert!(!out.contains("\nsh\n"), "there is an init: {out}");
    // More processes than it may have.
    spec.command =
        Some(super::lab::words(&["sh", "-c", "for i in $(seq 100); do sleep 5 & done; echo survived"]));
    spec.name = lab.name();
    let (code, out, err) = lab.run_to_exit(&spec).await;
    assert!(code != 0 && !out.contains("survived") && err.contains("fork"), "{code} {out} {err}");
}

async fn container_overrides_entrypoint_workdir_and_command(lab: Arc<Lab>) {
    let mut spec = lab.shell("");
    spec.entrypoint = Some(super::lab::words(&["echo", "entry"]));
    spec.command = Some(super::lab::words(&["a b", "$HOME", ""]));
    assert_eq!(lab.run_to_exit(&spec).await.1, "entry a b $HOME \n");
    let mut spec = lab.shell("pwd");
    spec.entrypoint = Some(Vec::new());
    spec.workdir = Some("/made/here".to_owned());
    assert_eq!(lab.run_to_exit(&spec).await.1, "/made/here\n");
}

async fn containers_reach_each_other_by_alias_and_port(lab: Arc<Lab>) {
    for internal in [false, true] {
        let name = lab.name();
        let network = lab.engine.create_network(&name, lab.labels(), internal).await.expect("creates");
        let listed = lab.engine.networks().await.expect("lists");
        assert!(listed.iter().any(|one| one.id == network && one.name == name), "{listed:?}");
        let mut server = lab.shell("while :; do echo served | nc -l -p 7000; done");
        server.network = Some((network.clone(), vec!["db".to_owned(), "db.example.internal".to_owned()]));
        server.publish = vec![Publish { container: 7000, host: None }];
        let id = lab.create_and_start(&server).await;
        for alias in ["db", "db.example.internal"] {
            let mut client = lab.shell(&format!(
                "for i in $(seq 100); do nc {alias} 7000 </dev/null 2>/dev/null && exit 0; sleep 0.1; done; exit 1"
            ));
            client.network = Some((network.clone(), Vec::new()));
            let (code, out, err) = lab.run_to_exit(&client).await;
            assert_eq!((code, out.as_str()), (0, "served\n"), "{alias} {err}");
        }
        let inside = lab.engine.inside(&id).await.expect("is there");
        if lab.engine.reaches_containers().await.expect("answers") {
            let address = inside.address.expect("has an address");
            eventually("we reach its address", || answers((address, 7000).into())).await;
        }
        if !internal {
            let &[(7000, port)] = inside.ports.as_slice() else { panic!("{:?}", inside.ports) };
            eventually("we reach its port", || answers(([127, 0, 0, 1], port).into())).await;
            let facts = lab.engine.list(Some(&lab.run)).await.expect("lists");
            assert!(facts.iter().any(|one| one.ports == [(7000, port)]), "{facts:?}");
        }
        lab.engine.remove(&id).await.expect("removes");
        lab.engine.remove_network(&network).await.expect("removes");
    }
}

async fn answers(address: std::net::SocketAddr) -> bool {
    let read = async {
        let mut text = String::new();
        TcpStream::connect(address).await?.read_to_string(&mut text).await?;
        Ok::<_, std::io::Error>(text)
    };
    tokio::time::timeout(Duration::from_secs(2), read)
        .await
        .is_ok_and(|text| text.is_ok_and(|t| t == "served\n"))
}

async fn container_without_a_network_has_loopback_only(lab: Arc<Lab>) {
    let (code, out, _) =
        lab.run_to_exit(&lab.shell("tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '")).await;
    assert_eq!(code, 0);
    let devices: Vec<&str> =
        out.lines().filter(|name| !["sit0", "tunl0", "ip6tnl0"].contains(name)).collect();
    assert_eq!(devices, ["lo"]);
}
