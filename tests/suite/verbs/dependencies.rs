//! Tests of `cki run-local` with dependencies and with an engine: a component reaches its dependencies and nothing
//! else, and missing ones are reported.

use std::time::{Duration, Instant};

use insta::assert_snapshot;
use nix::sys::signal::Signal;

use super::app;
use crate::support::cli::Cli;
use crate::support::engine::{Engine, on};
use crate::support::proxy::{Hold, Proxy};

/// For a shell: what a server answers to `ask HOST PORT`. (The `wget` of a static busybox crashes.)
const ASK: &str = "ask() { printf 'GET /passwd HTTP/1.0\r\n\r\n' | nc -w 3 $1 $2 2>/dev/null | tail -n 1; }";

/// Publishes a message and gets it back.
const PIKA: &str = "
import os, pika
login = pika.PlainCredentials(os.environ['RABBITMQ_USER'], os.environ['RABBITMQ_PASSWORD'])
connection = pika.BlockingConnection(pika.ConnectionParameters(
    os.environ['RABBITMQ_HOST'], int(os.environ['RABBITMQ_PORT']), os.environ['RABBITMQ_VIRTUAL_HOST'], login))
channel = connection.channel()
queue = channel.queue_declare('', exclusive=True).method.queue
channel.basic_publish('', queue, b'a message')
print(channel.basic_get(queue, auto_ack=True)[2].decode())
print('password', os.environ['RABBITMQ_PASSWORD'])
";

