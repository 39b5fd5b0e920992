//! Published ports: the address that `cki run-local` prints answers, on the same port or on the next free one.
//! The process that keeps the ports of a detached run open is tested in `forwarder`.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

use cki::host::Host;
use nix::sys::signal::Signal;
use serde_json::json;

use super::app;
use crate::support::cli::Cli;
use crate::support::engine::{Engine, on};
use crate::support::part::PART;
use crate::support::ports::free_port;

/// A web server.
const WEB: &str = "exec busybox httpd -f -p {port} -h /etc";
const WEB_MORE: &str = "ports: [{port}], ready: {http: /passwd, port: {port}}";
/// A server that counts the bytes of a request, once the client has sent all of them.
const COUNTER: &str = "import socketserver as s
class H(s.StreamRequestHandler):
    def handle(self): self.wfile.write(b'%d' % len(self.rfile.read()))
s.ThreadingTCPServer.request_queue_size = 500
s.ThreadingTCPServer(('', {port}), H).serve_forever()";

/// Makes that server the component `app` of the inventory.
pub(super) fn counter(cli: &Cli) {
    let command = match cli.engine {
        Engine::Native => {
            let program = Host::real().executable.display().to_string();
            let part = format!("{PART}=count bytes");
            json!(["env", part, format!("{COUNT_PORT}={}", cli.port), program])
        }
        Engine::Docker | Engine::Podman => json!(["python3", "-c", COUNTER]),
    };
    cli.inventory(&format!(
        "components: [{{name: app, category: service, image: '{{python}}', run: {{command: {command}, \
         ports: [{{port}}], ready: {{tcp: {{port}}}}}}}}]\n"
    ));
}

/// Names the port of the part.
const COUNT_PORT: &str = "CKI_TEST_COUNT_PORT";

/// The same server without a container.
pub(crate) fn count_bytes() {
    let port = Host::real().env.get(COUNT_PORT).and_then(|port| port.parse::<u16>().ok()).expect("a port");
    for stream in TcpListener::bind(("127.0.0.1", port)).expect("is free").incoming() {
        std::thread::spawn(move || {
            let (mut stream, mut request) = (stream.expect("is a connection"), Vec::new());
            // A client may go away.
            if stream.read_to_end(&mut request).is_ok() {
                let _ = write!(stream, "{}", request.len());
            }
        });
    }
}

/// Sends bytes, closes this side, and returns the answer.
pub(super) fn count(port: u16, bytes: usize) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("somebody listens");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("takes a timeout");
    stream.write_all(&vec![b'x'; bytes]).expect("takes a request");
    stream.shutdown(Shutdown::Write).expect("closes one side");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answers");
    answer.trim().to_owned()
}

on!(docker, podman, native: run_local_publishes_declared_ports_at_the_address_of_the_ready_line);
fn run_local_publishes_declared_ports_at_the_address_of_the_ready_line(cli: &Cli) {
    app(cli, "service", WEB, WEB_MORE);
    let mut run = cli.start("run-local app");
    run.until("  app          ready  http://127.0.0.1:{port}");
    assert!(super::get(cli.port, "/passwd").contains("root:"));
    let ps = cli.run("ps -o json").ends_with(0).json();
    // Other tests use the same engine.
    let mut ports = ps["instances"].as_array().expect("is a list").iter().map(|one| &one["ports"][0]);
    let url = format!("http://127.0.0.1:{}", cli.port);
    let wanted = json!({"host": "127.0.0.1", "host_port": cli.port, "container_port": cli.port, "url": url});
    assert!(ports.any(|port| *port == wanted), "{ps}");
    let said = cli.run("ps").ends_with(0).stdout;
    assert!(said.contains(&url), "{said}");
    run.signal(Signal::SIGINT);
    let outcome = run.end().ends_with(130);
    assert_eq!(outcome.stderr.matches("127.0.0.1").count(), 1, "the address is said once: {outcome}");
    assert!(TcpListener::bind(("127.0.0.1", cli.port)).is_ok(), "the port is free again");
}

// The engine itself accepts connections to the published port from the first moment on.
on!(docker, podman: run_local_waits_for_the_server_behind_a_port_that_the_engine_publishes);
fn run_local_waits_for_the_server_behind_a_port_that_the_engine_publishes(cli: &Cli) {
    let late = "sleep 1; exec busybox httpd -f -p {port} -h /etc";
    app(cli, "service", late, "ports: [{port}], ready: {tcp: {port}}");
    let mut run = cli.start("run-local app --network internet");
    run.until("  app          ready  127.0.0.1:{port}");
    assert!(super::get(cli.port, "/passwd").contains("root:"));
    run.signal(Signal::SIGINT);
    run.end().ends_with(130);
}

