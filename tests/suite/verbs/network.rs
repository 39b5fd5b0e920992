//! Targets that a run reaches and those that it does not, counted at the targets; and the rights of its
//! containers may do. That others are found by name is in `dependencies`.

use insta::assert_snapshot;

use super::app;
use crate::support::cli::Cli;
use crate::support::engine::on;
use crate::support::network_targets::{ArrivalCount, Production, ThisMachine, Watch};

/// Tries whatever a component could: every address of this machine, the server of production, its
/// own network's first address, by TCP and by UDP, and the name service that it was given. (The
/// `wget` of a static busybox crashes.)
const ATTACK: &str = "
own=$(ip -4 addr show eth0 2>/dev/null | grep inet | tr / ' ' | tr -s ' ' | cut -d ' ' -f 3)
for target in {targets} ${own:+${own%.*}.1}; do
    echo probe-{id} | busybox nc -w 2 $target {port} &
    busybox nslookup probe-{id}.test $target:{port} &
done
busybox nslookup name-{id}.test &
wait
echo tried";

const NOTHING: ArrivalCount = ArrivalCount { tcp: 0, udp: 0 };

/// Runs an attack on what must not be reached, and then the same with a network that is open.
fn attack(cli: &Cli, with_web: bool) {
    let production = Production::serve(&cli.id, cli.port);
    let machine = ThisMachine::listen(cli.port);
    let (probe, name) = (format!("probe-{}", cli.id), format!("name-{}", cli.id));
    let watch = Watch::for_words(&[&probe, &name]);
    let mut targets: Vec<String> = ThisMachine::addresses().iter().map(ToString::to_string).collect();
    targets.push(production.address.to_string());
    cli.place("targets", &targets.join(" "));
    // The wire may have had something to say when it was set up.
    let (_, before) = production.arrived();

    app(cli, "job", &cli.fill(ATTACK), if with_web { "needs: [web]" } else { "" });
    if with_web {
        // It is asked whether it is ready, and can be.
        cli.inventory_more(
            "  - {name: web, category: x, image: '{busybox}', run: {command: [busybox, httpd, -f, -p, '8000', -h, /etc], ready: {http: /passwd, port: 8000}}}\n",
        );
    }
    let said = if with_web { "it reaches web and nothing else" } else { "it reaches nothing" };
    let closed = cli.run("run-local app").ends_with(0).says("tried\n").says(&format!("isolated: {said}"));
    assert_eq!(machine.arrived(), NOTHING, "this machine: {closed}");
    assert_eq!(production.arrived(), (NOTHING, before), "production: {closed}");
    assert_eq!(watch.seen(), [0, 0], "on a wire of this machine: {closed}");

    let open = cli
        .run("run-local app --network internet")
        .ends_with(0)
        .says("open: everything that this machine reaches");
    let (there, packets) = production.arrived();
    assert!(packets > before && there.tcp > 0 && there.udp > 0, "{there:?} {packets} {open}");
    let here = machine.arrived();
    assert!(here.tcp > 0 && here.udp > 0, "{here:?} {open}");
    assert!(watch.seen().iter().all(|count| *count > 0), "{:?} {open}", watch.seen());
}

on!(docker, podman, native: run_local_isolated_network_leaks_nothing);
fn run_local_isolated_network_leaks_nothing(cli: &Cli) {
    attack(cli, false);
}

on!(docker, podman, native: run_local_isolated_network_of_two_leaks_nothing);
fn run_local_isolated_network_of_two_leaks_nothing(cli: &Cli) {
    attack(cli, true);
}

on!(docker, podman: run_local_refuses_external_dns_names_quickly);
fn run_local_refuses_external_dns_names_quickly(cli: &Cli) {
    let script = "import socket, time
for name in ('web', 'beyond.example'):
    began = time.monotonic()
    try:
        answer = 'found' if socket.getaddrinfo(name, 80) else ''
    except OSError as error:
        answer = 'refused'
    print(name, answer, 'soon' if time.monotonic() - began < 3 else 'late')";
    let command = serde_json::json!(["python3", "-c", script]);
    for (needs, found) in [("", "refused"), ("needs: [web], ", "found")] {
        cli.inventory(&format!(
            "components:
  - {{name: app, category: x, kind: job, image: '{{python}}', run: {{{needs}command: {command}}}}}
  - {{name: web, category: x, image: '{{busybox}}', run: {{command: [sleep, '1000']}}}}
"
        ));
        let outcome = cli.run("run-local app -q").ends_with(0);
        assert_eq!(outcome.stdout, format!("web {found} soon\nbeyond.example refused soon\n"));
    }
}

on!(docker, podman: run_local_resolves_the_name_of_the_component_itself);
fn run_local_resolves_the_name_of_the_component_itself(cli: &Cli) {
    app(cli, "job", "nc -w 2 $(hostname) 1 2>&1; nc -w 2 app 1 2>&1; true", "");
    let outcome = cli.run("run-local app -q").ends_with(0);
    assert_eq!(outcome.stdout.matches("Connection refused").count(), 2, "{outcome}");
}

