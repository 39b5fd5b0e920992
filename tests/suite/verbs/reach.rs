//! A run whose containers cannot reach each other: on a machine whose firewall drops what goes on
//! within a network, nothing is run in silence. Each test has an engine and a firewall of its own.

use insta::assert_snapshot;

use super::app;
use crate::support::cli::Cli;
use crate::support::engine::Engine;
use crate::support::fenced::Fenced;
use crate::support::skip;

/// A component that asks another for something, and has nothing against getting nothing.
fn pair(cli: &Cli) {
    let ask = "printf 'GET /x HTTP/1.0\\r\\n\\r\\n' | nc -w 20 web 8000 | tail -n 1; echo done";
    app(cli, "job", ask, "needs: [web]");
    let web = serde_json::json!(["sh", "-c", "echo hello > /tmp/x; exec httpd -f -p 8000 -h /tmp"]);
    cli.inventory_more(&format!(
        "  - {{name: web, category: x, image: '{{busybox}}', run: {{command: {web}, ready: {{http: /x, port: 8000}}}}}}\n"
    ));
}

fn fenced(what: &str, engine: Engine) -> Option<(Fenced, Cli)> {
    if let Some(why) = Fenced::lacks(engine) {
        skip(what, &why);
        return None;
    }
    let fenced = Fenced::start(engine);
    let cli = Cli::at(engine, fenced.address());
    pair(&cli);
    Some((fenced, cli))
}

/// The commands in the hints of an error.
fn remedies(text: &str) -> Vec<String> {
    let hints = text.lines().filter_map(|line| line.strip_prefix("hint: `"));
    hints.filter_map(|hint| Some(hint.split_once('`')?.0.to_owned())).collect()
}

#[test]
fn a_podman_run_whose_containers_cannot_reach_each_other_says_what_is_in_the_way() {
    let Some((fenced, cli)) = fenced("a firewall before Podman", Engine::Podman) else { return };
    let run = cli.run("run-local app");
    let typed = remedies(&run.stderr);
    assert_snapshot!(run, @"");
    assert_eq!(cli.left(), [""; 0]);
    let doctor = cli.run("doctor --offline -o json").json();
    let checks = doctor["checks"].as_array().expect("has checks");
    let network = checks.iter().find(|check| check["name"] == "network").expect("is there");
    assert_eq!(network["state"], "failed", "{network}");
    assert_eq!(network["fix"], typed[0].as_str(), "{network}");
    // A network that is open has the same bridge in it.
    cli.run("run-local app --network internet").ends_with(6).says("cannot reach each other");
    // A container alone has nobody to reach.
    cli.run("run-local web --once").fails().says("`web`");
    let undo = ["iptables -F FORWARD", "sysctl -q -w net.bridge.bridge-nf-call-iptables=1"];
    for (remedy, undo) in typed.iter().zip(undo) {
        fenced.type_in(remedy);
        assert_eq!(cli.run("run-local app").ends_with(0).stdout, "hello\ndone\n", "{remedy}");
        fenced.type_in(undo);
    }
    cli.run("run-local app").ends_with(6).says("the policy of the chain FORWARD is DROP");
}

#[test]
fn a_docker_run_whose_containers_cannot_reach_each_other_says_what_is_in_the_way() {
    let Some((fenced, cli)) = fenced("a firewall before Docker", Engine::Docker) else { return };
    // Docker writes the rules that its networks need, and the policy is in nobody's way.
    assert_eq!(cli.run("run-local app").ends_with(0).stdout, "hello\ndone\n");
    fenced.type_in("iptables -I FORWARD -m physdev --physdev-is-bridged -j DROP");
    let run = cli.run("run-local app").ends_with(6);
    let typed = remedies(&run.stderr);
    let run = run.says("the rule `-A FORWARD -m physdev --physdev-is-bridged -j DROP` is in the way");
    run.says("error: `app` and `web` cannot reach each other on the run's network");
    assert_eq!(cli.left(), [""; 0]);
    fenced.type_in(&typed[0]);
    assert_eq!(cli.run("run-local app").ends_with(0).stdout, "hello\ndone\n");
}
