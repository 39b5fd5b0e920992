//! Tests of runs whose containers cannot reach each other because the machine's firewall drops traffic within a
//! network: the run reports it, and so does the demo. Each test has an engine and a firewall of its own.

use insta::assert_snapshot;

use super::app;
use crate::support::cli::Cli;
use crate::support::engine::Engine;
use crate::support::firewalled_engine::FirewalledEngine;

/// A component that asks another for something, and has nothing against getting nothing.
fn pair(cli: &Cli) {
    let ask = "printf 'GET /x HTTP/1.0\\r\\n\\r\\n' | nc -w 20 web 8000 | tail -n 1; echo done";
    app(cli, "job", ask, "needs: [web]");
    let web = serde_json::json!(["sh", "-c", "echo hello > /tmp/x; exec httpd -f -p 8000 -h /tmp"]);
    cli.inventory_more(&format!(
        "  - {{name: web, category: x, image: '{{busybox}}', run: {{command: {web}, ready: {{http: /x, port: 8000}}}}}}\n"
    ));
}

fn firewalled(kind: Engine) -> (FirewalledEngine, Cli) {
    assert_eq!(
        FirewalledEngine::missing_prerequisite(kind),
        None,
        "an engine behind a firewall of its own can be had"
    );
    let engine = FirewalledEngine::start(kind);
    let cli = Cli::at(kind, engine.address());
    pair(&cli);
    (engine, cli)
}

/// The commands in the hints of an error.
fn remedies(text: &str) -> Vec<String> {
    let hints = text.lines().filter_map(|line| line.strip_prefix("hint: `"));
    hints.filter_map(|hint| Some(hint.split_once('`')?.0.to_owned())).collect()
}

#[test]
#[ignore = "needs root, Podman and iptables (bash tests/run)"]
fn run_local_podman_names_the_blocking_firewall_policy() {
    let (engine, cli) = firewalled(Engine::Podman);
    let run = cli.run("run-local app");
    let typed = remedies(&run.stderr);
    assert_snapshot!(run, @"
    --- stderr
      env          1 variable: 1 locked
      network      isolated: it reaches web and nothing else
      web          ready
    error: `app` and `web` cannot reach each other on the run's network: this machine's firewall drops traffic within a network, since `net.bridge.bridge-nf-call-iptables` is 1 and the policy of the chain FORWARD is DROP.
    hint: `iptables -I FORWARD -m physdev --physdev-is-bridged -j ACCEPT` as root lets containers of one network reach each other.
    hint: `sysctl -w net.bridge.bridge-nf-call-iptables=0` does so for all networks, and keeps their internal traffic from the firewall.
    --- exit 6
    ");
    assert_eq!(cli.leftovers(), [""; 0]);
    let doctor = cli.run("doctor --offline -o json").json();
    let checks = doctor["checks"].as_array().expect("has checks");
    let network = checks.iter().find(|check| check["name"] == "network").expect("is there");
    assert_eq!(network["state"], "failed", "{network}");
    assert_eq!(network["fix"], typed[0].as_str(), "{network}");
    let demo = cli.run("demo").ends_with(6);
    demo.says("cannot reach each other on the run's network")
        .says("`cki run-local pipeline-herder` did not end");
    let undo = ["iptables -F FORWARD", "sysctl -q -w net.bridge.bridge-nf-call-iptables=1"];
    for (remedy, undo) in typed.iter().zip(undo) {
        engine.run_command(remedy);
        assert_eq!(cli.run("run-local app").ends_with(0).stdout, "hello\ndone\n", "{remedy}");
        engine.run_command(undo);
    }
    cli.run("run-local app").ends_with(6).says("the policy of the chain FORWARD is DROP");
    // A container alone has nobody to reach.
    app(&cli, "job", "echo alone", "");
    assert_eq!(cli.run("run-local app").ends_with(0).stdout, "alone\n");
}

#[test]
#[ignore = "needs root, Docker and iptables (bash tests/run)"]
fn run_local_docker_names_the_blocking_firewall_rule() {
    let (engine, cli) = firewalled(Engine::Docker);
    // Docker writes the rules that its networks need, and the policy is in nobody's way.
    assert_eq!(cli.run("run-local app").ends_with(0).stdout, "hello\ndone\n");
    engine.run_command("iptables -I DOCKER-USER -m physdev --physdev-is-bridged -j DROP");
    let run = cli.run("run-local app").ends_with(6);
    let typed = remedies(&run.stderr);
    let run = run.says("the rule `-A DOCKER-USER -m physdev --physdev-is-bridged -j DROP` is in the way");
    run.says("error: `app` and `web` cannot reach each other on the run's network");
    assert_eq!(cli.leftovers(), [""; 0]);
    engine.run_command(&typed[0]);
    assert_eq!(cli.run("run-local app").ends_with(0).stdout, "hello\ndone\n");
}