on!(docker, podman, native: run_local_publishes_on_the_next_free_port);
fn run_local_publishes_on_the_next_free_port(cli: &Cli) {
    app(cli, "service", WEB, WEB_MORE);
    let taken = TcpListener::bind(("127.0.0.1", cli.port)).expect("is free");
    let mut run = cli.start("run-local app -o json");
    run.until("  app          ready  http://127.0.0.1:");
    let port = run.port();
    assert!(port > cli.port, "{port}");
    assert!(super::get(port, "/passwd").contains("root:"));
    run.signal(Signal::SIGINT);
    let outcome = run.end().ends_with(130);
    let said = format!("port {} is in use; published on {port}.", cli.port);
    assert!(outcome.stderr.contains(&said), "{outcome}");
    let lines = outcome.stdout.lines().map(|line| serde_json::from_str(line).expect("is JSON"));
    let ready: Vec<serde_json::Value> =
        lines.filter(|line: &serde_json::Value| line["type"] == "ready").collect();
    assert_eq!(ready[0]["ports"][0]["host_port"], port);
    drop(taken);
}

on!(docker, podman, native: run_local_publishes_a_chosen_port_or_fails_before_it_starts);
fn run_local_publishes_a_chosen_port_or_fails_before_it_starts(cli: &Cli) {
    app(cli, "service", WEB, "ready: {tcp: {port}}");
    let port = free_port();
    let taken = TcpListener::bind(("127.0.0.1", port)).expect("is free");
    let outcome = cli.run(&format!("run-local app -p {port}:{{port}}")).ends_with(6);
    let outcome =
        outcome.says("error: cannot publish port").says("Address already in use").says("`--publish ");
    assert!(!outcome.stderr.contains("network "), "nothing was started: {outcome}");
    drop(taken);
    // The entry does not declare the port.
    let mut run = cli.start(&format!("run-local app -p {port}:{{port}}"));
    run.until(&format!("  app          ready  127.0.0.1:{port}\n"));
    assert!(super::get(port, "/passwd").contains("root:"));
    let second = cli.run(&format!("run-local app --publish {port}:{{port}}")).ends_with(6);
    second.says("cannot publish port");
    run.signal(Signal::SIGINT);
    run.end().ends_with(130);
}

on!(docker, podman, native: run_local_publishes_nothing_with_no_publish);
fn run_local_publishes_nothing_with_no_publish(cli: &Cli) {
    app(cli, "service", WEB, WEB_MORE);
    let mut run = cli.start("run-local app --no-publish");
    run.until("  app          ready");
    assert!(TcpStream::connect(("127.0.0.1", cli.port)).is_err());
    run.signal(Signal::SIGINT);
    let ended = run.end().ends_with(130);
    assert!(!ended.stderr.contains("127.0.0.1"), "{ended}");
}

on!(docker, podman, native: run_local_passes_half_closed_and_many_connections);
fn run_local_passes_half_closed_and_many_connections(cli: &Cli) {
    counter(cli);
    let mut run = cli.start("run-local app");
    run.until("  app          ready  127.0.0.1:{port}");
    assert_many(cli.port);
    run.signal(Signal::SIGINT);
    run.end().ends_with(130);
}

/// Half of 200 connections stay open while the others come and go, and all get their answers.
pub(super) fn assert_many(port: u16) {
    let open: Vec<TcpStream> =
        (0..100).map(|_| TcpStream::connect(("127.0.0.1", port)).expect("somebody listens")).collect();
    let others: Vec<_> = (0..100).map(|size| std::thread::spawn(move || count(port, size * 7919))).collect();
    for (size, other) in others.into_iter().enumerate() {
        assert_eq!(other.join().expect("is answered"), (size * 7919).to_string());
    }
    for mut stream in open {
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("takes a timeout");
        stream.write_all(b"four").expect("is still open");
        stream.shutdown(Shutdown::Write).expect("closes one side");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answers");
        assert_eq!(answer.trim(), "4");
    }
}

