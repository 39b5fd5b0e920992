//! Tests of backing services that a user names: `cki list services`, `show`, `env` and `run-local` of one.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

use insta::assert_snapshot;
use nix::sys::signal::Signal;

use super::app;
use crate::support::cli::Cli;
use crate::support::engine::on;
use crate::support::ports::free_port;

/// An inventory whose `valkey` is the image of the tests.
fn valkey(cli: &Cli) {
    cli.inventory(
        "services: {valkey: {image: '{valkey}'}}\ncomponents: [{name: app, category: x, image: y}]\n",
    );
}

/// Returns the answer of a Redis server to a line.
fn redis(port: u16, line: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("somebody listens");
    write!(stream, "{line}\r\n").expect("takes a line");
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).expect("answers");
    answer.trim().to_owned()
}

on!(docker, podman: run_local_runs_a_backing_service_by_itself);
fn run_local_runs_a_backing_service_by_itself(cli: &Cli) {
    valkey(cli);
    let port = free_port();
    let mut run = cli.start(&format!("run-local valkey -p {port}:6379"));
    run.until(&format!("  valkey       ready  127.0.0.1:{port}\n"));
    assert_eq!(redis(port, "PING"), "+PONG");
    run.signal(Signal::SIGINT);
    let outcome = run.end().ends_with(130);
    let outcome = outcome.says("  env          6 variables for its clients: `cki env valkey`\n");
    let outcome = outcome.says("  network      isolated: it reaches nothing");
    outcome.says("`valkey` was stopped after TIME, nothing left behind.");
    assert_eq!(cli.leftovers(), [""; 0]);
}

on!(docker, podman: detached_backing_service_is_used_like_a_component);
fn detached_backing_service_is_used_like_a_component(cli: &Cli) {
    valkey(cli);
    let port = free_port();
    let args = format!("run-local valkey --detach -p {port}:6379 -- --protected-mode no --databases 3");
    cli.run(&args).ends_with(0).says("`valkey` continues as run ");
    assert_eq!(redis(port, "SELECT 2"), "+OK");
    assert!(redis(port, "SELECT 3").starts_with("-ERR"), "the arguments reach the server");
    let ps = cli.run("ps valkey -o json").ends_with(0).json();
    let one = &ps["instances"][0];
    assert_eq!(
        (&one["name"], &one["role"], &one["ready"]),
        (&"valkey".into(), &"service".into(), &true.into())
    );
    assert_eq!(one["ports"][0]["host_port"], port);
    assert!(cli.run("exec valkey redis-server --version").ends_with(0).stdout.contains(" server v="));
    assert!(cli.run("logs service:valkey").ends_with(0).stdout.contains("Ready to accept connections"));
    cli.run("down valkey").ends_with(0).says("Removed `valkey`");
    cli.run("down valkey").ends_with(0);
    assert!(TcpListener::bind(("127.0.0.1", port)).is_ok(), "its port is free again");
    assert_eq!(cli.leftovers(), [""; 0]);
}

on!(docker, podman, native: run_local_publishes_a_mock_service_of_cki);
fn run_local_publishes_a_mock_service_of_cki(cli: &Cli) {
    app(cli, "service", "exit 0", "");
    let port = free_port();
    let mut run = cli.start(&format!("run-local smtp -p {port}:1025 --no-publish"));
    run.until(&format!("  smtp         ready  127.0.0.1:{port}\n"));
    let mut answer = String::new();
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("somebody listens");
    BufReader::new(stream).read_line(&mut answer).expect("answers");
    assert!(answer.starts_with("220 "), "{answer}");
    run.signal(Signal::SIGINT);
    run.end().ends_with(130);
    assert_eq!(cli.leftovers(), [""; 0]);
}

on!(native: run_local_without_an_engine_refuses_a_service_that_needs_a_container);
fn run_local_without_an_engine_refuses_a_service_that_needs_a_container(cli: &Cli) {
    valkey(cli);
    cli.run("run-local valkey --no-publish")
        .ends_with(6)
        .says("`valkey`")
        .says("hint: `cki doctor --engine auto`");
    assert_eq!(cli.leftovers(), [""; 0]);
}