on!(docker, podman: run_local_open_network_blocks_production_hosts);
fn run_local_open_network_blocks_production_hosts(cli: &Cli) {
    // The guard would refuse names that it can read.
    let script = "for name in prod db.wild; do nc -w 3 $name-{id}.test {port} 2>&1; done
        for name in prod-{id} xn--bcher-kva.p-{id} bücher.p-{id}; do nc -w 3 $name.test. {port} 2>&1; done; grep -c {id} /etc/hosts";
    let command = serde_json::json!(["sh", "-c", cli.fill(script)]);
    cli.inventory(&format!(
        "production: {{hosts: ['Prod-{{id}}.test', '*.wild-{{id}}.test', 'Bücher.p-{{id}}.test']}}
components:
  - name: app
    category: job
    kind: job
    image: '{{busybox}}'
    documentation: [{{label: x, url: 'https://db.wild-{{id}}.test/docs'}}]
    run: {{command: {command}}}
"
    ));
    assert_snapshot!(cli.run("run-local app --network internet"), @"
    nc: can't connect to remote host (255.255.255.255): Network is unreachable
    nc: can't connect to remote host (255.255.255.255): Network is unreachable
    nc: can't connect to remote host (255.255.255.255): Network is unreachable
    nc: can't connect to remote host (255.255.255.255): Network is unreachable
    nc: can't connect to remote host (255.255.255.255): Network is unreachable
    16
    --- stderr
      env          no variables
      network      open: everything that this machine reaches except 3 known hosts of production; other hosts of `*.wild-TESTID.test` are in reach
    ✔ `app` ended after TIME, nothing left behind.
    --- exit 0
    ");
}

on!(docker, podman: run_local_passes_no_user_credentials_to_a_component);
fn run_local_passes_no_user_credentials_to_a_component(cli: &Cli) {
    app(cli, "job", "env; cat /proc/mounts; ls -a / /run $HOME 2>/dev/null; true", "");
    let outcome = cli
        .call("run-local app -q")
        .set("SSH_AUTH_SOCK", "/run/agent-of-the-user")
        .set("GITLAB_TOKEN", "token-of-the-user")
        .end()
        .ends_with(0);
    let directory = cli.directory().display().to_string();
    for theirs in
        ["SSH_AUTH_SOCK", "agent-of-the-user", "token-of-the-user", "docker.sock", "podman.sock", &directory]
    {
        assert!(!outcome.stdout.contains(theirs), "{theirs} in {outcome}");
    }
    let engine = cli.engine.address().expect("has one");
    assert!(!outcome.stdout.contains(engine.trim_start_matches("unix://")), "{outcome}");
}

on!(docker, podman: run_local_applies_the_limits_of_the_entry);
fn run_local_applies_the_limits_of_the_entry(cli: &Cli) {
    let script = "grep -E '^(CapBnd|NoNewPrivs)' /proc/self/status
        for at in /x /etc/x /tmp/x /run/x /var/tmp/x /data/x; do (echo y >$at) 2>/dev/null && echo $at; done
        sleep 1000";
    let command = serde_json::json!(["sh", "-c", script]);
    cli.inventory(&format!(
        "components:
  - name: app-{{id}}
    category: x
    image: '{{busybox}}'
    run:
      command: {command}
      ready: {{log: /data/x}}
      read_only: true
      writable: [/data]
      capabilities: [KILL, CAP_CHOWN]
      memory: 64MiB
"
    ));
    cli.run("run-local app-{id} --detach").ends_with(0);
    let made = cli.bench().specifications(&cli.processes());
    let host = &made[0]["HostConfig"];
    assert_eq!((made.len(), &host["ReadonlyRootfs"]), (1, &true.into()));
    assert_eq!((host["Memory"].as_u64(), host["PidsLimit"].as_u64()), (Some(64 << 20), Some(4096)));
    assert_eq!(host["Privileged"], false);
    assert!(
        host["Binds"].as_array().is_none_or(|binds| binds
            .iter()
            .all(|one| !one.as_str().is_some_and(|one| one.starts_with('/')))),
        "{host}"
    );
    let mounts = made[0]["Mounts"].as_array().expect("has some");
    assert!(
        mounts.iter().all(|mount| mount["Type"] == "volume" && mount["Destination"] == "/data"),
        "{mounts:?}"
    );
    // CHOWN is the first bit and KILL the sixth.
    let outcome = cli.run("logs app-{id}").ends_with(0);
    assert_eq!(
        outcome.stdout.split_whitespace().collect::<Vec<_>>(),
        ["CapBnd:", "0000000000000021", "NoNewPrivs:", "1", "/tmp/x", "/run/x", "/var/tmp/x", "/data/x"]
    );
    cli.run("down app-{id}").ends_with(0);

    app(cli, "job", "touch /etc/x /tmp/x && grep -E '^(CapBnd|NoNewPrivs)' /proc/self/status", "");
    let outcome = cli.run("run-local app -q").ends_with(0);
    assert!(outcome.stdout.contains("CapBnd:\t0000000000000000\nNoNewPrivs:\t1\n"), "{outcome}");
}

on!(docker, podman, native: run_local_refuses_invalid_limits);
fn run_local_refuses_invalid_limits(cli: &Cli) {
    for (limit, why) in [
        ("capabilities: [SYS_ADMIN]", "a capability that a component may keep is one of CHOWN"),
        ("memory: lots", "an amount of memory is like `512MiB`"),
        ("writable: [data]", "a whole path"),
    ] {
        app(cli, "job", "true", limit);
        cli.run("run-local app").ends_with(4).says(why);
    }
    app(cli, "job", "true", "");
    cli.call("run-local app").set("CKI_RUN_MEMORY", "some").end().ends_with(4).says("`run.memory`");
}