on!(docker, podman: run_local_connects_a_component_to_rabbitmq);
fn run_local_connects_a_component_to_rabbitmq(cli: &Cli) {
    let command = serde_json::json!(["python3", "-c", PIKA]);
    cli.inventory(&format!(
        "services: {{rabbitmq: {{image: '{{rabbitmq}}'}}}}
components: [{{name: app, category: x, kind: job, image: '{{python}}', run: {{command: {command}, needs: [rabbitmq]}}}}]\n"
    ));
    assert_snapshot!(cli.run("run-local app"), @"
    a message
    password ••••••••
    --- stderr
      env          5 variables: 5 from rabbitmq
      network      isolated: it reaches rabbitmq and nothing else
      rabbitmq     ready
    ✔ `app` ended after TIME, nothing left behind.
    --- exit 0
    ");
}

/// `app` needs a component, which needs a backing service of the user's own.
fn chain(cli: &Cli, script: &str) {
    app(cli, "job", script, "needs: [web]");
    let web = serde_json::json!(["sh", "-c", "echo $STORE_URL; exec busybox httpd -f -p 8000 -h /etc"]);
    cli.inventory_more(&format!(
        "  - {{name: web, category: x, image: '{{busybox}}', run: {{command: {web}, needs: [store], ready: {{http: /passwd, port: 8000}}}}}}\n"
    ));
    store(cli, "busybox httpd -f -p 9000 -h /etc", "ready: {http: /passwd, port: 9000}");
}

/// A backing service of the user's own.
fn store(cli: &Cli, script: &str, more: &str) {
    let command = serde_json::json!(["sh", "-c", script]);
    cli.write("cki.toml", "inventory = \"inventory.yaml\"\ntemplates = \"templates\"\n");
    cli.write(
        "templates/services/store.yaml",
        &format!("image: '{{busybox}}'\ncommand: {command}\nprovides: {{STORE_URL: {{value: 'http://{{{{ host }}}}:9000'}}}}\n{more}\n"),
    );
}

on!(docker, podman: run_local_resolves_dependencies_by_name);
fn run_local_resolves_dependencies_by_name(cli: &Cli) {
    chain(cli, &format!("{ASK}; ask web 8000; ask store 9000; ask elsewhere 80"));
    assert_snapshot!(cli.run("run-local app"), @"
    nobody:x:65534:65534:nobody:/:/bin/sh
    nobody:x:65534:65534:nobody:/:/bin/sh
    --- stderr
      env          1 variable: 1 locked
      network      isolated: it reaches store, web and nothing else
      store        ready
      web          ready
    ✔ `app` ended after TIME, nothing left behind.
    --- exit 0
    ");
}

on!(docker, podman: run_local_network_reaches_dependencies_only);
fn run_local_network_reaches_dependencies_only(cli: &Cli) {
    let foreign = cli
        .bench()
        .foreign(&format!("foreign-{}", cli.id), &["busybox", "httpd", "-f", "-p", "8000", "-h", "/etc"]);
    let at = foreign.address();
    chain(cli, &format!("{ASK}; ask web 8000; ask {at} 8000; ask 192.0.2.1 80; echo tried"));
    assert_eq!(
        cli.run("run-local app -q").ends_with(0).stdout,
        "nobody:x:65534:65534:nobody:/:/bin/sh\ntried\n"
    );
    assert!(foreign.runs());
}

on!(native: run_local_native_serves_dependencies_on_localhost);
fn run_local_native_serves_dependencies_on_localhost(cli: &Cli) {
    let server = serde_json::json!(["busybox", "httpd", "-f", "-p", cli.port.to_string(), "-h", "/etc"]);
    app(cli, "job", "busybox wget -qO- http://127.0.0.1:{port}/passwd | head -n 1", "needs: [web]");
    cli.inventory_more(&format!(
        "  - {{name: web, category: x, run: {{command: {server}, ready: {{http: /passwd, port: {{port}}}}}}}}\n"
    ));
    let outcome = cli.run("run-local app").ends_with(0).says("  web          ready");
    assert!(outcome.stdout.starts_with("root:"));
    // What cannot be had without containers is said before anything is started.
    store(cli, "true", "");
    cli.inventory(
        "components: [{name: app, category: x, kind: job, run: {command: [sh], needs: [store]}}]\n",
    );
    store(cli, "true", "");
    assert_snapshot!(cli.run("run-local app"), @"
    --- stderr
    error: `store` cannot be run without a container engine.
    hint: `cki doctor --engine auto` prints the command that installs a container engine.
    --- exit 6
    ");
}

on!(docker, podman: run_local_fails_when_a_dependency_is_never_ready);
fn run_local_fails_when_a_dependency_is_never_ready(cli: &Cli) {
    app(cli, "job", "echo never", "needs: [store]");
    store(
        cli,
        "for n in 1 2 3; do echo line $n; done; echo secret $PASSWORD; sleep 60",
        "ready: {tcp: 9}\nenvironment: {PASSWORD: hunter2-hunter2}",
    );
    let run = cli.call("run-local app").set("CKI_RUN_READY_TIMEOUT", "1").end();
    assert_snapshot!(run, @"
    --- stderr
      env          2 variables: 1 from store, 1 locked
      network      isolated: it reaches store and nothing else
    line 1
    line 2
    line 3
    secret ••••••••
      store        not finished
    error: `store` is not ready after TIME: port 9: Connection refused (os error 111).
    hint: its last lines are above; `run.ready_timeout` in `cki.toml` gives it more time.
    --- exit 124
    ");
}

on!(docker, podman: run_local_fails_when_a_dependency_ends_early);
fn run_local_fails_when_a_dependency_ends_early(cli: &Cli) {
    app(cli, "job", "echo never", "needs: [store]");
    store(cli, "echo no room; exit 3", "ready: {tcp: 9}");
    assert_snapshot!(cli.run("run-local app"), @"
    --- stderr
      env          2 variables: 1 from store, 1 locked
      network      isolated: it reaches store and nothing else
    no room
      store        not finished
    error: `store` ended with exit code 3 before it was ready.
    hint: its last lines are above.
    --- exit 1
    ");
    // So it is for one whose output should have said that it is ready.
    store(cli, "echo no room; exit 3", "ready: {log: up}");
    let failed = cli.run("run-local app").to_string();
    assert!(failed.contains("error: `store` ended with exit code 3 before it was ready."), "{failed}");
    // One that is ready, and ends while it is needed.
    app(cli, "job", "sleep 60", "needs: [store]");
    store(cli, "echo up; sleep 1; echo down; exit 4", "ready: {log: up}");
    assert_snapshot!(cli.run("run-local app"), @"
    --- stderr
      env          2 variables: 1 from store, 1 locked
      network      isolated: it reaches store and nothing else
      store        ready
    up
    down
    error: `store` ended with exit code 4 while it was needed.
    hint: its last lines are above.
    --- exit 1
    ");
}

on!(docker, podman: run_local_names_an_image_that_cannot_be_pulled);
fn run_local_names_an_image_that_cannot_be_pulled(cli: &Cli) {
    app(cli, "job", "echo never", "needs: [store]");
    store(cli, "true", "");
    let template = cli.fill("image: localhost/cki-test/absent:1\n");
    cli.write("templates/services/store.yaml", &template);
    assert_snapshot!(cli.run("run-local app --offline"), @"
    --- stderr
    error: image `localhost/cki-test/absent:1` is not on the engine, and `--offline` forbids to pull it.
    hint: leave `--offline` out, or load `localhost/cki-test/absent:1` into the engine.
    --- exit 6
    ");
    cli.run("run-local app").ends_with(6).says("`localhost/cki-test/absent:1` cannot be pulled");
    app(cli, "job", "echo never", "");
    assert_snapshot!(cli.run("run-local app --image 'No Such' --offline"), @"
    --- stderr
    error: `No Such` cannot be the name of an image: a name is made of lower-case letters, digits, `_`, `.`, `-` and `/`.
    --- exit 2
    ");
}

on!(docker, podman: run_local_reports_a_lost_engine);
fn run_local_reports_a_lost_engine(cli: &Cli) {
    app(cli, "service", "echo up; sleep 1000", "");
    let address = cli.engine.address().expect("is one");
    let proxy = Proxy::before(&address, &cli.directory().join("engine.sock"));
    let variable = if cli.engine == Engine::Docker { "DOCKER_HOST" } else { "CONTAINER_HOST" };
    cli.wait_for("the socket", || proxy.listens());
    let mut run = cli.call("run-local app").set(variable, proxy.address()).start();
    run.until("up");
    let began = Instant::now();
    proxy.cut();
    assert_snapshot!(run.end(), @"
    up
    --- stderr
      env          1 variable: 1 locked
      network      isolated: it reaches nothing
    warning: Left behind: cannot reach the container engine at `unix:///tmp/cki-TESTID/engine.sock`: nothing listens there. The next `cki` that uses the engine removes it; `cki down` removes retained runs.
    error: cannot reach the container engine at `unix:///tmp/cki-TESTID/engine.sock`: nothing listens there.
    hint: `cki doctor` looks at the engine; `--engine native` does without one.
    --- exit 6
    ");
    assert!(began.elapsed() < Duration::from_secs(20));
    assert_ne!(cli.leftovers(), [""; 0], "nobody could remove it");
    // anyone who comes next, when the engine is back, cleans up.
    cli.run("ps -q").ends_with(0);
}

on!(docker, podman: run_local_reports_a_lost_engine_in_every_phase);
fn run_local_reports_a_lost_engine_in_every_phase(cli: &Cli) {
    app(cli, "service", "echo up; sleep 1000", "");
    let address = cli.engine.address().expect("is one");
    let variable = if cli.engine == Engine::Docker { "DOCKER_HOST" } else { "CONTAINER_HOST" };
    let moments = [
        Hold::Request("POST /containers/create"),
        Hold::Answer("POST /containers/create"),
        Hold::Request("POST /attach"),
        Hold::Answer("POST /start"),
        Hold::Request("POST /wait"),
        Hold::Answer("GET /json"),
    ];
    for (number, moment) in moments.into_iter().enumerate() {
        let socket = cli.directory().join(format!("engine-{number}.sock"));
        let proxy = Proxy::holding(&address, &socket, moment);
        cli.wait_for("the socket", || proxy.listens());
        let run = cli.call("run-local app").set(variable, proxy.address()).start();
        cli.wait_for(&format!("{moment:?}"), || proxy.holds());
        proxy.cut();
        let ended = run.end().ends_with(6);
        let last = ended.stderr.lines().rev().find(|line| line.starts_with("error: ")).expect("is told");
        assert!(
            last.starts_with("error: cannot reach the container engine at ")
                && last.ends_with(": nothing listens there."),
            "{moment:?}: {ended}"
        );
    }
    cli.run("ps -q").ends_with(0);
}

#[test]
fn run_local_lists_the_sockets_that_it_tried() {
    let cli = Cli::new();
    app(&cli, "job", "echo never", "");
    let run = cli.call("run-local app --engine docker").set("DOCKER_HOST", "unix:///nowhere/engine.sock");
    assert_snapshot!(run.end(), @"
    --- stderr
    error: no Docker engine answers here.
    hint: tried `DOCKER_HOST`, unix:///nowhere/engine.sock: not there.
    hint: tried usual socket of Docker, unix:///var/run/docker.sock: not tried.
    hint: tried usual socket of Docker, unix:///tmp/cki-TESTID/runtime/docker.sock: not tried.
    hint: tried usual socket of Docker, unix:///tmp/cki-TESTID/home/.docker/run/docker.sock: not tried.
    hint: `cki doctor` says more, and prints the command that installs an engine.
    --- exit 6
    ");
}

on!(docker, podman: run_local_cleans_up_on_a_signal_during_start);
fn run_local_cleans_up_on_a_signal_during_start(cli: &Cli) {
    app(cli, "job", "echo never", "needs: [store]");
    store(cli, "echo up; sleep 1000", "ready: {tcp: 9}");
    let mut run = cli.start("run-local app");
    run.until("network ");
    cli.wait_for("a container", || cli.leftovers().iter().any(|left| left.ends_with("of store")));
    run.signal(Signal::SIGINT);
    run.end().ends_with(130).says("before it had started");
    assert_eq!(cli.leftovers(), [""; 0]);
}

#[test]
fn run_local_refuses_a_port_in_use_by_another_process() {
    let cli = Cli::new();
    let other = std::net::TcpListener::bind("127.0.0.1:0").expect("listens");
    let port = other.local_addr().expect("has one").port();
    cli.inventory(&format!(
        "components: [{{name: web, category: x, run: {{command: [sleep, '1000'], ports: [{port}], ready: {{tcp: {port}}}}}}}]\n"
    ));
    cli.run("run-local web --network internet")
        .ends_with(6)
        .says(&format!("error: `web` is to listen on port {port} of this machine, which is not free"))
        .says(&format!("hint: `ss -ltnp sport = :{port}` says what listens there"));
}