on!(docker, podman: run_local_publishes_services_only_on_request);
fn run_local_publishes_services_only_on_request(cli: &Cli) {
    cli.inventory(&format!(
        "components:
  - {{name: app, category: service, image: '{{busybox}}', run: {{command: [sleep, '1000'], needs: [web]}}}}
  - {{name: web, category: service, image: '{{busybox}}', run: {{command: [sh, -c, '{WEB}'], {WEB_MORE}}}}}
"
    ));
    let plan = cli.run("run-local app --dry-run -o json").ends_with(0).json();
    assert_eq!(plan["units"][0]["published"], json!([]));
    let mut run = cli.start("run-local app -p web:{port}");
    run.until("  web          ready  http://127.0.0.1:{port}");
    assert!(super::get(cli.port, "/passwd").contains("root:"));
    run.signal(Signal::SIGINT);
    run.end().ends_with(130);
}

#[test]
fn run_local_dry_run_says_which_ports_it_would_publish() {
    let cli = Cli::new();
    app(&cli, "service", WEB, "ports: [8080/http, 9090]");
    let text = cli.run("run-local app --dry-run -p 8081:8080").ends_with(0).stdout;
    assert!(text.contains("published    http://127.0.0.1:8081 to port 8080\n"), "{text}");
    assert!(text.contains("published    127.0.0.1:9090, or on the next free port\n"), "{text}");
    let plan = cli.run("run-local app --dry-run -p 8081:8080 -o json").ends_with(0).json();
    assert_eq!(
        plan["units"][0]["published"],
        json!([
            {"host": "127.0.0.1", "host_port": 9090, "container_port": 9090, "chosen": false},
            {"host": "127.0.0.1", "host_port": 8081, "container_port": 8080, "url": "http://127.0.0.1:8081", "chosen": true},
        ])
    );
    let plan = cli.run("run-local app --dry-run --no-publish -p 7000 -o json").ends_with(0).json();
    assert_eq!(plan["units"][0]["published"].as_array().expect("is a list").len(), 1);
    let once = cli.run("run-local app --once --dry-run -o json").ends_with(0).json();
    assert_eq!(once["units"][0]["published"], json!([]));
}

#[test]
fn run_local_explains_wrong_ports() {
    let cli = Cli::new();
    cli.inventory(
        "components:
  - {name: app, category: service, image: x, run: {command: [a], ports: [80]}}
  - {name: other, category: service, image: x, run: {command: [a], ports: [80]}}
",
    );
    for (line, code, why) in [
        ("app -n -p app", 2, "a component is not the value of this option"),
        ("app -n -p 0.0.0.0:80:80", 2, "on 127.0.0.1 only"),
        ("app -n -p 53:53/udp", 2, "TCP only"),
        ("app -n -p nobody:80", 3, "the run has: app."),
        ("app other -n -p 80", 2, "as in `--publish app:80`"),
        ("app other -n -p 8080:99", 2, "as in `--publish 8080:app:99`"),
        ("app -n -p 8080:80 -p 8080:81", 2, "two ports on port 8080"),
        ("app -n -p", 2, "needs a value"),
    ] {
        let outcome = cli.run(&format!("run-local {line}")).ends_with(code);
        let said = outcome.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(why), "{line}: {outcome}");
    }
    cli.run("run-local app other -n -p 8080:other:80").ends_with(0);
}

on!(native: open_shows_the_address_in_the_browser_or_prints_it);
fn open_shows_the_address_in_the_browser_or_prints_it(cli: &Cli) {
    app(cli, "service", WEB, WEB_MORE);
    cli.run("open app").ends_with(3).says("`app` is not running");
    let mut run = cli.start("run-local app");
    run.until("  app          ready  http://");
    let url = format!("http://127.0.0.1:{}", cli.port);
    // There is no desktop.
    assert_eq!(cli.run("open app").ends_with(0).stdout, format!("{url}\n"));
    let seen = cli.directory().join("seen");
    let browser = format!("sh -c 'echo %s > {}'", seen.display());
    let opened = cli.call("open app").set("BROWSER", &browser).end().ends_with(0);
    assert_eq!((opened.stdout.as_str(), opened.stderr), ("", format!("Opened {url} in your browser.\n")));
    assert_eq!(std::fs::read_to_string(&seen).expect("was written"), format!("{url}\n"));
    let printed =
        cli.call("open app --no-browser -o json").set("BROWSER", &browser).end().ends_with(0).json();
    assert_eq!((&printed["url"], &printed["opened"]), (&url.as_str().into(), &false.into()));
    let failed = cli.call("open app").set("BROWSER", "sh -c 'exit 3'").end().ends_with(1);
    failed.says("the browser `sh` failed").says(&format!("the address is {}", "http://127.0.0.1:~PORT"));
    cli.run("open app --port 1").ends_with(3).says("its published ports: ~PORT");
    run.signal(Signal::SIGINT);
    run.end().ends_with(130);
}