on!(docker, podman: client_environment_opens_a_database_that_runs_by_itself);
fn client_environment_opens_a_database_that_runs_by_itself(cli: &Cli) {
    cli.inventory(
        "services: {postgres: {image: '{postgres}'}}\ncomponents: [{name: app, category: x, image: y}]\n",
    );
    cli.run("run-local postgres --detach --no-publish").ends_with(0);
    let environment = cli.run("env postgres -o dotenv").ends_with(0).stdout;
    let url = environment.lines().find_map(|line| line.strip_prefix("DATABASE_URL=")).expect("is provided");
    // Inside, the address is that of this machine, too.
    let counted = cli.run(&format!("exec postgres psql -qAt {url} -c 'SELECT current_database()'"));
    assert_eq!(counted.ends_with(0).stdout, "cki\n");
    let table = cli.run("env postgres").ends_with(0).stdout;
    assert!(table.contains("POSTGRES_HOST      127.0.0.1\n"), "{table}");
    assert!(table.contains("DATABASE_URL       ••••••••\n"), "{table}");
    cli.run("down postgres").ends_with(0);
}

const INVENTORY: &str = "\
title: Sample
services: {redis: {image: 'registry.example.org:5000/team/valkey:9'}}
components:
  - {name: web, category: service, image: x, run: {needs: [redis, login]}}
  - {name: smtp, category: infrastructure, description: The mail server of production.}
";

const LOGIN: &str = "\
description: A server with a login
image: example.org/login
parameters: {realm: cki}
command: [serve, \"{{ secret('LOGIN_PASSWORD') }}\"]
ports: [99, 100]
ready: {http: /ready, port: 99}
provides:
  LOGIN_URL: {value: \"http://me:{{ secret('LOGIN_PASSWORD') }}@{{ host }}:99/{{ realm }}\"}
  LOGIN_PASSWORD: {value: \"{{ secret('LOGIN_PASSWORD') }}\", secret: true}
";

fn sample() -> Cli {
    let cli = Cli::new();
    cli.inventory(INVENTORY);
    cli.write("cki.toml", "inventory = \"inventory.yaml\"\ntemplates = \"templates\"\n");
    cli.write("templates/services/login.yaml", LOGIN);
    cli
}

#[test]
fn list_services_shows_those_of_the_inventory_and_the_built_in_ones() {
    let cli = sample();
    assert_snapshot!(cli.call("list services --color never").terminal(80).end(), @"
    NAME          IMAGE                  PORTS   VARIABLES
    http          cki itself             8080    HTTP_HOST HTTP_PORT HTTP_URL
    login         login                  99 100  LOGIN_PASSWORD LOGIN_URL
    postgres      postgres:16.14-alpine  5432    DATABASE_URL POSTGRES_DB
                                                 POSTGRES_HOST POSTGRES_PASSWORD
                                                 POSTGRES_PORT POSTGRES_USER
    rabbitmq      rabbitmq:3.13          5672    RABBITMQ_HOST RABBITMQ_PASSWORD
                                                 RABBITMQ_PORT RABBITMQ_USER
                                                 RABBITMQ_VIRTUAL_HOST
    redis         valkey:9               6379    REDIS_HOST REDIS_PORT REDIS_URL
    s3            seaweedfs:3.97         8333    AWS_ACCESS_KEY_ID AWS_ENDPOINT_URL
                                                 AWS_SECRET_ACCESS_KEY S3_BUCKET
                                                 S3_ENDPOINT_URL S3_HOST S3_PORT
    service:smtp  cki itself             1025    SMTP_HOST SMTP_PORT SMTP_URL
    valkey        valkey:8               6379    REDIS_HOST REDIS_PORT REDIS_URL
                                                 VALKEY_HOST VALKEY_PORT VALKEY_URL
    --- stderr
    8 backing services · `cki show NAME` shows one, `cki run-local NAME` runs it
    --- exit 0
    ");
    let wide = cli.run("list services login -o wide").ends_with(0).stdout;
    let row = wide.lines().nth(1).expect("has a row");
    let begins = "login  –        99 100  LOGIN_PASSWORD LOGIN_URL  service/web  example.org/login  ";
    assert!(row.starts_with(begins), "{row}");
    assert!(row.ends_with("/templates/services/login.yaml  A server with a login"), "{row}");
    let names = cli.run("list services -o name").ends_with(0).stdout;
    assert_eq!(names, "http\nlogin\npostgres\nrabbitmq\nredis\ns3\nservice:smtp\nvalkey\n");
    let json = cli.run("list services valkey -o json").ends_with(0).json();
    assert_eq!((&json["total"], json["services"].as_array().map(Vec::len)), (&8.into(), Some(2)));
    assert_eq!(json["services"][0]["used_by"], serde_json::json!(["service/web"]));
    cli.run("list services --kind x").ends_with(2).says("`--kind` filters components");
    cli.run("list service -o name").ends_with(0);
}

#[test]
fn list_services_shows_the_others_beside_an_invalid_template() {
    let cli = sample();
    cli.write("templates/services/broken.yaml", "image: [no\n");
    cli.write("templates/services/README.md", "Not a template.");
    let outcome =
        cli.run("list services -o name").ends_with(0).says("warning: ").says("services/broken.yaml");
    assert_eq!(outcome.stdout.lines().count(), 8, "{outcome}");
    cli.run("show broken").ends_with(4);
    cli.run("run-local broken -n").ends_with(4);
}

#[test]
fn show_prints_a_backing_service_without_its_secrets() {
    let cli = sample();
    assert_snapshot!(cli.run("show login"), @r#"
    login  backing service
    A server with a login

    Image           example.org/login
    Version         –
    Ports           99
                    100
    Ready           when HTTP /ready on port 99
    Parameters      realm  default "cki"
    Provides        LOGIN_PASSWORD  ••••••••
                    LOGIN_URL       ••••••••
    Used by         service/web
    Run             cki run-local login
                    only with a container engine
    For clients     cki env login
    Written in      /tmp/cki-TESTID/project/templates/services/login.yaml
    --- exit 0
    "#);
    assert_snapshot!(cli.run("show redis"), @"
    redis  backing service
    Valkey, a key-value store that speaks the Redis protocol

    Image           registry.example.org:5000/team/valkey:9
                    from /tmp/cki-TESTID/project/inventory.yaml:2, in place of its template's
    Version         9
    Ports           6379
    Ready           when port 6379 accepts connections
    Provides        REDIS_HOST  redis
                    REDIS_PORT  6379
                    REDIS_URL   redis://redis:6379/0
    Used by         service/web
    Run             cki run-local redis
                    only with a container engine
    For clients     cki env redis
    Written in      built in: services/redis.yaml
    --- exit 0
    ");
    let login = cli.run("env login").ends_with(0).stdout;
    assert!(login.contains("LOGIN_URL       ••••••••\n"), "{login}");
    let json = cli.run("show login -o json").ends_with(0).json();
    assert_eq!(json["provides"][1]["value"], "••••••••");
    // A component comes first, and the service is told apart.
    cli.run("show smtp").ends_with(0).says("hint: `cki show service:smtp` shows the backing service");
    assert!(cli.run("show service:smtp").ends_with(0).stdout.starts_with("smtp  backing service\n"));
    cli.run("run-local smtp")
        .ends_with(4)
        .says("hint: `cki run-local service:smtp` runs the backing service.");
    let plan = cli.run("run-local service:smtp -n -o json").ends_with(0).json();
    assert_eq!(plan["components"], serde_json::json!(["smtp"]));
}

#[test]
fn commands_for_components_name_the_backing_service() {
    let cli = sample();
    for line in ["build login", "clone login", "stage --component login --mr 1", "env web --diff login"] {
        let outcome = cli.run(line).ends_with(3).says("`login` is a backing service, not a component");
        outcome.says("hint: `cki show login` shows it, and the command that runs it.");
    }
    cli.run("show service:lgin").ends_with(3).says("did you mean `service:login`?");
    cli.run("run-local logni").ends_with(3).says("did you mean `login`?");
    cli.run("env login -e A=1").ends_with(2).says("`--env` is for components");
    for flag in ["--once", "--watch", "--mount", "--mr 3", "--debug-port 9"] {
        cli.run(&format!("run-local login {flag}")).ends_with(2).says("and `login` is a backing service");
    }
}
